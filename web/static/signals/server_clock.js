// The server's time on this machine: measured, never assumed.
//
// Everything runs on performance.now(), which no administrator can set. An exchange tells the offset
// to within half its round trip; the best of several counts, until it has aged or the server's clock
// was set. A machine that slept lost its measure and says so. What was measured outlives a reload by
// the wall clock, for a page that comes back while the server is away.

const AGEING = 1e-4; // how far two quartz clocks may drift apart, seconds per second
const STEP_US = 50_000; // a disagreement beyond both errors and this is a set clock, not noise
const SLEPT_MS = 400; // the wall clock this far ahead of performance.now(): slept, or set forward
const UNSURE_US = 2_000_000; // a page that knows the time no better must not ring: it could be early
const KEPT = "kaochang.clock";

const nowUs = () => performance.now() * 1000;

const sample = (serverUs, sentUs, receivedUs) => ({
  offsetUs: serverUs - (sentUs + receivedUs) / 2,
  errorUs: (receivedUs - sentUs) / 2,
  takenUs: receivedUs,
});

export class ServerClock {
  constructor(address) {
    this.address = address;
    this.best = this.#kept(); // { offsetUs, errorUs, takenUs }
    this.wallMs = Date.now() - performance.now();
  }

  // Whether server times can be told at all.
  get isKnown() {
    this.#noticeSleep();
    return this.best !== null && this.errorUs() <= UNSURE_US;
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
    let found = null;
    for (let exchange = 0; exchange < exchanges; exchange += 1) {
      const sample = await this.#exchange();
      if (found === null || sample.errorUs < found.errorUs) found = sample;
    }
    this.#take(found);
  }

  // An answer that carried the server's time by the way: it was written between these readings of performance.now().
  learn(serverUs, sentMs, receivedMs) {
    this.#take(sample(serverUs, sentMs * 1000, receivedMs * 1000));
  }

  #take(found) {
    this.#noticeSleep();
    if (!this.#isBetter(found)) return;
    this.best = found;
    this.#keep();
  }

  async #exchange() {
    const sentUs = nowUs();
    const response = await fetch(this.address, { cache: "no-store", signal: AbortSignal.timeout(3000) });
    if (!response.ok) throw new Error(`clock answered ${response.status}`);
    const { server_now_us: serverUs } = await response.json();
    return sample(serverUs, sentUs, nowUs());
  }

  #isBetter(found) {
    if (this.best === null) return true;
    const apartUs = Math.abs(found.offsetUs - this.best.offsetUs);
    return apartUs > found.errorUs + this.errorUs() + STEP_US || found.errorUs <= this.errorUs();
  }

  // performance.now() may stand still while the machine sleeps: then every measure is worthless.
  #noticeSleep() {
    const wallMs = Date.now() - performance.now();
    if (wallMs - this.wallMs > SLEPT_MS) {
      this.best = null;
      localStorage.removeItem(KEPT);
    }
    this.wallMs = wallMs;
  }

  #keep() {
    const serverMinusWallUs = this.best.offsetUs - this.wallMs * 1000;
    const takenWallUs = this.best.takenUs + this.wallMs * 1000;
    localStorage.setItem(
      KEPT,
      JSON.stringify({ serverMinusWallUs, takenWallUs, errorUs: this.best.errorUs }),
    );
  }

  #kept() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT));
      const wallUs = (Date.now() - performance.now()) * 1000;
      const takenUs = kept.takenWallUs - wallUs;
      if (!(takenUs <= nowUs()) || !Number.isFinite(kept.errorUs)) return null; // the clock was set back
      return { offsetUs: kept.serverMinusWallUs + wallUs, errorUs: kept.errorUs, takenUs };
    } catch {
      return null;
    }
  }
}
