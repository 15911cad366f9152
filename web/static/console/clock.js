// This machine's time as the server sees it, and countdowns that run on it.

let offsetMs = Number(document.querySelector('meta[name="server-now-us"]').content) / 1000 - Date.now();

// Called with the server's moment of an answer that took `roundTripMs`.
export function learn(serverNowUs, roundTripMs) {
  const found = serverNowUs / 1000 + roundTripMs / 2 - Date.now();
  if (roundTripMs < 1000) offsetMs = found;
}

export function nowMs() {
  return Date.now() + offsetMs;
}

export function clockWords(ms) {
  return new Date(ms).toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai" });
}

function span(ms) {
  const seconds = Math.ceil(Math.abs(ms) / 1000);
  const two = (number) => String(number).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

export function tick() {
  for (const node of document.querySelectorAll("[data-countdown-us]")) {
    const left = Number(node.dataset.countdownUs) / 1000 - nowMs();
    const words = left > -1000 ? span(Math.max(left, 0)) : `已过 ${span(left)}`;
    if (node.textContent !== words) node.textContent = words;
    node.toggleAttribute("data-passed", left <= -1000);
  }
}
