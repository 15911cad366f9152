// The one master clock: the wall time that is being shown. Cameras follow it; it waits for them while they load.

export const SPEEDS = [-8, -4, -2, -1, 0.25, 0.5, 1, 2, 4, 8, 16];

// One slow camera may hold the others up this long, then it is left behind and catches up by itself.
const PATIENCE_MS = 2000;
// A page that was hidden or busy does not leap when it comes back.
const LONGEST_TICK_MS = 250;

export class WallClock {
  constructor(fromMs, untilMs, nowMs) {
    this.fromMs = fromMs;
    this.untilMs = untilMs;
    this.nowMs = nowMs;
    this.speed = 1;
    this.playing = false;
    this.held = false;
    this.lateSinceMs = null;
    this.tickedAtMs = null;
  }

  // Moves on by the time that passed since the last tick, unless it waits for cameras or for footage to arrive.
  tick(tickMs, cameras) {
    const passedMs = this.tickedAtMs === null ? 0 : Math.min(tickMs - this.tickedAtMs, LONGEST_TICK_MS);
    this.tickedAtMs = tickMs;
    this.held = this.mustWait(tickMs, cameras);
    if (!this.playing || this.held) return;
    this.moveTo(this.nowMs + passedMs * this.speed);
    const atEnd = this.speed > 0 ? this.nowMs >= this.untilMs : this.nowMs <= this.fromMs;
    if (atEnd) this.playing = false;
  }

  mustWait(tickMs, cameras) {
    const expected = cameras.filter((camera) => camera.hasFootage);
    if (expected.length === 0) {
      return this.speed > 0 && cameras.some((camera) => camera.partAt(this.nowMs)?.kind === "pending");
    }
    const late = expected.filter((camera) => !camera.isReady);
    if (late.length === 0) {
      this.lateSinceMs = null;
      return false;
    }
    this.lateSinceMs ??= tickMs;
    return late.length === expected.length || tickMs - this.lateSinceMs < PATIENCE_MS;
  }

  moveTo(momentMs) {
    this.nowMs = Math.min(Math.max(momentMs, this.fromMs), this.untilMs);
  }

  // One step along the list of speeds; the first press in a direction starts at 1 or -1.
  faster(direction) {
    if (this.playing && Math.sign(this.speed) === direction) {
      const next = SPEEDS.indexOf(this.speed) + direction;
      this.speed = SPEEDS[Math.min(Math.max(next, 0), SPEEDS.length - 1)];
    } else {
      this.speed = direction;
    }
    this.playing = true;
  }
}
