// When what the audio clock says is heard, by performance.now().
//
// One reading of the output's time stamp may be a tenth of a second off on a busy machine; the middle one of
// the last seconds is not. A step of the audio clock (another device, a machine that was asleep) begins anew.

const KEPT = 40;
const STEP_MS = 300;
const STEPPED = 4; // so many readings in a row that agree with each other and not with the past
const STANDS_MS = 1500;

export class OutputClock {
  constructor(context) {
    this.context = context;
    this.apartMs = []; // performance time minus audio time of each reading
    this.strange = 0;
    this.movedAtMs = performance.now();
    this.lastTime = 0;
  }

  // Take one reading; call it about ten times a second.
  look() {
    const { contextTime, performanceTime } = this.#reading();
    if (contextTime !== this.lastTime) this.movedAtMs = performance.now();
    this.lastTime = contextTime;
    const apartMs = performanceTime - contextTime * 1000;
    this.strange = this.apartMs.length > 0 && Math.abs(apartMs - this.#middle()) > STEP_MS ? this.strange + 1 : 0;
    if (this.strange >= STEPPED) this.apartMs = [];
    this.apartMs = [...this.apartMs, apartMs].slice(-KEPT);
  }

  // Whether samples go out at all: a device that was pulled out stands still.
  get isMoving() {
    return this.context.state === "running" && performance.now() - this.movedAtMs < STANDS_MS;
  }

  toContext(performanceMs) {
    return (performanceMs - this.#middle()) / 1000;
  }

  toPerformance(contextTime) {
    return contextTime * 1000 + this.#middle();
  }

  // Audio time of what is heard now.
  heardTime() {
    return this.toContext(performance.now());
  }

  #middle() {
    if (this.apartMs.length === 0) this.look();
    return [...this.apartMs].sort((one, other) => one - other)[this.apartMs.length >> 1];
  }

  #reading() {
    const { contextTime, performanceTime } = this.context.getOutputTimestamp();
    if (performanceTime > 0) return { contextTime, performanceTime };
    const latency = this.context.outputLatency || this.context.baseLatency || 0;
    return { contextTime: this.context.currentTime - latency, performanceTime: performance.now() };
  }
}
