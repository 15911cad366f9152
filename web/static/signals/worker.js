// The room page without the server: this worker gives a reloaded page its parts and its sounds back.
//
// It never answers a question about the day: schedule, time and reports go to the server or fail, so nothing stale
// is ever taken for fresh. VERSION stands above, put there by the server: other parts, another worker.

const PARTS = `kaochang.room.${VERSION}`;
const SOUNDS = "kaochang.sounds";
const PATIENCE_MS = 3000;
const page = new URL(registration.scope).pathname;

addEventListener("install", () => skipWaiting());

addEventListener("activate", (event) => event.waitUntil(takeOver()));

async function takeOver() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("kaochang.room.") && name !== PARTS);
  await Promise.all(old.map((name) => caches.delete(name)));
  await clients.claim();
}

addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin) return;
  if (event.request.mode === "navigate") {
    if (pathname === page) event.respondWith(freshPart(event.request));
  } else if (pathname.startsWith("/audio/")) {
    event.respondWith(keptSound(event.request));
  } else if (pathname.startsWith("/static/") || pathname.startsWith("/look/")) {
    event.respondWith(freshPart(event.request));
  }
});

// What the page was made of before this worker was there.
addEventListener("message", (event) => event.waitUntil(Promise.allSettled(event.data.keep.map(keep))));

async function keep(address) {
  const kept = await caches.open(new URL(address).pathname.startsWith("/audio/") ? SOUNDS : PARTS);
  if (await kept.match(address)) return;
  const answer = await fetch(address);
  if (answer.ok && !answer.redirected) await kept.put(address, answer);
}

// From the server when it answers soon and is well (after a restart it may not know the time yet), else as it was last.
async function freshPart(request) {
  const kept = await caches.open(PARTS);
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.ok && !answer.redirected) await kept.put(request.url, answer.clone());
    return answer.status < 500 ? answer : (await kept.match(request.url)) ?? answer;
  } catch (refusal) {
    const known = await kept.match(request.url);
    if (known) return known;
    throw refusal;
  }
}

// A sound's name is never used for another one.
async function keptSound(request) {
  const kept = await caches.open(SOUNDS);
  const known = await kept.match(request.url);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await kept.put(request.url, answer.clone());
  return answer;
}
