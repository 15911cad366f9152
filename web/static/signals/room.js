// The room page: shows the actual time and the last announcement, keeps the player supplied, reports.
//
// Contract with the server: docs/design/signals.md. Server-sent wakes only say "look again".

import { Leader } from "./leader.js";
import { dropReports, keepReport, keepSchedule, keptSchedule, playerName, shiftNotes, waitingReports } from "./memory.js";
import { Player } from "./player.js";
import { sample, ServerClock } from "./server_clock.js";
import { SoundCheck } from "./sound_check.js";
import { WakeLock } from "./wake.js";

const room = document.body.dataset.room;
const address = (name) => `/api/rooms/${encodeURIComponent(room)}/${name}`;
const token = document.querySelector('meta[name="csrf-token"]').content;

const LOOK_MS = 100;
const REFRESH_MS = 10_000; // even without a wake
const MEASURE_MS = 5_000;
const FIRST_EXCHANGES = 6;
const GOOD_ENOUGH_US = 25_000; // known worse than this, the time is asked for every second
const BEAT_MS = 5_000;
const RETRY_MS = 1_000;
const FRESH_US = 60_000_000;
const LONG_TEXT = 90;

const clock = new ServerClock("/api/clock", changedClock);
const player = new Player(clock, report);
const leader = new Leader(room, () => paint());
const wakeLock = new WakeLock(() => paint());
const soundCheck = new SoundCheck(send, refresh);
let schedule = null;
let askedMs = 0; // when it was asked for, by performance.now()
let shown = null; // { cue, title, text, atUs }
let offlineSinceUs = null;
let isLoggedOut = false;

const element = (id) => document.getElementById(id);

function setState(id, kind, words) {
  const badge = element(id);
  if (badge.className !== `state state-${kind}`) {
    badge.className = `state state-${kind}`;
    badge.querySelector("use").setAttribute("href", `#symbol-${kind}`);
  }
  setWords(badge.querySelector("span"), words);
}

// Ten times a second, mostly the same: a browser draws again what is set again.
function setWords(line, words) {
  if (line.textContent !== words) line.textContent = words;
}

const clockWords = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const timeOf = (us) => clockWords.format(new Date(us / 1000));

// ---- What the server says -------------------------------------------------------------------

async function ask(path, options = {}) {
  const response = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(5000), ...options });
  isLoggedOut = response.status === 401 || response.status === 403;
  if (!response.ok) throw Object.assign(new Error(`${path} answered ${response.status}`), { code: response.status });
  return response.json();
}

async function refresh() {
  await fetchSchedule(null);
  await loadSounds();
}

// Says whether there was an answer. `asked`: an exchange of just now, which knows another clock better than a schedule can.
async function fetchSchedule(asked) {
  const sentMs = performance.now();
  try {
    const told = await ask(address("schedule"));
    const found = sample(told, sentMs, performance.now());
    if (asked === null && isByAnotherClock(found)) return measure();
    if (sentMs >= askedMs) learn(told, sentMs, asked?.clock === found.clock ? [asked, found] : [found]);
  } catch {
    offlineSinceUs ??= Date.now() * 1000;
    if (schedule === null) comeBackAlone();
    return false;
  }
  take();
  return true;
}

// No schedule is looked at by the time of another clock, such as a rehearsal's: both change together.
function learn(told, sentMs, exchanges) {
  for (const one of exchanges) clock.take(one);
  schedule = told;
  askedMs = sentMs;
  keepSchedule(room, schedule);
  offlineSinceUs = null;
}

function isByAnotherClock(found) {
  return found.clock !== (schedule === null ? clock.best?.clock ?? found.clock : schedule.clock ?? "");
}

function changedClock(change) {
  shiftNotes(change);
  player.shift(change);
  if (shown !== null) show(shown.cue, shown.atUs + change.shiftUs);
}

// Reloaded while the server is away: go on with what this browser knew last, and say since when.
function comeBackAlone() {
  schedule = keptSchedule(room);
  if (schedule === null) return;
  // Another page of this browser has heard of another clock: only the server knows when this schedule sounds by that.
  if (clock.best !== null && clock.name !== (schedule.clock ?? "")) clock.forget();
  offlineSinceUs = schedule.server_now_us;
  take();
}

function take() {
  for (const cue of schedule.cues) cue.moment_us = cue.sounds_at_us;
  element("rehearsing").hidden = !schedule.rehearsal;
  // Words from a moment that has not come are a rehearsal's: no exam shows them.
  if (shown !== null && clock.isKnown && shown.atUs > clock.now() + FRESH_US) forget();
  const last = schedule.session?.last;
  if (last && last.emitted_at_us > (shown?.atUs ?? 0)) show(last, last.emitted_at_us);
  element("session").textContent = schedule.session
    ? `${schedule.session.title}　${schedule.session.subject}`
    : "今天没有安排场次";
  soundCheck.paint(schedule);
  look(); // what was pressed is known only half a second before
}

async function loadSounds() {
  if (schedule === null) return;
  await player.load([...new Set([schedule.tone, ...schedule.cues.map((cue) => cue.audio)].filter(Boolean))]);
  keepParts();
}

// Have the worker keep what this page is made of: the first page was there before the worker was.
function keepParts() {
  const loaded = performance.getEntriesByType("resource").map((one) => one.name);
  const parts = loaded.filter((name) => /^\/(static|look|audio)\//.test(new URL(name).pathname));
  navigator.serviceWorker?.controller?.postMessage({ keep: [location.href, ...parts] });
}

const audible = () => schedule?.cues.filter((cue) => cue.audio) ?? [];
const ready = () => audible().filter((cue) => player.buffers.has(cue.audio)).length;

// What the player is to look at: the cues, and the test tone while it is asked for.
function wanted() {
  const cues = schedule.cues.map((cue) => ({ ...cue, moment_us: player.momentUs(cue, schedule.cues) }));
  const { test } = schedule;
  if (!test) return cues;
  return [...cues, { ...test, session_id: null, may_sound: true, after: null, title: "试音", text: "", moment_us: test.sounds_at_us }];
}

// Says whether there was an answer.
async function measure() {
  try {
    const found = await clock.ask(clock.best === null ? FIRST_EXCHANGES : 1);
    if (!isByAnotherClock(found)) clock.take(found);
    else if (!(await fetchSchedule(found))) return false;
    else loadSounds(); // by itself: what waits to be told does not wait for sounds
    return true;
  } catch {
    offlineSinceUs ??= Date.now() * 1000;
    return false;
  }
}

// ---- What this room says --------------------------------------------------------------------

function report({ cue, startedAtUs, endedAtUs, error, clock: by }) {
  if (cue.session_id === null) return beat(); // a test tone is told by the heartbeat
  if (startedAtUs !== null && endedAtUs === null) show(cue, startedAtUs);
  keepReport({
    id: cue.key,
    room,
    session_id: cue.session_id,
    cue: cue.cue,
    occurrence: cue.occurrence,
    started_at_us: startedAtUs && Math.round(startedAtUs),
    ended_at_us: endedAtUs && Math.round(endedAtUs),
    offset_us: clock.wallOffsetUs(),
    uncertainty_us: Math.round(clock.errorUs()),
    error,
    clock: by,
  });
  sendReports();
  if (endedAtUs !== null) beat();
}

let isSending = false;

async function sendReports() {
  if (isSending || waitingReports(room).length === 0 || !leader.isLeader) return;
  isSending = true;
  try {
    // Nothing is told by a clock that the server may have left meanwhile.
    if (await measure()) await deliver(waitingReports(room).slice(0, 50));
  } finally {
    isSending = false;
  }
}

async function deliver(reports) {
  try {
    await send("reports", {
      player: playerName(),
      reports: reports.map(({ id: _id, room: _room, clock: _clock, ...told }) => told),
    });
    dropReports(reports);
  } catch (refusal) {
    // Whatever the server cannot read now it will never read; all else stays and is sent again.
    if (refusal.code === 400) dropReports(reports);
  }
}

function send(path, body) {
  const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token };
  return ask(address(path), { method: "POST", headers, body: JSON.stringify(body) });
}

// How this player is, for the console's alarms. A page that only shows says nothing: it shares the name.
async function beat() {
  if (!leader.isLeader) return;
  const { clock: _clock, ...played } = player.lastPlayed ?? {};
  try {
    await send("players", {
      player: playerName(),
      label: `${navigator.userAgentData?.platform ?? ""} ${screen.width}×${screen.height}`.trim(),
      clock: clock.isKnown ? { offset_us: clock.wallOffsetUs(), error_us: Math.round(clock.errorUs()) } : null,
      audio_ready: ready(),
      audio_wanted: audible().length,
      allowed: player.isAllowed,
      awake: wakeLock.isAwake,
      output: !player.isAllowed || player.output.isMoving,
      audible: player.isAudible,
      played: player.lastPlayed && played,
    });
  } catch {
    return; // said by `refresh`; the next one comes in a moment
  }
}

// ---- What people see ------------------------------------------------------------------------

function show(cue, atUs) {
  shown = { cue, title: `${timeOf(atUs)}　${cue.title}`, text: cue.text, atUs };
  element("words-title").textContent = shown.title;
  const words = element("words");
  words.textContent = shown.text;
  words.dataset.length = shown.text.length > LONG_TEXT ? "long" : "short";
}

function forget() {
  shown = null;
  element("words-title").textContent = "";
  element("words").textContent = "";
}

function paint() {
  const isKnown = clock.isKnown;
  setWords(element("clock"), isKnown ? timeOf(clock.now()) : "--:--:--");
  const isFresh = shown !== null && isKnown && clock.now() - shown.atUs < FRESH_US;
  document.querySelector(".room-words").toggleAttribute("data-fresh", isFresh);
  paintSound();
  paintLink(isKnown);
}

function paintSound() {
  element("enable-sound").hidden = player.isAllowed || !leader.isLeader;
  element("wake-state").hidden = wakeLock.isAwake;
  if (!leader.isLeader) setState("sound-state", "off", "本设备已有另一个页面在播放，这里只显示");
  else if (!player.isAllowed) setState("sound-state", "bad", "声音未启用");
  else if (!player.output.isMoving) setState("sound-state", "bad", "没有声音输出，请检查音箱或耳机插口");
  else if (player.isAudible === false) setState("sound-state", "bad", "刚才的播放没有声音，请检查音量");
  else if (audible().length === 0) setState("sound-state", "off", "暂无播报");
  else if (ready() < audible().length) setState("sound-state", "wait", `正在准备声音 ${ready()}/${audible().length}`);
  else if (!schedule.session.armed) setState("sound-state", "wait", "声音已就绪，定时播报尚未启用");
  else setState("sound-state", "good", "声音已就绪");
}

function paintLink(isKnown) {
  if (isLoggedOut) setState("link-state", "bad", "登录已结束，请监考人员重新登录");
  else if (offlineSinceUs !== null && isKnown)
    setState("link-state", "off", `离线，自 ${timeOf(offlineSinceUs)} 起；铃声照常播放`);
  else if (!isKnown) setState("link-state", "bad", "时间未核准，不能播放铃声");
  else setState("link-state", "good", "已连接，时间已核准");
}

// ---- Running --------------------------------------------------------------------------------

function look() {
  if (schedule !== null && leader.isLeader) player.look(wanted());
  else player.output.look();
  paint();
}

async function enableSound() {
  await player.allow();
  if (!document.fullscreenElement) document.documentElement.requestFullscreen?.().catch(() => {});
  paint();
}

element("enable-sound").addEventListener("click", enableSound);
document.addEventListener("visibilitychange", () => measure().then(refresh));
addEventListener("pagehide", () => player.leave());

let wakes = null;

// A browser gives up on a stream that was refused; a new one is opened as long as the page lives.
function listen() {
  if (wakes !== null && wakes.readyState !== EventSource.CLOSED) return;
  wakes = new EventSource(address("wakes"));
  wakes.addEventListener("message", refresh);
  wakes.addEventListener("error", refresh); // the first to notice that the server is gone
}

setInterval(look, LOOK_MS);
setInterval(listen, REFRESH_MS);
setInterval(refresh, REFRESH_MS);
setInterval(() => (clock.isKnown && offlineSinceUs === null ? undefined : measure().then(refresh)), RETRY_MS);
setInterval(() => (clock.isKnown && clock.errorUs() > GOOD_ENOUGH_US ? measure() : undefined), RETRY_MS);
setInterval(measure, MEASURE_MS);
setInterval(sendReports, RETRY_MS);
setInterval(beat, BEAT_MS);
setInterval(() => player.reopen(), RETRY_MS);
setInterval(() => wakeLock.keep(), REFRESH_MS);
player.allow();
listen();
wakeLock.keep();
measure().then(refresh).then(beat);
// Only on https or this machine itself; elsewhere a reload needs the server.
navigator.serviceWorker?.register("/rooms/worker.js", { scope: location.pathname });
navigator.serviceWorker?.addEventListener("controllerchange", keepParts);
