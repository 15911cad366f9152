// Plays cues at their moment on the audio clock, and finds out what was really played.
//
// Never early, never later than its tolerance, never twice: nothing is handed to the audio clock that was not
// claimed, so a page that died in between stays silent rather than ringing again. A page that is reloaded or
// closed gives back what surely has not sounded.

import { claim, isClaimed, playedAtUs, release, shifted } from "./memory.js";
import { OutputClock } from "./output_clock.js";

const AHEAD_US = 2_000_000; // a cue is claimed and handed to the audio clock this long before: a page may be busy for so long
// Blocks this long keep the sound whole on a machine that is busy; the moment is placed ahead and loses nothing by it.
// Longer ones would make a pressed signal late, which is known only half a second before.
const BLOCK_S = 0.05;
const SOON_S = 0.02; // what begins at once begins this much later than now, so that its beginning is known
const FOLLOWS_S = 0.005; // what waits is placed anew when the output clock moved by more
const TIMEOUT_MS = 20_000;
const SILENT = 0.001; // samples below this were no sound

export class Player {
  // `tell` gets { cue, startedAtUs, endedAtUs, error, clock } for everything that became of a cue here; `clock` names
  // the server's clock that the moments are by.
  constructor(clock, tell, context = new AudioContext({ latencyHint: BLOCK_S })) {
    this.clock = clock;
    this.tell = tell;
    this.context = context;
    this.output = new OutputClock(this.context);
    // Everything passes here on its way out: what the page gave out can be looked at.
    this.tap = this.context.createAnalyser();
    this.tap.connect(this.context.destination);
    this.samples = new Float32Array(this.tap.fftSize);
    this.isAudible = null; // whether the last sound was one; null before any
    this.lastPlayed = null; // { key, at_us, error, clock }
    this.buffers = new Map(); // address -> AudioBuffer
    this.loading = new Set();
    this.turns = new Map(); // cue key -> turn that waits or sounds
    this.closed = new Set(); // cue keys this page has dealt with
    this.untold = [];
  }

  get isAllowed() {
    return this.context.state === "running";
  }

  // After a touch (or where the browser needs none).
  async allow() {
    await Promise.race([this.context.resume(), new Promise((after) => setTimeout(after, 300))]);
    return this.isAllowed;
  }

  // After its device failed, a browser leaves its audio stopped: begin again, as long as it takes.
  reopen() {
    if (!this.isAllowed && this.output.hasRun) this.context.resume().catch(() => {});
  }

  // Fetch and decode what is not here yet; a failure is tried again with the next call.
  async load(addresses) {
    const missing = addresses.filter((address) => !this.buffers.has(address) && !this.loading.has(address));
    await Promise.allSettled(missing.map((address) => this.#fetch(address)));
  }

  // Look at the schedule: take back what may not sound any more, place what is near, notice what sounds.
  look(cues) {
    this.output.look();
    this.#withdraw(this.clock.isKnown ? cues : []);
    for (const turn of [...this.turns.values()]) this.#follow(turn);
    for (const turn of [...this.turns.values()]) this.#clear(turn);
    if (!this.clock.isKnown) return;
    for (const told of this.untold.splice(0)) this.tell(told);
    for (const cue of cues) this.#consider(cue);
    for (const turn of [...this.turns.values()]) this.#notice(turn);
  }

  // The page goes: what surely has not sounded is left to the one that comes after it.
  leave() {
    for (const turn of [...this.turns.values()]) if (this.#isWaiting(turn)) this.#takeBack(turn);
  }

  // The server goes by another clock: what sounds, and what was not told yet, is told by that one.
  shift(change) {
    for (const one of [...this.turns.values(), ...this.untold])
      Object.assign(one, shifted(one, change, ["startedAtUs", "endedAtUs"]));
    Object.assign(this.lastPlayed ?? {}, shifted(this.lastPlayed ?? {}, change, ["at_us"]));
  }

  // The server moment of a cue; one that hangs on a start signal follows the start this room played.
  momentUs(cue, cues) {
    if (cue.after === null) return cue.sounds_at_us;
    const start = cues.find((one) => one.key === cue.after);
    const playedUs = playedAtUs(cue.after, this.clock.name);
    return start && playedUs !== null ? cue.sounds_at_us + playedUs - start.sounds_at_us : null;
  }

  async #fetch(address) {
    this.loading.add(address);
    try {
      const response = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!response.ok) throw new Error(`audio answered ${response.status}`);
      this.buffers.set(address, await this.context.decodeAudioData(await response.arrayBuffer()));
    } finally {
      this.loading.delete(address);
    }
  }

  #consider(cue) {
    if (!cue.may_sound || cue.moment_us === null || this.closed.has(cue.key) || this.turns.has(cue.key)) return;
    if (isClaimed(cue.key)) return;
    const lateUs = this.#soonestUs() - cue.moment_us;
    if (lateUs < -AHEAD_US) return;
    if (lateUs > cue.tolerance_us) {
      this.closed.add(cue.key);
      // A page opened long after has nothing to report; one that was there and stayed silent has.
      if (lateUs < cue.tolerance_us + 10_000_000) this.#failed(cue, this.#reason(cue));
      return;
    }
    const buffer = this.buffers.get(cue.audio);
    if (buffer && !this.output.isHanging && !this.#isTooLate(cue, this.#placeOf(cue))) this.#begin(cue, buffer);
  }

  // The server moment at which what begins now would be heard.
  #soonestUs() {
    return this.isAllowed ? this.#soonestOf(this.context.currentTime + SOON_S) : this.clock.now();
  }

  #soonestOf(contextTime) {
    return this.clock.fromPerformance(this.output.soonest(contextTime));
  }

  #reason(cue) {
    if (!this.isAllowed && !this.output.hasRun) return "autoplay_refused";
    if (this.output.isHanging) return "no_output";
    return this.buffers.has(cue.audio) ? "too_late" : "audio_missing";
  }

  #begin(cue, buffer) {
    if (!claim(cue.key, cue.moment_us, this.clock.name)) return;
    const turn = { cue, buffer, source: null, startedAtUs: null, clock: "", hasEnded: false, isLoud: false };
    this.turns.set(cue.key, turn);
    this.#place(turn); // gives it `at`, `endsAt` on the audio clock, and `closesMs` by performance.now()
  }

  // Hand it to the audio clock at its moment, or at once when that has passed.
  #place(turn) {
    turn.source = this.context.createBufferSource();
    turn.source.buffer = turn.buffer;
    turn.source.connect(this.tap);
    turn.source.onended = () => (turn.hasEnded = true);
    turn.at = this.#placeOf(turn.cue);
    turn.closesMs = this.clock.toPerformance(turn.cue.moment_us + turn.cue.tolerance_us);
    turn.source.start(turn.at);
    this.#cut();
  }

  #placeOf(cue) {
    return Math.max(this.context.currentTime + SOON_S, this.#wantedAt(cue));
  }

  #wantedAt(cue) {
    return this.output.toContext(this.clock.toPerformance(cue.moment_us));
  }

  // Whether what begins there by the audio clock is heard after its tolerance.
  #isTooLate(cue, at) {
    return this.#soonestOf(at) > cue.moment_us + cue.tolerance_us;
  }

  // Where audio starved, or the time was measured better, what waits is placed anew; what would be heard after its
  // tolerance must not begin.
  #follow(turn) {
    if (turn.at > this.context.currentTime && this.output.soonest(turn.at) > turn.closesMs) {
      if (this.#isWaiting(turn) && performance.now() < turn.closesMs) this.#takeBack(turn);
      else this.#giveUp(turn, "too_late");
    } else if (this.clock.isKnown && this.#isWaiting(turn) && Math.abs(this.#wantedAt(turn.cue) - turn.at) > FOLLOWS_S) {
      this.#silence(turn);
      this.#place(turn);
    }
  }

  // Nothing is left with an output that hangs: the device may come back while this page is busy, and ring then. What
  // surely waits is placed anew when samples go out again; what has begun is cut, and told as far as it was heard.
  #clear(turn) {
    if (this.#isWaiting(turn)) {
      if (this.output.isHanging) this.#takeBack(turn);
    } else if (!this.output.isMoving && this.output.lastTime < turn.endsAt) {
      this.#interrupt(turn);
    }
  }

  // The newer word counts: each sounds until the next begins.
  #cut() {
    const inOrder = [...this.turns.values()].sort(
      (one, other) => one.at - other.at || one.cue.moment_us - other.cue.moment_us,
    );
    inOrder.forEach((turn, place) => {
      turn.endsAt = Math.min(turn.at + turn.buffer.duration, inOrder[place + 1]?.at ?? Infinity);
      turn.source.stop(turn.endsAt);
    });
  }

  // Whether surely no sample of it is on its way: the audio thread works some blocks ahead of what it tells.
  #isWaiting(turn) {
    return turn.at > this.context.currentTime + 2 * this.context.baseLatency + 0.05;
  }

  // A waiting cue that moved or was withdrawn is taken back before it sounds; every one when the time is not known any more.
  #withdraw(cues) {
    const wanted = new Map(cues.map((cue) => [cue.key, cue]));
    for (const turn of [...this.turns.values()]) {
      if (!this.#isWaiting(turn)) continue;
      const cue = wanted.get(turn.cue.key);
      if (!cue?.may_sound || Math.abs(cue.moment_us - turn.cue.moment_us) > 20_000) this.#takeBack(turn);
    }
  }

  #takeBack(turn) {
    this.#drop(turn);
    release(turn.cue.key);
  }

  #drop(turn) {
    this.turns.delete(turn.cue.key);
    this.#silence(turn);
    this.#cut();
  }

  #silence(turn) {
    turn.source.onended = null;
    turn.source.stop();
    turn.source.disconnect();
  }

  // What came out of the loudspeaker, by the output's own clock and not by the plan.
  #notice(turn) {
    turn.isLoud ||= this.context.currentTime > turn.at && this.#isLoud();
    const heard = this.output.heardTime();
    if (heard >= turn.at && turn.endsAt <= turn.at) return this.#giveUp(turn, "not_played"); // a newer word came at once
    if (turn.startedAtUs === null && heard >= turn.at && this.output.isMoving) {
      Object.assign(turn, { startedAtUs: this.#serverUs(turn.at), clock: this.clock.name });
      this.#told(turn, "");
      this.tell(this.#became(turn, null, ""));
    }
    if (turn.startedAtUs !== null && turn.hasEnded && heard >= turn.endsAt) {
      this.isAudible = turn.isLoud;
      this.tell(this.#became(turn, this.#serverUs(turn.endsAt), ""));
      this.#close(turn);
    } else if (turn.startedAtUs === null && this.clock.now() > turn.cue.moment_us + turn.cue.tolerance_us + 1_000_000) {
      this.#giveUp(turn, "not_played");
    }
  }

  #interrupt(turn) {
    this.#drop(turn);
    this.closed.add(turn.cue.key);
    if (turn.startedAtUs === null) return this.#failed(turn.cue, "interrupted");
    this.#told(turn, "interrupted");
    const heardS = Math.min(this.output.lastTime, turn.endsAt) - turn.at;
    this.#say(this.#became(turn, turn.startedAtUs + heardS * 1_000_000, "interrupted"));
  }

  #giveUp(turn, error) {
    this.#drop(turn);
    this.closed.add(turn.cue.key);
    this.#failed(turn.cue, error);
  }

  #close(turn) {
    this.turns.delete(turn.cue.key);
    this.closed.add(turn.cue.key);
  }

  #failed(cue, error) {
    const silent = { cue, startedAtUs: null, clock: this.clock.name };
    this.#told(silent, error);
    this.#say(this.#became(silent, null, error));
  }

  #became({ cue, startedAtUs, clock }, endedAtUs, error) {
    return { cue, startedAtUs, endedAtUs, error, clock };
  }

  // What is told goes with the measured time: where that is lost, it waits.
  #say(told) {
    if (this.clock.isKnown) this.tell(told);
    else this.untold.push(told);
  }

  #told({ cue, startedAtUs, clock }, error) {
    this.lastPlayed = { key: cue.key, at_us: startedAtUs && Math.round(startedAtUs), error, clock };
  }

  #isLoud() {
    this.tap.getFloatTimeDomainData(this.samples);
    return this.samples.some((sample) => Math.abs(sample) > SILENT);
  }

  #serverUs(contextTime) {
    return this.clock.fromPerformance(this.output.toPerformance(contextTime));
  }
}
