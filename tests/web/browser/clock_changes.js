// What a page noted by the server's clock `by`, after it has asked for the time once for each of `clocks`: their names, and
// how far they are ahead of this machine's monotonic clock. Real server_clock.js and memory.js over a server that answers so.
async ({ clocks, by }) => {
  const { ServerClock } = await import("/static/signals/server_clock.js");
  const memory = await import("/static/signals/memory.js");
  const asked = [], realFetch = window.fetch, realNow = performance.now, stillMs = performance.now();
  localStorage.clear();
  memory.claim("k", 1000, by);
  memory.keepReport({ id: "k", room: "R01", started_at_us: 1000, ended_at_us: null, offset_us: 7, clock: by });
  performance.now = () => stillMs;
  // Two pages of one browser share what is noted.
  const [page, other] = [1, 2].map(() => new ServerClock("/api/clock", memory.shiftNotes));
  for (const [name, aheadUs] of clocks) {
    window.fetch = async (_address, { headers }) => {
      asked.push(headers["X-Known-Time"] ?? "");
      return Response.json({ server_now_us: stillMs * 1000 + aheadUs, clock: name });
    };
    await page.measure(1);
    other.take(page.best);
  }
  window.fetch = realFetch;
  performance.now = realNow;
  return { asked, report: memory.waitingReports("R01")[0], played: JSON.parse(localStorage.getItem("kaochang.played")).k };
}
