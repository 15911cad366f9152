// Follows an export until it is over, without loading the page anew under the reader.

const EVERY_MS = 2000;

function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const now = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (now && now.innerHTML !== part.innerHTML) part.replaceChildren(...document.importNode(now, true).childNodes);
  }
  return fresh.querySelector("[data-running]") !== null;
}

async function follow() {
  let isRunning = true;
  try {
    const answer = await fetch(location.href, {
      headers: { Accept: "text/html", "X-Automatic": "1" },
      redirect: "manual",
      signal: AbortSignal.timeout(8000),
    });
    if (answer.type === "opaqueredirect" || answer.status === 401) location.reload();
    if (answer.ok) isRunning = show(await answer.text());
  } catch {
    // The next try comes by itself.
  }
  if (isRunning) setTimeout(follow, EVERY_MS);
}

if (document.querySelector("[data-running]")) setTimeout(follow, EVERY_MS);
