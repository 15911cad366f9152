// What a player must remember across its own reload: its name, what it played, what it has not yet reported.

const PLAYER = "kaochang.player";
const PLAYED = "kaochang.played";
const REPORTS = "kaochang.reports";
const KEEP_US = 2 * 24 * 3600 * 1_000_000;

function read(name, fallback) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? fallback;
  } catch {
    return fallback; // unreadable is as good as empty
  }
}

const write = (name, value) => localStorage.setItem(name, JSON.stringify(value));

// This player's own name: random, kept as long as the browser keeps it.
export function playerName() {
  let name = read(PLAYER, null);
  if (typeof name !== "string") {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    name = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    write(PLAYER, name);
  }
  return name;
}

// A moment with the name of the server's clock it is by; a page of before clocks had names kept the moment alone.
const noted = (entry) => (typeof entry === "number" ? { at_us: entry, clock: "" } : entry);

// Whether this browser has claimed the cue.
export const isClaimed = (key) => key in read(PLAYED, {});

// Moment at which it began to play the cue, by the server's clock of that name; null: it did not, or by another clock.
export function playedAtUs(key, clock) {
  const entry = read(PLAYED, {})[key];
  return entry !== undefined && noted(entry).clock === clock ? noted(entry).at_us : null;
}

// Claim the cue before its first sample leaves. False: another page of this browser has it, or it has sounded.
export function claim(key, atUs, clock) {
  const played = read(PLAYED, {});
  if (key in played) return false;
  const kept = Object.entries(played).filter(([, earlier]) => atUs - noted(earlier).at_us < KEEP_US);
  write(PLAYED, { ...Object.fromEntries(kept), [key]: { at_us: Math.round(atUs), clock } });
  return true;
}

// It was taken back before it sounded: its moment may still come.
export function release(key) {
  const { [key]: _released, ...kept } = read(PLAYED, {});
  write(PLAYED, kept);
}

// Reports wait here until the server has them.
export const waitingReports = (room) => read(REPORTS, []).filter((report) => report.room === room);

export function keepReport(report) {
  const others = read(REPORTS, []).filter((one) => one.id !== report.id);
  write(REPORTS, [...others, report].slice(-200));
}

export function dropReports(sent) {
  const gone = new Set(sent.map((report) => JSON.stringify(report)));
  write(
    REPORTS,
    read(REPORTS, []).filter((report) => !gone.has(JSON.stringify(report))),
  );
}

// What of something noted by the clock before is another by the clock after; nothing of anything else.
export function shifted(one, { before, after, shiftUs }, moments) {
  if (one.clock !== before) return {};
  const known = moments.filter((name) => one[name] !== null && one[name] !== undefined);
  return { ...Object.fromEntries(known.map((name) => [name, one[name] + shiftUs])), clock: after };
}

// The server goes by another clock. Each stands beside the name of its clock, so it is shifted once, whichever page does it.
export function shiftNotes(change) {
  const back = { ...change, shiftUs: -change.shiftUs }; // the machine's own clock is off from the new one by so much less
  const reports = read(REPORTS, []).map((report) => ({
    ...report,
    ...shifted(report, back, ["offset_us"]),
    ...shifted(report, change, ["started_at_us", "ended_at_us"]),
  }));
  write(REPORTS, reports);
  const played = Object.entries(read(PLAYED, {})).map(([key, entry]) => {
    const one = noted(entry);
    return [key, { ...one, ...shifted(one, change, ["at_us"]) }];
  });
  write(PLAYED, Object.fromEntries(played));
}

// The room's schedule as it was last, with the server's moment: what a page that comes back alone rings by.
const schedules = (room) => `kaochang.schedule.${room}`;

export const keepSchedule = (room, schedule) => write(schedules(room), schedule);
export const keptSchedule = (room) => read(schedules(room), null);
