// When what the audio clock says is heard, by performance.now().
//
// Where audio starves on a busy machine, the device goes on and the audio clock stands still: from then on all that was
// placed on it is heard later. The middle of a few readings follows that within half a second, and believes no single
// one. Many readings would tell for seconds what no longer holds: on the busiest machine measured, half a second late
// and told as in time. A device that went away stops both times that Chromium tells, so no reading shows how long it
// has been away: that is measured here.

const KEPT = 5;
const OLD_MS = 1500; // a page that was busy for longer begins anew; one that nobody looks at comes round once a second
const HANGS_MS = 700; // longer than audio was ever measured to starve
const STANDS_MS = 1500;

export class OutputClock {
  constructor(context) {
    this.context = context;
    this.readings = []; // [audio time, performance time minus audio time], the newest last
    this.movedAtMs = performance.now();
    this.lastTime = 0;
    this.lookedAtMs = performance.now();
    this.hasRun = false; // then a person, or the browser, has allowed it
  }

  // Take one reading; call it about ten times a second.
  look() {
    const { contextTime, performanceTime } = this.#reading();
    if (contextTime !== this.lastTime) this.movedAtMs = performance.now();
    this.lastTime = contextTime;
    this.hasRun ||= this.context.state === "running";
    const isOld = performance.now() - this.lookedAtMs > OLD_MS;
    this.lookedAtMs = performance.now();
    this.readings = [...(isOld ? [] : this.readings), [contextTime, performanceTime - contextTime * 1000]].slice(-KEPT);
  }

  // Whether samples go out at all: a device that was pulled out stands still.
  get isMoving() {
    return this.context.state === "running" && performance.now() - this.movedAtMs < STANDS_MS;
  }

  // Whether nothing went out for so long that it may be a dead device; asked right after a look.
  get isHanging() {
    return this.context.state !== "running" || performance.now() - this.movedAtMs >= HANGS_MS;
  }

  // The soonest at which this can be heard, even if the device stood still from the last look until now.
  soonest(contextTime) {
    return performance.now() + (contextTime - this.lastTime) * 1000;
  }

  toContext(performanceMs) {
    return (performanceMs - this.#middle()) / 1000;
  }

  toPerformance(contextTime) {
    return contextTime * 1000 + this.#middle();
  }

  // Audio time of what has been heard for so long that the middle reading knows when.
  heardTime() {
    return this.readings.length < KEPT ? -Infinity : this.readings[KEPT >> 1][0];
  }

  #middle() {
    if (this.readings.length === 0) this.look();
    const apartMs = this.readings.map(([, apart]) => apart).sort((one, other) => one - other);
    return apartMs[apartMs.length >> 1];
  }

  #reading() {
    const { contextTime, performanceTime } = this.context.getOutputTimestamp();
    if (performanceTime > 0) return { contextTime, performanceTime };
    const latency = this.context.outputLatency || this.context.baseLatency || 0;
    return { contextTime: this.context.currentTime - latency, performanceTime: performance.now() };
  }
}
