// Shows the time that is to be compared with a watch, and goes on by itself when the time is known.

import { clockWords } from "../console/clock.js";

const LOOK_MS = 2000;
const MOVED_US = 1_000_000; // the machine's clock was set: another time is to be compared
const { asked, seen } = document.body.dataset;
const now = document.getElementById("now");
const field = document.getElementById("time");
const aheadMs = now === null ? 0 : Number(now.dataset.nowUs) / 1000 - performance.now();

function paint() {
  if (now !== null) now.textContent = clockWords(performance.now() + aheadMs);
}

// Whether the page that would come now is another one. Nothing that is being typed is lost.
function isOther(told) {
  if (told === null) return true;
  const [state, offset] = told.split(" ");
  const isTyping = field !== null && field.value !== field.defaultValue;
  return !isTyping && (state !== asked || Math.abs(Number(offset) - Number(seen)) > MOVED_US);
}

async function look() {
  try {
    const answer = await fetch(location.href, {
      method: "HEAD",
      headers: { Accept: "text/html", "X-Automatic": "1" },
      redirect: "manual",
      cache: "no-store",
      signal: AbortSignal.timeout(5000),
    });
    if (isOther(answer.headers.get("X-Time-In-Doubt"))) location.replace(location.href);
  } catch {
    // The console is away; the next look comes by itself.
  }
}

setInterval(paint, 200);
setInterval(look, LOOK_MS);
paint();
