// The playback page: puts clock, cameras, timeline, list of marks and keys together.

import { CameraPlayer } from "./camera_player.js";
import { listenToKeys } from "./keyboard.js";
import { MarksList } from "./marks_list.js";
import { clockWords, dateWords, tenthWords } from "./site_time.js";
import { ContactSheet, ThumbnailPreview } from "./thumbnail_preview.js";
import { TimelineView, absenceWords } from "./timeline_view.js";
import { WallClock } from "./wall_clock.js";

// A mark is seen with what led to it.
const LEAD_MS = 3000;
const REFRESH_MS = 4000;
const PATIENCE_MS = 15_000;

const page = document.getElementById("playback");
const byId = (id) => document.getElementById(id);

async function fetchTimeline(automatic) {
  const headers = automatic ? { "X-Automatic": "1" } : {};
  // A question that gets lost is asked again.
  const answer = await fetch(page.dataset.timeline, { headers, signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(String(answer.status));
  return read(await answer.json());
}

function inMilliseconds(stretch) {
  return { ...stretch, fromMs: stretch.from_us / 1000, untilMs: stretch.until_us / 1000 };
}

// Microseconds of the server become milliseconds of the page.
function read(answer) {
  const labels = new Map(players.map((player) => [player.figure.dataset.uuid, player.label]));
  return {
    nowMs: answer.now_us / 1000,
    live: answer.live,
    cameras: answer.cameras.map(({ uuid, parts, troubles }) => ({
      uuid,
      label: labels.get(uuid) ?? "",
      parts: parts.map(inMilliseconds),
      troubles: troubles.map(inMilliseconds),
    })),
    marks: answer.marks.map((mark) => ({ ...mark, atMs: mark.at_us / 1000, kindWords: mark.kind_words })),
  };
}

const fromMs = Number(page.dataset.fromUs) / 1000;
const untilMs = Number(page.dataset.untilUs) / 1000;
const clock = new WallClock(fromMs, untilMs, fromMs);
const players = [...document.querySelectorAll("figure.camera")].map((figure) => new CameraPlayer(figure, clock));

const controls = {
  play() { clock.playing = true; },
  pause() { clock.playing = false; remember(); },
  toggle() { clock.playing ? controls.pause() : controls.play(); },
  faster(direction) { clock.faster(direction); },
  jump(byMs) { clock.moveTo(clock.nowMs + byMs); },
  step(direction) {
    clock.playing = false;
    const shown = players.find((player) => player.hasFootage);
    clock.moveTo(clock.nowMs + direction * (shown?.frameS ?? 0.04) * 1000);
  },
  seek(momentMs) { clock.moveTo(momentMs); },
  showMark(mark) {
    clock.moveTo(mark.atMs - LEAD_MS);
    clock.speed = 1;
    clock.playing = true;
    remember();
  },
  toMark(direction) {
    // Pressed again while its lead-in plays, "back" means the mark before.
    const fromMoment = clock.nowMs + LEAD_MS + (direction > 0 ? 50 : -1500);
    const mark = list.neighbour(fromMoment, direction);
    if (mark) controls.showMark(mark);
  },
  setSpeed(speed) { clock.speed = speed; },
  zoom(lengthMs) { timeline.zoom(lengthMs, clock.nowMs); },
  enlarge(index) {
    const figure = index === null ? null : players[index]?.figure ?? null;
    const large = figure?.classList.contains("is-large") ? null : figure;
    byId("cameras").classList.toggle("has-large", large !== null);
    for (const player of players) {
      const isLarge = player.figure === large;
      player.figure.classList.toggle("is-large", isLarge);
      player.figure.querySelector("[data-enlarge]").setAttribute("aria-pressed", String(isLarge));
    }
    sheet.show(shownCamera(), timeline.fromMs, timeline.untilMs);
  },
};

const preview = new ThumbnailPreview(byId("thumbnail-preview"));
const sheet = new ContactSheet(byId("contact-sheet"), controls.seek);

// Whose small pictures are shown: of the camera pointed at, else of the enlarged one, else of the first.
function shownCamera(uuid = null) {
  const figures = players.map((player) => player.figure);
  return (
    figures.find((figure) => figure.dataset.uuid === uuid) ??
    figures.find((figure) => figure.classList.contains("is-large")) ??
    figures[0]
  );
}

function point(place) {
  const camera = place && shownCamera(place.uuid);
  if (camera) preview.show(camera, place.momentMs, place.clientX, place.top);
  else preview.hide();
}

const timeline = new TimelineView(byId("timeline"), {
  fromMs,
  untilMs,
  onSeek: controls.seek,
  onMark: controls.showMark,
  onPoint: point,
  onView: (viewFromMs, viewUntilMs) => sheet.show(shownCamera(), viewFromMs, viewUntilMs),
});
const list = new MarksList(byId("marks"), controls.showMark);

// A reload comes back to the same moment; the address names a mark, so the lead is added.
function remember() {
  history.replaceState(null, "", `?at=${Math.round((clock.nowMs + LEAD_MS) * 1000)}`);
}

function apply(found) {
  clock.untilMs = Math.min(untilMs, Math.max(found.nowMs, fromMs));
  for (const camera of found.cameras) {
    players.find((player) => player.figure.dataset.uuid === camera.uuid)?.cover(camera.parts);
  }
  timeline.show(found);
  list.show(found.marks);
}

function firstMoment(found) {
  if (page.dataset.atUs) return Number(page.dataset.atUs) / 1000 - LEAD_MS;
  const footage = found.cameras.flatMap((camera) => camera.parts.filter((part) => part.kind === "footage"));
  return footage.length ? Math.min(...footage.map((part) => part.fromMs)) : fromMs;
}

function showCamera(player) {
  const absence = player.figure.querySelector(".absence");
  const words = player.hasFootage ? "" : absenceWords(player.partAt(clock.nowMs));
  if (absence.textContent !== words) absence.textContent = words;
  player.figure.classList.toggle("is-absent", !player.hasFootage);
  player.figure.classList.toggle("is-loading", player.hasFootage && !player.isReady);
  player.figure.dataset.offsetMs = player.offsetMs === null ? "" : player.offsetMs.toFixed(0);
}

function showClock() {
  byId("clock").firstChild.data = clockWords(clock.nowMs);
  byId("tenths").textContent = tenthWords(clock.nowMs);
  byId("date").textContent = dateWords(clock.nowMs);
  const slider = byId("position");
  slider.setAttribute("aria-valuenow", Math.round((clock.nowMs - fromMs) / 1000));
  slider.setAttribute("aria-valuetext", clockWords(clock.nowMs));
  const toggle = byId("toggle");
  if (toggle.dataset.playing !== String(clock.playing)) {
    toggle.dataset.playing = String(clock.playing);
    toggle.querySelector("span").textContent = clock.playing ? "暂停" : "播放";
    toggle.querySelector("use").setAttribute("href", clock.playing ? "#do-pause" : "#do-play");
  }
  byId("waiting").hidden = !(clock.playing && clock.held);
  const speed = byId("speed");
  if (document.activeElement !== speed && Number(speed.value) !== clock.speed) speed.value = String(clock.speed);
}

function turn(tickMs) {
  clock.tick(tickMs, players);
  for (const player of players) {
    player.follow();
    showCamera(player);
  }
  showClock();
  timeline.movePlayhead(clock.nowMs);
  list.follow(clock.nowMs);
  requestAnimationFrame(turn);
}

function listen() {
  byId("toggle").addEventListener("click", controls.toggle);
  byId("speed").addEventListener("change", (change) => controls.setSpeed(Number(change.target.value)));
  for (const button of document.querySelectorAll("[data-jump]")) {
    button.addEventListener("click", () => controls.jump(Number(button.dataset.jump)));
  }
  for (const button of document.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => controls.step(Number(button.dataset.step)));
  }
  for (const button of document.querySelectorAll("[data-to-mark]")) {
    button.addEventListener("click", () => controls.toMark(Number(button.dataset.toMark)));
  }
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => controls.zoom(Number(button.dataset.zoom)));
  }
  players.forEach((player, index) => {
    player.figure.querySelector("[data-enlarge]").addEventListener("click", () => controls.enlarge(index));
  });
  listenToKeys(controls);
}

function tellTrouble(words) {
  byId("trouble").hidden = words === "";
  byId("trouble-words").textContent = words;
}

async function refresh() {
  try {
    const found = await fetchTimeline(true);
    tellTrouble("");
    apply(found);
    if (found.live) setTimeout(refresh, REFRESH_MS);
  } catch (error) {
    const isOver = error.message === "401" || error.message === "403";
    tellTrouble(isOver ? "登录或本次调阅已到期，请重新进入。" : "与服务器的连接中断，时间轴可能不是最新的，正在重试。");
    if (!isOver) setTimeout(refresh, REFRESH_MS);
  }
}

async function start() {
  let found;
  try {
    found = await fetchTimeline(false);
  } catch {
    tellTrouble("无法读取时间轴，正在重试。");
    setTimeout(start, REFRESH_MS);
    return;
  }
  tellTrouble("");
  clock.untilMs = Math.min(untilMs, Math.max(found.nowMs, fromMs));
  clock.moveTo(firstMoment(found));
  apply(found);
  page.dataset.ready = "true";
  if (page.dataset.atUs) controls.play();
  requestAnimationFrame(turn);
  if (found.live) setTimeout(refresh, REFRESH_MS);
}

listen();
start();
