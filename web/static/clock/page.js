// 考场时钟: the server's actual time and what is announced for the room. Never how much time is left.

import { ServerClock } from "../signals/server_clock.js";
import { WakeLock } from "../signals/wake.js";

const address = `/api/display/${encodeURIComponent(document.body.dataset.room)}`;
const REFRESH_MS = 10_000;
const RETRY_MS = 1_000;
const FIRST_EXCHANGES = 6;
const LIMIT_US = 1_000_000; // a clock on the wall may not be wrong by more

const clock = new ServerClock(address);
const wakeLock = new WakeLock(() => {});
const element = (id) => document.getElementById(id);
let offlineSinceUs = null;

const format = (options) => new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", hourCycle: "h23", ...options });
const seconds = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minutes = format({ hour: "2-digit", minute: "2-digit" });

function show(session) {
  element("subject").textContent = session ? session.subject : "今天没有安排考试";
  element("times").hidden = session === null;
  if (session === null) return;
  element("starts-word").textContent = session.has_started ? "开考" : "计划开考";
  element("starts").textContent = minutes.format(new Date(session.starts_at_us / 1000));
  element("ends-word").textContent = session.is_over ? "已结束" : "结束";
  element("ends").textContent = session.ends_at_us === null ? "待宣布" : minutes.format(new Date(session.ends_at_us / 1000));
}

async function refresh() {
  try {
    const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    show((await answer.json()).session);
    await clock.measure(clock.best === null ? FIRST_EXCHANGES : 1);
    offlineSinceUs = null;
  } catch {
    offlineSinceUs ??= clock.isKnown ? clock.now() : null;
  }
}

function paint() {
  const isGood = clock.isKnown && clock.errorUs() <= LIMIT_US;
  element("now").textContent = isGood ? seconds.format(new Date(clock.now() / 1000)) : "--:--:--";
  element("unmeasured").hidden = isGood;
  const badge = element("offline-state");
  badge.hidden = offlineSinceUs === null;
  if (offlineSinceUs !== null)
    badge.querySelector("span").textContent = `自 ${seconds.format(new Date(offlineSinceUs / 1000))} 起未联系上主机，时间仍然准确`;
}

setInterval(paint, 100);
setInterval(refresh, REFRESH_MS);
setInterval(() => (clock.isKnown ? undefined : refresh()), RETRY_MS);
setInterval(() => wakeLock.keep(), REFRESH_MS);
wakeLock.keep();
refresh();
