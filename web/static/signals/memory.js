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

// Server moment at which this browser began to play the cue, or null.
export const playedAtUs = (key) => read(PLAYED, {})[key] ?? null;

// Claim the cue before its first sample leaves. False: another page of this browser has it, or it has sounded.
export function claim(key, atUs) {
  const played = read(PLAYED, {});
  if (key in played) return false;
  const kept = Object.entries(played).filter(([, earlierUs]) => atUs - earlierUs < KEEP_US);
  write(PLAYED, { ...Object.fromEntries(kept), [key]: Math.round(atUs) });
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

// The room's schedule as it was last, with the server's moment: what a page that comes back alone rings by.
const schedules = (room) => `kaochang.schedule.${room}`;

export const keepSchedule = (room, schedule) => write(schedules(room), schedule);
export const keptSchedule = (room) => read(schedules(room), null);
