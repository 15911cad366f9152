// Draws the candidate screen from /local/state and sends what is typed. It decides nothing, and the
// number being typed lives in one variable: never in the document, except the last digit for a moment.
import { Paper } from "./paper.js";
import { Voice } from "./voice.js";
import { Wedge, SILENCE_MS } from "./wedge.js";

// What is typed on the keypad: how many characters, whether others may read it, where it goes.
const PADS = {
  need_id_number: { least: 18, most: 18, isSecret: true, address: "/local/id-number", key: "id_number", characters: /^[0-9X]$/ },
  need_bag: { least: 1, most: 6, isSecret: false, address: "/local/bag", key: "bag_no", characters: /^[0-9]$/ },
};
const GROUPS = [6, 14];          // 110101 19900307 0011
const PEEK_MS = 700;
const ASK_FOR_TIME_MS = 20000;
const PREVIEW_MS = 250;
const FORGET_LARGE_MS = 60000;
// Somebody else may stand here next.
const LAST_SCREENS = ["result", "referred"];
const DEAD_AFTER = 3;
const SYMBOLS = { idle: "ticket", need_ticket: "ticket", need_id_number: "card", need_photo: "face", need_bag: "bag", need_notice: "notice", need_signature: "sign", asking: "asking", referred: "wait", out_of_use: "off", camera_lost: "off", camera_covered: "off", use_gun: "ticket" };
const SCREEN_TONES = { referred: "wait", out_of_use: "off", camera_lost: "off", camera_covered: "off" };
// Said when even the agent on this machine does not answer any more.
const DEAD = { screen: "out_of_use", title: "本机暂停使用", line: "请到其他签到机，或到人工窗口", title_en: "This kiosk is not available", line_en: "Please use another kiosk or the staff desk", remaining_ms: null, camera: "lost", hint: null, camera_reason: "" };

const at = (name) => document.querySelector(`[data-${name}]`);
let wedge = new Wedge();
let scanPrefix = "";
let shown = null;
let entry = "";
let entryBeforeBurst = "";
let peekUntil = 0;
let endsAt = null;
let spanMs = 1;
let isShort = false;
let shootAt = null;
let forgetLarge = null;
const voice = new Voice(drawStaff);
const paper = new Paper(at("paper"), drawPaper);

async function send(path, body) {
  const options = { method: "POST", headers: { "Content-Type": "application/json", "X-Kaochang-Kiosk": "screen" }, body: JSON.stringify(body) };
  try { return await fetch(path, options); } catch { return null; }
}

function put(name, text) {
  const element = at(name);
  if (element.textContent !== (text ?? "")) element.textContent = text ?? "";
}

function draw(state) {
  const isNew = !shown || shown.screen !== state.screen || shown.title !== state.title;
  const isOtherScreen = shown?.screen !== state.screen;
  if (shown && shown.screen !== state.screen && (state.screen === "idle" || LAST_SCREENS.includes(shown.screen))) setLarge(false);
  speak(state, isNew);
  shown = state;
  if (isOtherScreen) { clearEntry(); paper.wipe(); }
  if (state.scan_prefix !== undefined && state.scan_prefix !== scanPrefix) { scanPrefix = state.scan_prefix; wedge = new Wedge(scanPrefix); }
  const { dataset } = document.body;
  dataset.screen = state.screen;
  const tone = state.tone ?? SCREEN_TONES[state.screen];
  if (tone) dataset.tone = tone; else delete dataset.tone;
  at("symbol").setAttribute("href", `#symbol-${state.tone ?? SYMBOLS[state.screen]}`);
  for (const name of ["title", "line", "title_en", "line_en"]) put(name.replace("_", "-"), state[name]);
  drawWhere(state);
  drawMap(state);
  drawHint(state.hint);
  at("agree-box").hidden = state.screen !== "need_notice";
  at("sign-box").hidden = state.screen !== "need_signature";
  drawPoints(state);
  at("pad").hidden = !PADS[state.screen];
  at("x-key").hidden = state.screen === "need_bag";
  const showsTray = ["idle", "need_ticket"].includes(state.screen) && state.camera === "works";
  at("preview-box").hidden = !showsTray && state.screen !== "need_photo";
  shootAt = state.countdown_ms === undefined ? null : performance.now() + state.countdown_ms;
  for (const way of document.querySelectorAll("[data-shown-on]")) way.hidden = !way.dataset.shownOn.split(" ").includes(state.screen);
  drawStaff();
  endsAt = state.remaining_ms === null ? null : performance.now() + state.remaining_ms;
  if (isNew || (state.remaining_ms ?? 0) > spanMs) spanMs = Math.max(1, state.remaining_ms ?? 1);
  drawTime();
}

function speak(state, isNew) {
  voice.sound = state.sound;
  if (state.hint && state.hint.code !== shown?.hint?.code) voice.say(state.hint.says);
  else if (isNew && state.says) voice.say(state.says);
  else if (isNew) voice.silence();
}

// The code of a machine out of use. What is the matter with a person is for the console: others read along here.
function drawStaff() {
  const code = (shown?.tone ?? SCREEN_TONES[shown?.screen]) === "off" ? shown.outcome : "";
  put("staff", [code, shown?.standing, shown?.camera_reason, voice.fault].filter(Boolean).join(" · "));
}

// Large type belongs to the person who asked for it and to nobody after him.
function setLarge(isLarge) {
  clearTimeout(forgetLarge);
  document.body.toggleAttribute("data-large", isLarge);
  at("large-type").setAttribute("aria-pressed", String(isLarge));
  if (isLarge) forgetLarge = setTimeout(() => { if (shown?.screen === "idle") setLarge(false); }, FORGET_LARGE_MS);
}

function drawWhere(state) {
  const hasPlace = state.screen === "result" && Boolean(state.room_label) && state.tone === "good";
  at("where").hidden = !hasPlace;
  put("room", hasPlace ? state.room_label : "");
  put("place", hasPlace && state.place_label ? `${state.place_label}号` : "");
  const who = state.screen === "result" && state.masked_name ? `${state.masked_name}　证件尾号 ${state.id_tail}` : "";
  at("who").hidden = !who;
  put("who", who);
}

// Where the room is, from this machine; a picture that does not open leaves the words alone.
function drawMap(state) {
  const map = state.map;
  at("map").toggleAttribute("hidden", !map);
  if (!map) { at("map-picture").removeAttribute("href"); return; }
  at("map").setAttribute("viewBox", `0 0 ${map.width} ${map.height}`);
  at("map").setAttribute("aria-label", `平面图：${state.room_label}的位置`);
  for (const [name, value] of [["href", map.src], ["width", map.width], ["height", map.height]]) {
    if (at("map-picture").getAttribute(name) !== String(value)) at("map-picture").setAttribute(name, value);
  }
  at("map-mark").toggleAttribute("hidden", map.at_x === null);
  if (map.at_x === null) return;
  const [x, y, unit] = [map.at_x * map.width / 1000, map.at_y * map.height / 1000, (map.width + map.height) / 60];
  at("map-mark").setAttribute("transform", `translate(${x} ${y}) scale(${unit})`);
}

function drawPoints(state) {
  at("points").hidden = !state.points;
  const told = (state.points ?? []).map((text, index) => {
    const [point, english] = [document.createElement("li"), document.createElement("span")];
    english.lang = "en";
    english.textContent = state.points_en[index] ?? "";
    point.append(text, english);
    return point;
  });
  at("points").replaceChildren(...told);
}

function drawPaper() { at("signed").disabled = !paper.isSigned; }

function drawHint(hint) {
  at("hint").hidden = !hint;
  put("hint-text", hint?.text);
  put("hint-en", hint?.text_en);
}

function drawTime() {
  const left = endsAt === null ? null : Math.max(0, endsAt - performance.now());
  at("left").hidden = left === null;
  if (left !== null) at("left").value = left / spanMs;
  const wasShort = isShort;
  isShort = Boolean(shown?.can_extend) && left !== null && left < ASK_FOR_TIME_MS;
  at("more").hidden = !isShort;
  at("soon").hidden = !isShort;
  if (isShort) put("seconds", String(Math.ceil(left / 1000)));
  if (isShort && !wasShort) voice.timeIsShort();
  const seconds = shootAt === null ? 0 : Math.ceil((shootAt - performance.now()) / 1000);
  at("countdown").hidden = seconds <= 0;
  put("countdown", seconds > 0 ? String(seconds) : "");
}

// Full-width, so that the row does not jump while typing.
const wide = (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0);

function drawEntry() {
  const pad = PADS[shown?.screen] ?? PADS.need_id_number;
  put("dots", pad.isSecret ? hiddenEntry(pad.most) : entry);
  put("count", `${entry.length} / ${pad.most}`);
  at("confirm").disabled = entry.length < pad.least;
}

function hiddenEntry(length) {
  const peeking = performance.now() < peekUntil;
  const marks = Array.from({ length }, (_, index) => {
    if (index >= entry.length) return "○";
    return peeking && index === entry.length - 1 ? wide(entry[index]) : "●";
  });
  for (const group of [...GROUPS].reverse()) marks.splice(group, 0, " ");
  return marks.join("");
}

function clearEntry() {
  entry = "";
  entryBeforeBurst = "";
  peekUntil = 0;
  drawEntry();
}

function type(character) {
  const pad = PADS[shown?.screen];
  if (!pad?.characters.test(character) || entry.length >= pad.most) return;
  entry += character;
  peekUntil = performance.now() + PEEK_MS;
  setTimeout(drawEntry, PEEK_MS + 20);
  drawEntry();
  if (endsAt !== null && endsAt - performance.now() < ASK_FOR_TIME_MS) send("/local/touch", { touch: "more_time" });
}

function erase() {
  entry = entry.slice(0, -1);
  peekUntil = 0;
  drawEntry();
}

function confirmEntry() {
  const pad = PADS[shown?.screen];
  if (!pad || entry.length < pad.least) return;
  const typed = entry;
  clearEntry();
  send(pad.address, { [pad.key]: typed });
}

function takeScans(scans) {
  for (const texts of scans) {
    entry = entryBeforeBurst;
    drawEntry();
    send("/local/scan", { texts });
  }
}

// A person's Enter or Space on a focused button presses that button; a device's never does.
const isForTheButton = (pressed) => pressed.code === "Space" && pressed.target instanceof HTMLButtonElement;

document.addEventListener("keydown", (pressed) => {
  if (pressed.code === "Backspace") { erase(); pressed.preventDefault(); return; }
  const what = wedge.stroke(pressed.code, true, pressed.timeStamp, pressed.repeat);
  takeScans(what.scans);
  if (what.enter && pressed.target instanceof HTMLButtonElement) return;
  if (what.enter) confirmEntry();
  if (what.fresh) entryBeforeBurst = entry;
  if (what.character) type(what.character.toUpperCase());
  // Shortcuts and buttons belong to people; what a device types must reach neither.
  if (wedge.isBusy || what.enter || (what.character && !pressed.ctrlKey && !pressed.metaKey && !isForTheButton(pressed))) pressed.preventDefault();
  setTimeout(() => takeScans(wedge.silence(performance.now())), SILENCE_MS + 10);
});

document.addEventListener("keyup", (released) => {
  const what = wedge.stroke(released.code, false, released.timeStamp);
  if (what.character) type(what.character.toUpperCase());
  if (released.code.startsWith("Alt") || wedge.isBusy) released.preventDefault();
});

for (const button of document.querySelectorAll("[data-key]")) button.addEventListener("click", () => type(button.dataset.key));
at("map-picture").addEventListener("error", () => at("map").setAttribute("hidden", ""));
at("erase").addEventListener("click", erase);
at("confirm").addEventListener("click", confirmEntry);
at("agree").addEventListener("click", () => send("/local/notice", {}));
at("wipe").addEventListener("click", () => paper.wipe());
at("signed").addEventListener("click", () => send("/local/signature", paper.drawn));
at("large-type").addEventListener("click", () => setLarge(!document.body.hasAttribute("data-large")));
for (const button of document.querySelectorAll("[data-touch]")) button.addEventListener("click", () => send("/local/touch", { touch: button.dataset.touch }));

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function follow() {
  let version = 0;
  for (let failures = 0; ;) {
    try {
      const answer = await fetch(`/local/state?after=${version}`);
      if (!answer.ok) throw new Error(`state: ${answer.status}`);
      const state = await answer.json();
      version = state.version;
      failures = 0;
      draw(state);
    } catch {
      failures += 1;
      version = 0;
      if (failures >= DEAD_AFTER) draw(DEAD);
      await pause(500);
    }
  }
}

async function watch() {
  for (let address = null; ;) {
    if (!at("preview-box").hidden) {
      try {
        const answer = await fetch(shown.screen === "need_photo" ? "/local/face.jpg" : "/local/preview.jpg");
        if (answer.status === 200) {
          const next = URL.createObjectURL(await answer.blob());
          at("preview").src = next;
          await at("preview").decode();
          if (address) URL.revokeObjectURL(address);
          address = next;
        }
      } catch { /* the agent is away: the state says so */ }
    }
    await pause(PREVIEW_MS);
  }
}

setInterval(() => {
  drawTime();
  put("clock", new Intl.DateTimeFormat("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" }).format(new Date()));
}, 250);
drawEntry();
follow();
watch();
