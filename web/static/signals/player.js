// Plays cues at their moment on the audio clock, and finds out what was really played.
//
// Never early, never later than its tolerance, never twice: the claim is made just before the sound,
// so a reload in between stays silent rather than ringing again.

import { claim, playedAtUs } from "./memory.js";
import { OutputClock } from "./output_clock.js";

const AHEAD_US = 4_000_000; // a cue is handed to the audio clock this long before
const CLAIM_MS = 30; // and claimed this long before it sounds
const TIMEOUT_MS = 20_000;
const SILENT = 0.001; // samples below this were no sound

export class Player {
  // `tell` gets { cue, startedAtUs, endedAtUs, error } for everything that became of a cue here.
  constructor(clock, tell) {
    this.clock = clock;
    this.tell = tell;
    this.context = new AudioContext({ latencyHint: "interactive" });
    this.output = new OutputClock(this.context);
    // Everything passes here on its way out: what the page gave out can be looked at.
    this.tap = new AnalyserNode(this.context, { fftSize: 2048 });
    this.tap.connect(this.context.destination);
    this.samples = new Float32Array(this.tap.fftSize);
    this.isAudible = null; // whether the last sound was one; null before any
    this.lastPlayed = null; // { key, atUs, error }
    this.buffers = new Map(); // address -> AudioBuffer
    this.loading = new Set();
    this.turns = new Map(); // cue key -> turn that waits or sounds
    this.closed = new Set(); // cue keys this page has dealt with
  }

  get isAllowed() {
    return this.context.state === "running";
  }

  // After a touch (or where the browser needs none).
  async allow() {
    await Promise.race([this.context.resume(), new Promise((after) => setTimeout(after, 300))]);
    return this.isAllowed;
  }

  // Fetch and decode what is not here yet; a failure is tried again with the next call.
  async load(addresses) {
    const missing = addresses.filter((address) => !this.buffers.has(address) && !this.loading.has(address));
    await Promise.allSettled(missing.map((address) => this.#fetch(address)));
  }

  // Look at the schedule: begin what is near, stop what may not sound any more, notice what sounds.
  look(cues) {
    this.output.look();
    if (this.clock.isKnown) {
      for (const cue of cues) this.#consider(cue);
    }
    this.#withdraw(cues);
    for (const turn of [...this.turns.values()]) this.#notice(turn);
  }

  // The server moment of a cue; one that hangs on a start signal follows the start this room played.
  momentUs(cue, cues) {
    if (cue.after === null) return cue.sounds_at_us;
    const start = cues.find((one) => one.key === cue.after);
    const playedUs = playedAtUs(cue.after);
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
    if (playedAtUs(cue.key) !== null) return;
    const lateUs = this.clock.now() - cue.moment_us;
    if (lateUs < -AHEAD_US) return;
    if (lateUs > cue.tolerance_us) {
      this.closed.add(cue.key);
      // A page opened long after has nothing to report; one that was there and stayed silent has.
      if (lateUs < cue.tolerance_us + 10_000_000) this.#failed(cue, this.#reason(cue));
      return;
    }
    const buffer = this.buffers.get(cue.audio);
    if (buffer && this.isAllowed) this.#begin(cue, buffer);
  }

  #reason(cue) {
    if (!this.isAllowed) return "autoplay_refused";
    return this.buffers.has(cue.audio) ? "too_late" : "audio_missing";
  }

  #begin(cue, buffer) {
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(this.tap);
    const now = this.context.currentTime;
    const at = Math.max(now, this.output.toContext(this.clock.toPerformance(cue.moment_us)));
    const turn = { cue, source, at, isClaimed: false, startedAtUs: null, endedTime: null, isLoud: false };
    this.turns.set(cue.key, turn);
    source.onended = () => this.#ended(turn);
    source.start(at);
    setTimeout(() => this.#claim(turn), Math.max(0, (at - now) * 1000 - CLAIM_MS));
  }

  #claim(turn) {
    if (this.turns.get(turn.cue.key) !== turn) return;
    if (!claim(turn.cue.key, turn.cue.moment_us)) {
      this.#drop(turn);
      return;
    }
    turn.isClaimed = true;
    for (const other of [...this.turns.values()]) {
      if (other !== turn && other.isClaimed) other.source.stop(turn.at); // the newer word counts
    }
  }

  // A waiting cue that moved, was withdrawn or lost its claim is taken back before it sounds.
  #withdraw(cues) {
    const wanted = new Map(cues.map((cue) => [cue.key, cue]));
    for (const turn of [...this.turns.values()]) {
      if (turn.isClaimed) continue;
      const cue = wanted.get(turn.cue.key);
      if (!cue?.may_sound || Math.abs(cue.moment_us - turn.cue.moment_us) > 20_000) this.#drop(turn);
    }
  }

  #drop(turn) {
    this.turns.delete(turn.cue.key);
    turn.source.onended = null;
    turn.source.stop();
  }

  // What came out of the loudspeaker, by the output's own clock and not by the plan.
  #notice(turn) {
    if (!turn.isClaimed) return;
    turn.isLoud ||= this.context.currentTime > turn.at && this.#isLoud();
    if (turn.startedAtUs === null && this.output.heardTime() >= turn.at && this.output.isMoving && this.clock.isKnown) {
      turn.startedAtUs = this.#serverUs(turn.at);
      this.#told(turn.cue, turn.startedAtUs, "");
      this.tell({ cue: turn.cue, startedAtUs: turn.startedAtUs, endedAtUs: null, error: "" });
    }
    if (turn.startedAtUs !== null && turn.endedTime !== null && this.clock.isKnown) {
      this.isAudible = turn.isLoud;
      const endedAtUs = this.#serverUs(turn.endedTime);
      this.tell({ cue: turn.cue, startedAtUs: turn.startedAtUs, endedAtUs, error: "" });
      this.#close(turn);
      return;
    }
    const isSilent = turn.startedAtUs === null && this.clock.isKnown;
    if (isSilent && this.clock.now() > turn.cue.moment_us + turn.cue.tolerance_us + 1_000_000) {
      this.#drop(turn);
      this.closed.add(turn.cue.key);
      this.#failed(turn.cue, "not_played");
    }
  }

  #ended(turn) {
    turn.endedTime = this.context.currentTime;
  }

  #close(turn) {
    this.turns.delete(turn.cue.key);
    this.closed.add(turn.cue.key);
  }

  #failed(cue, error) {
    this.#told(cue, null, error);
    this.tell({ cue, startedAtUs: null, endedAtUs: null, error });
  }

  #told(cue, atUs, error) {
    this.lastPlayed = { key: cue.key, at_us: atUs && Math.round(atUs), error };
  }

  #isLoud() {
    this.tap.getFloatTimeDomainData(this.samples);
    return this.samples.some((sample) => Math.abs(sample) > SILENT);
  }

  #serverUs(contextTime) {
    return this.clock.fromPerformance(this.output.toPerformance(contextTime));
  }
}
