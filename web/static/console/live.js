// Keeps the parts marked data-live true: woken by the server, asked again every few seconds anyway.
// Says since when when nothing arrives.

import { clockWords, learn, nowMs, tick } from "./clock.js";

const AT_MOST_EVERY_MS = 400;
const DOUBTED = "控制台的主机重新启动过，正在与各考场的设备核对时间。一直没有恢复时，请考点负责人刷新本页。";
const STALE_MS = 12000;

const { liveSource, liveStream, liveEveryMs } = document.body.dataset;
const EVERY_MS = Number(liveEveryMs ?? 4000);
const banner = document.getElementById("offline");
const bannerWords = document.getElementById("offline-words");

let goodAt = nowMs();
let askedAt = 0;
let timer = 0;
let touching = false;
let asking = false;
let awayWords = ""; // why nothing comes, where the server says it
let again = false;

function replace(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const part of fresh.querySelectorAll("[data-live]")) {
    const old = document.querySelector(`[data-live="${part.dataset.live}"]`);
    if (!old || old.dataset.shown === part.outerHTML) continue;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    const shown = part.outerHTML;
    const node = document.importNode(part, true);
    for (const details of old.querySelectorAll("details[open][id]")) {
      node.querySelector(`#${CSS.escape(details.id)}`)?.setAttribute("open", "");
    }
    keepTyped(old, node);
    node.dataset.shown = shown;
    old.replaceWith(node);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
  tick();
  document.dispatchEvent(new CustomEvent("refreshed"));
}

// What somebody has typed or ticked is never lost to a refresh.
function keepTyped(old, node) {
  for (const field of old.querySelectorAll("input[id], select[id], textarea[id]")) {
    const fresh = node.querySelector(`#${CSS.escape(field.id)}`);
    if (!fresh) continue;
    if (field.type === "radio" || field.type === "checkbox") fresh.checked = field.checked;
    else if (field.options) chooseAgain(fresh, field.value);
    else if (field.value !== field.defaultValue) fresh.value = field.value;
  }
}

function chooseAgain(select, value) {
  if ([...(select.options ?? [])].some((one) => one.value === value)) select.value = value;
}

async function ask() {
  if (asking || touching) {
    again = true;
    return;
  }
  asking = true;
  again = false;
  askedAt = Date.now();
  try {
    const answer = await fetch(liveSource, {
      headers: { Accept: "text/html", "X-Automatic": "1" },
      redirect: "manual",
      signal: AbortSignal.timeout(8000),
    });
    if (answer.type === "opaqueredirect" || answer.status === 401) {
      say("登录已结束，请重新登录。");
    } else if (answer.headers.has("X-Time-In-Doubt")) {
      awayWords = DOUBTED;
    } else if (answer.ok) {
      learn(Number(answer.headers.get("X-Server-Now-Us")), Date.now() - askedAt);
      replace(await answer.text());
      goodAt = nowMs();
      awayWords = "";
      say("");
    }
  } catch {
    // The banner tells since when; the next try comes by itself.
  } finally {
    asking = false;
    if (again) refresh();
  }
}

function say(words) {
  banner.hidden = !words;
  if (bannerWords.textContent !== words) bannerWords.textContent = words;
}

export function refresh() {
  if (!liveSource) return;
  clearTimeout(timer);
  timer = setTimeout(ask, Math.max(0, askedAt + AT_MOST_EVERY_MS - Date.now()));
}

function watch() {
  tick();
  if (nowMs() - goodAt > STALE_MS || !navigator.onLine) {
    say(awayWords || `连接中断，自 ${clockWords(goodAt)} 起未更新，页面内容可能已过时。`);
  }
  if (Date.now() - askedAt > EVERY_MS) refresh();
}

// A node that is being pressed must not be swapped under the finger, nor under the key.
for (const name of ["pointerdown", "keydown"]) addEventListener(name, () => (touching = true), true);
for (const name of ["pointerup", "pointercancel", "keyup", "blur"]) {
  addEventListener(name, () => {
    touching = false;
    if (again) refresh();
  }, true);
}

if (liveSource) {
  for (const part of document.querySelectorAll("[data-live]")) part.dataset.shown = part.outerHTML;
  const stream = new EventSource(liveStream);
  stream.onmessage = refresh;
  addEventListener("online", refresh);
  addEventListener("pagehide", () => stream.close());
  setInterval(watch, 250);
  tick();
}
