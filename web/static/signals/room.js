// The room page: shows the actual time and the last announcement, keeps the player supplied, reports.
//
// Contract with the server: docs/design/signals.md. Server-sent wakes only say "look again".

import { dropReports, keepReport, playerName, waitingReports } from "./memory.js";
import { Player } from "./player.js";
import { ServerClock } from "./server_clock.js";

const room = document.body.dataset.room;
const address = (name) => `/api/rooms/${encodeURIComponent(room)}/${name}`;
const token = document.querySelector('meta[name="csrf-token"]').content;

const LOOK_MS = 100;
const REFRESH_MS = 10_000; // even without a wake
const MEASURE_MS = 20_000;
const RETRY_MS = 1_000;
const FRESH_US = 60_000_000;
const LONG_TEXT = 90;

const clock = new ServerClock("/api/clock");
const player = new Player(clock, report);
let schedule = null;
let shown = null; // { title, text, atUs }
let offlineSinceUs = null;
let isLoggedOut = false;

const element = (id) => document.getElementById(id);

function setState(id, kind, words) {
  const badge = element(id);
  badge.className = `state state-${kind}`;
  badge.querySelector("use").setAttribute("href", `#symbol-${kind}`);
  const line = badge.querySelector("span");
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
  try {
    schedule = await ask(address("schedule"));
    offlineSinceUs = null;
  } catch {
    offlineSinceUs ??= Date.now() * 1000;
    return;
  }
  for (const cue of schedule.cues) cue.moment_us = cue.sounds_at_us;
  const last = schedule.session?.last;
  if (last && last.emitted_at_us > (shown?.atUs ?? 0)) show(last, last.emitted_at_us);
  element("session").textContent = schedule.session
    ? `${schedule.session.title}　${schedule.session.subject}`
    : "今天没有安排场次";
  await player.load([...new Set(schedule.cues.map((cue) => cue.audio).filter(Boolean))]);
}

async function measure() {
  try {
    await clock.measure();
  } catch {
    offlineSinceUs ??= Date.now() * 1000;
  }
}

// ---- What this room says --------------------------------------------------------------------

function report({ cue, startedAtUs, endedAtUs, error }) {
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
  });
  sendReports();
}

let isSending = false;

async function sendReports() {
  const waiting = waitingReports(room);
  if (isSending || waiting.length === 0) return;
  isSending = true;
  const reports = waiting.slice(0, 50);
  try {
    await ask(address("reports"), {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify({
        player: playerName(),
        reports: reports.map(({ id: _id, room: _room, ...told }) => told),
      }),
    });
    dropReports(reports);
  } catch (refusal) {
    // Whatever the server cannot read now it will never read; all else stays and is sent again.
    if (refusal.code === 400) dropReports(reports);
  } finally {
    isSending = false;
  }
}

// ---- What people see ------------------------------------------------------------------------

function show(cue, atUs) {
  shown = { title: `${timeOf(atUs)}　${cue.title}`, text: cue.text, atUs };
  element("words-title").textContent = shown.title;
  const words = element("words");
  words.textContent = shown.text;
  words.dataset.length = shown.text.length > LONG_TEXT ? "long" : "short";
}

function paint() {
  const isKnown = clock.isKnown;
  element("clock").textContent = isKnown ? timeOf(clock.now()) : "--:--:--";
  const isFresh = shown !== null && isKnown && clock.now() - shown.atUs < FRESH_US;
  document.querySelector(".room-words").toggleAttribute("data-fresh", isFresh);
  paintSound();
  paintLink(isKnown);
}

function paintSound() {
  element("enable-sound").hidden = player.isAllowed;
  const audible = schedule?.cues.filter((cue) => cue.audio) ?? [];
  const ready = audible.filter((cue) => player.buffers.has(cue.audio)).length;
  if (!player.isAllowed) setState("sound-state", "bad", "声音未启用");
  else if (schedule === null || audible.length === 0) setState("sound-state", "off", "暂无播报");
  else if (ready < audible.length) setState("sound-state", "wait", `正在准备声音 ${ready}/${audible.length}`);
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
  if (schedule !== null) {
    for (const cue of schedule.cues) cue.moment_us = player.momentUs(cue, schedule.cues);
    player.look(schedule.cues);
  }
  paint();
}

async function keepAwake() {
  if (document.visibilityState !== "visible") return;
  try {
    await navigator.wakeLock.request("screen");
    element("wake-state").hidden = true;
  } catch {
    element("wake-state").hidden = false; // not offered here, or refused: say so
  }
}

async function enableSound() {
  await player.allow();
  if (!document.fullscreenElement) document.documentElement.requestFullscreen?.().catch(() => {});
  paint();
}

element("enable-sound").addEventListener("click", enableSound);
document.addEventListener("visibilitychange", () => {
  keepAwake();
  measure();
  refresh();
});

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
setInterval(measure, MEASURE_MS);
setInterval(sendReports, RETRY_MS);
player.allow();
listen();
keepAwake();
measure().then(refresh);
