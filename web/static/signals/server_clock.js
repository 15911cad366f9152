// The server's time on this machine: measured, never assumed.
//
// Everything runs on performance.now(), which no administrator can set. An exchange tells the offset
// to within half its round trip; the best of several counts, until it has aged or the server's clock
// was set. A machine that slept lost its measure and says so. What was measured outlives a reload by
// the wall clock, for a page that comes back while the server is away.
//
// The server names its clock, and another name means another clock: what was noted by the one before is read by as much
// later as the two are apart, which is known exactly. Nothing is carried from or to a clock without a name.

const AGEING = 1e-4; // how far two quartz clocks may drift apart, seconds per second
const STEP_US = 50_000; // a disagreement beyond both errors and this is a set clock, not noise
const SLEPT_MS = 400; // the wall clock this far ahead of performance.now(): slept, or set forward
const UNSURE_US = 2_000_000; // a page that knows the time no better must not ring: it could be early
const GOOD_US = 100_000; // a measure as good as this takes the place of one that outlived a reload
const KEPT = "kaochang.clock";

const nowUs = () => performance.now() * 1000;

// One exchange: the server wrote its moment between these readings of performance.now().
export const sample = (told, sentMs, receivedMs) => ({
  offsetUs: told.server_now_us - (sentMs + receivedMs) * 500,
  errorUs: (receivedMs - sentMs) * 500,
  takenUs: receivedMs * 1000,
  clock: told.clock ?? "",
});

export class ServerClock {
  // `changed` gets { before, after, shiftUs } when the server goes by another clock.
  constructor(address, changed = () => {}) {
    this.address = address;
    this.changed = changed;
    this.best = this.#kept(); // { offsetUs, errorUs, takenUs, clock, isKept }
    this.wallMs = Date.now() - performance.now();
  }

  // Whether server times can be told at all.
  get isKnown() {
    this.#noticeSleep();
    return this.best !== null && this.errorUs() <= UNSURE_US;
  }

  // Of the server's clock; empty where it has none, or nothing is known.
  get name() {
    return this.best?.clock ?? "";
  }

  // The server's present moment, microseconds since 1970.
  now() {
    return nowUs() + this.best.offsetUs;
  }

  // Server moment of a performance.now() reading in milliseconds, and back.
  fromPerformance(ms) {
    return ms * 1000 + this.best.offsetUs;
  }

  toPerformance(serverUs) {
    return (serverUs - this.best.offsetUs) / 1000;
  }

  // How wrong `now` may be.
  errorUs() {
    return this.best.errorUs + (nowUs() - this.best.takenUs) * AGEING;
  }

  // This machine's own wall clock minus the server's, for the record.
  wallOffsetUs() {
    return Math.round(Date.now() * 1000 - this.now());
  }

  // Ask the server so many times. Throws when it cannot be reached.
  async measure(exchanges) {
    this.take(await this.ask(exchanges));
  }

  // The best of so many exchanges, by the clock that the last of them told. Throws when the server cannot be reached.
  async ask(exchanges) {
    let found = null;
    for (let exchange = 0; exchange < exchanges; exchange += 1) {
      const one = await this.#exchange();
      if (found === null || one.clock !== found.clock || one.errorUs < found.errorUs) found = one;
    }
    return found;
  }

  // Learn from an exchange: it counts when it is better, or by another clock, or shows that the clock was set.
  take(found) {
    this.#noticeSleep();
    if (!this.#isBetter(found)) return;
    const before = this.best;
    this.best = found;
    // Before the new measure is kept: a page that dies here hears of the change again.
    if (before?.clock && found.clock && before.clock !== found.clock)
      this.changed({ before: before.clock, after: found.clock, shiftUs: Math.round(found.offsetUs - before.offsetUs) });
    this.#keep();
  }

  forget() {
    this.best = null;
    for (const name of [KEPT, this.#keptAs]) localStorage.removeItem(name);
  }

  async #exchange() {
    const sentMs = performance.now();
    const signal = AbortSignal.timeout(3000);
    const response = await fetch(this.address, { cache: "no-store", headers: this.#known(), signal });
    if (!response.ok) throw new Error(`clock answered ${response.status}`);
    return sample(await response.json(), sentMs, performance.now());
  }

  // With the question goes what this machine knows: after a restart the server may have to ask what time it was. What
  // outlived a reload by the wall clock is no word: somebody may have set that.
  #known() {
    if (!this.isKnown || !this.name || this.best.isKept) return {};
    return { "X-Known-Time": `${this.name} ${Math.round(this.now())} ${Math.ceil(this.errorUs())}` };
  }

  #isBetter(found) {
    if (this.best === null || this.best.clock !== found.clock) return true;
    if (this.best.isKept && found.errorUs <= GOOD_US) return true;
    const apartUs = Math.abs(found.offsetUs - this.best.offsetUs);
    return apartUs > found.errorUs + this.errorUs() + STEP_US || found.errorUs <= this.errorUs();
  }

  // performance.now() may stand still while the machine sleeps: then every measure is worthless.
  #noticeSleep() {
    const wallMs = Date.now() - performance.now();
    if (wallMs - this.wallMs > SLEPT_MS) this.forget();
    this.wallMs = wallMs;
  }

  // Each address on its own: what the wall clock page is told has no name.
  get #keptAs() {
    return `${KEPT}.${this.address}`;
  }

  #keep() {
    const serverMinusWallUs = this.best.offsetUs - this.wallMs * 1000;
    const takenWallUs = this.best.takenUs + this.wallMs * 1000;
    const { errorUs, clock } = this.best;
    localStorage.removeItem(KEPT);
    localStorage.setItem(this.#keptAs, JSON.stringify({ serverMinusWallUs, takenWallUs, errorUs, clock }));
  }

  #kept() {
    try {
      // A page of before clocks had names kept one measure for all, without a name.
      const kept = JSON.parse(localStorage.getItem(this.#keptAs) ?? localStorage.getItem(KEPT));
      const wallUs = (Date.now() - performance.now()) * 1000;
      const takenUs = kept.takenWallUs - wallUs;
      if (!(takenUs <= nowUs()) || !Number.isFinite(kept.errorUs)) return null; // the clock was set back
      const { serverMinusWallUs, errorUs, clock = "" } = kept;
      return { offsetUs: serverMinusWallUs + wallUs, errorUs, takenUs, clock, isKept: true };
    } catch {
      return null;
    }
  }
}
