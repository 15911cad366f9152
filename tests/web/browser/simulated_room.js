// One room page's player on simulated clocks: real player.js, output_clock.js and memory.js over an audio device
// that starves, a main thread that stalls, a schedule that changes, and pages that are reloaded or die.
//
// A function of the seed; it gives back every broken promise in words, and how often each thing happened.
async (seed) => {
  const { Player } = await import("/static/signals/player.js");
  const { shiftNotes } = await import("/static/signals/memory.js");
  const LATENCY_S = 0.3, BLOCK_S = 0.1, REACH_S = 2 * BLOCK_S + 0.05, STEP_MS = 10, AWAY_US = 1_700_000_000_000_000;
  const faults = [], counts = { heard: 0, late: 0, withdrawn: 0, moved: 0, reloads: 0, crashes: 0, starved: 0, stood: 0, missed: 0, interrupted: 0 };
  let state = seed * 2654435761 % 4294967296 || 1;
  const random = () => (state = (state * 1664525 + 1013904223) % 4294967296) / 4294967296;
  const between = (low, high) => low + random() * (high - low);
  let nowMs = 1000, standsUntilMs = 0, silentMs = 0; // how long nothing went out, altogether
  const realNow = performance.now;
  performance.now = () => nowMs;
  localStorage.clear();
  const tellsNow = random() < 0.3;

  class Source {
    constructor(context) { Object.assign(this, { context, at: Infinity, until: Infinity, firstAt: null, isOver: false }); }
    connect() {}
    disconnect() {}
    start(at) {
      this.at = Math.max(at, this.context.rendered);
      this.isReached();
      this.context.sources.push(this);
    }
    stop(at = 0) { if (!this.isOver) this.until = Math.max(at, this.context.rendered); }
    get mayGoOn() { return !this.isOver && this.until > Math.max(this.at, this.context.rendered); }
    get canBeTakenBack() { return this.at > this.context.currentTime + REACH_S; }
    isReached() { Object.assign(this, { reachedAtMs: nowMs, silentBeforeMs: silentMs }); } // by the page, the last time
  }

  // Renders a block at a time, up to two blocks ahead of what it tells; heard `LATENCY_S` after it was rendered. What it
  // tells of itself is of now or, as in Chromium, of when it last took a block: then both times stand with it.
  class Device {
    constructor() { Object.assign(this, { state: "running", baseLatency: BLOCK_S, heard: 0, rendered: LATENCY_S, sources: [], told: { contextTime: 0, performanceTime: nowMs } }); }
    get currentTime() { return Math.max(0, this.rendered - BLOCK_S); }
    get destination() { return null; }
    getOutputTimestamp() { return tellsNow ? { contextTime: this.heard, performanceTime: nowMs } : this.told; }
    async resume() { if (nowMs >= standsUntilMs) this.state = "running"; }
    createAnalyser() { return { fftSize: 2048, connect() {}, getFloatTimeDomainData() {} }; }
    createBufferSource() { return new Source(this); }
    go(ms) {
      this.heard += ms / 1000;
      while (this.rendered < this.heard + LATENCY_S) this.#render();
      for (const one of this.sources) if (one.firstAt !== null && one.heardMs === undefined && this.heard >= one.firstAt) {
        one.heardMs = nowMs - (this.heard - one.firstAt) * 1000;
        heard(one);
      }
    }
    #render() {
      const to = this.rendered + BLOCK_S;
      for (const one of this.sources) {
        if (one.isOver || one.at >= to) continue;
        if (one.firstAt === null && one.until > one.at) { one.firstAt = one.at; rendered(one); }
        one.isOver = Math.min(one.until, one.at + one.buffer.duration) < to;
        if (one.isOver) one.onended?.();
      }
      this.rendered = to;
      this.told = { contextTime: this.heard, performanceTime: nowMs };
    }
  }

  const clock = {
    offsetUs: AWAY_US, isKnown: true, name: "clock0",
    now() { return nowMs * 1000 + this.offsetUs; },
    fromPerformance(ms) { return ms * 1000 + this.offsetUs; },
    toPerformance(us) { return (us - this.offsetUs) / 1000; },
  };
  const trueUs = (ms) => ms * 1000 + AWAY_US;
  const cues = new Map();
  const heardKeys = new Map(), toldKeys = new Set();
  const excusedKeys = new Set(); // sounded, or were about to, when their page went
  let knownAtMs = nowMs, stalledAtMs = -1e9, disturbedAtMs = -1e9;

  function rendered(source) {
    const claims = JSON.parse(localStorage.getItem("kaochang.played")) ?? {};
    if (!(source.buffer.key in claims)) faults.push(`${source.buffer.key} left without a claim`);
  }
  function heard(source) {
    const { key } = source.buffer, cue = cues.get(key), lateMs = (trueUs(source.heardMs) - cue.moment_us) / 1000;
    if (heardKeys.has(key)) faults.push(`${key} twice`);
    heardKeys.set(key, source.heardMs);
    counts.heard += 1;
    const couldKnow = source.reachedAtMs >= cue.changedAtMs;
    if (lateMs < -30 && couldKnow) faults.push(`${key} ${-lateMs} ms early`);
    if (!cue.may_sound && couldKnow) faults.push(`${key} sounded though withdrawn`);
    // Nobody takes back what was given out: what is silent from then on makes it late.
    if (lateMs > 2170 + silentMs - source.silentBeforeMs) faults.push(`${key} stale by ${lateMs} ms`);
    const isChangedLate = cue.changedAtMs > source.heardMs - 1500;
    // Starving in the last second cannot be made good; a page that was away for seconds may have come too late.
    const isExcused = disturbedAtMs > source.heardMs - 1200 || Math.max(stalledAtMs, bornAtMs) > source.heardMs - 3500;
    if (lateMs > 30 && !isChangedLate && !isExcused) faults.push(`${key} ${lateMs} ms late for nothing`);
    if (lateMs > 30) counts.late += 1;
  }
  function told({ cue, startedAtUs, endedAtUs, error, clock: by }) {
    toldKeys.add(cue.key);
    if (startedAtUs !== null && by !== clock.name) faults.push(`${cue.key} told by ${by} at the time of ${clock.name}`);
    if (error) { counts[error === "interrupted" ? error : "missed"] += 1; return; }
    const at = heardKeys.get(cue.key);
    // One that a newer word cut within a block may have been nothing.
    if (at === undefined) endedAtUs - startedAtUs > 900_000 && faults.push(`${cue.key} told but not heard`);
    else if (endedAtUs === null && Math.abs(startedAtUs - trueUs(at)) > 130_000 && disturbedAtMs < at - 800) faults.push(`${cue.key} told ${(startedAtUs - trueUs(at)) / 1000} ms off`);
  }

  let device, player, bornAtMs;
  function open() {
    bornAtMs = nowMs;
    device = new Device();
    player = new Player(clock, told, device);
    for (let number = 0; number < 24; number += 1) player.buffers.set(`/audio/${number}`, { duration: 0.5 + (number % 5), key: `cue${number}` });
  }
  open();
  let momentUs = trueUs(6000);
  for (let number = 0; number < 24; number += 1) {
    cues.set(`cue${number}`, { key: `cue${number}`, moment_us: momentUs, tolerance_us: 2_000_000, may_sound: true, audio: `/audio/${number}`, after: null, changedAtMs: -1e9 });
    momentUs += between(1_500_000, 6_000_000);
  }
  let lookAtMs = nowMs, starvesUntilMs = 0, unknownUntilMs = 0, seenTime = 0, seenToMoveMs = nowMs, reopenAtMs = 0;
  const happens = (eachMs) => random() < STEP_MS / eachMs;
  while ([...cues.values()].some((one) => trueUs(nowMs) < one.moment_us + 16_000_000)) {
    nowMs += STEP_MS;
    if (happens(4000)) { starvesUntilMs = Math.max(starvesUntilMs, nowMs + between(20, 600)); counts.starved += 1; }
    if (happens(60_000)) { standStill(); counts.stood += 1; }
    if (nowMs < starvesUntilMs || device.state !== "running") {
      disturbedAtMs = nowMs;
      silentMs += STEP_MS;
    } else device.go(STEP_MS);
    if (happens(9000)) changeClock(AWAY_US + between(-10_000, 10_000));
    if (happens(20_000)) unknownUntilMs = nowMs + between(500, 4000);
    clock.isKnown = nowMs >= unknownUntilMs;
    if (!clock.isKnown) stalledAtMs = nowMs;
    if (happens(5000)) change();
    if (happens(15_000)) end(random() < 0.5);
    if (nowMs < lookAtMs) continue;
    player.look([...cues.values()]);
    if (nowMs >= reopenAtMs) {
      player.reopen();
      reopenAtMs = nowMs + 1000;
    }
    watch();
    const stallMs = happens(300) ? between(100, 3000) : 100;
    if (stallMs > 500) stalledAtMs = nowMs + stallMs;
    lookAtMs = nowMs + stallMs;
  }
  // The server goes by another clock, or it is measured better.
  function changeClock(offsetUs) {
    const change = { before: clock.name, after: `clock${offsetUs}`, shiftUs: offsetUs - clock.offsetUs };
    Object.assign(clock, { offsetUs, name: change.after });
    shiftNotes(change);
    player.shift(change);
    const played = Object.values(JSON.parse(localStorage.getItem("kaochang.played")));
    if (played.some((one) => one.clock !== clock.name)) faults.push(`a claim was not shifted to ${clock.name}`);
    const { at_us: atUs, clock: by } = player.lastPlayed ?? { at_us: null };
    if (atUs !== null && by !== clock.name) faults.push(`the last sound was not shifted to ${clock.name}`);
  }
  // The device is pulled out, for longer than most of what waits for it may wait; the browser notices or does not.
  function standStill() {
    starvesUntilMs = standsUntilMs = nowMs + between(1000, 6000);
    if (random() < 0.3) device.state = "suspended";
  }
  // After a look: nothing may be left with an output that this page has seen to stand.
  function watch() {
    if (device.getOutputTimestamp().contextTime !== seenTime) seenToMoveMs = nowMs;
    seenTime = device.getOutputTimestamp().contextTime;
    if (clock.isKnown) knownAtMs = nowMs;
    if (device.state !== "running" && nowMs > standsUntilMs + 5000) faults.push("audio is not begun again");
    for (const one of device.sources.filter((source) => source.mayGoOn)) {
      if (nowMs - seenToMoveMs > (one.canBeTakenBack ? 700 : 1500)) faults.push(`${one.buffer.key} left with a dead device`);
      const { moment_us: momentUs, tolerance_us: toleranceUs } = cues.get(one.buffer.key);
      const soonestUs = trueUs(nowMs + (one.at - device.heard) * 1000);
      if (one.firstAt === null && soonestUs > momentUs + toleranceUs + 170_000) faults.push(`${one.buffer.key} left though too late`);
      if (one.canBeTakenBack) one.isReached();
    }
  }
  function change() {
    const open = [...cues.values()].filter((one) => one.may_sound && one.moment_us > trueUs(nowMs) - 500_000);
    const cue = open[Math.floor(random() * Math.min(2, open.length))];
    if (!cue) return;
    const isMove = random() < 0.6;
    const changed = isMove ? { moment_us: cue.moment_us + between(100_000, 3_000_000) } : { may_sound: false };
    counts[isMove ? "moved" : "withdrawn"] += 1;
    // Told after the page's next look: until then it could not know.
    cues.set(cue.key, { ...cue, ...changed, changedAtMs: Math.max(nowMs, lookAtMs) });
  }
  function end(isCrash) {
    counts[isCrash ? "crashes" : "reloads"] += 1;
    if (!isCrash) player.leave();
    // What was given out already is heard; the rest dies with the page.
    for (const wakeMs = nowMs + 300; nowMs < wakeMs; nowMs += STEP_MS) if (nowMs >= starvesUntilMs) device.go(STEP_MS);
    nowMs += STEP_MS * Math.round(between(0, 120));
    for (const cue of cues.values()) if (Math.abs(cue.moment_us - trueUs(nowMs)) < 6_000_000) excusedKeys.add(cue.key);
    // Nothing is told while the time is lost, and a page that goes meanwhile takes it along.
    for (const [key, atMs] of heardKeys) if (atMs > Math.min(nowMs - 10_000, knownAtMs - 1000)) excusedKeys.add(key);
    open();
    lookAtMs = seenToMoveMs = nowMs;
    seenTime = 0;
  }
  for (const { key, may_sound: maySound } of cues.values()) {
    if (maySound && !excusedKeys.has(key) && !heardKeys.has(key) && !toldKeys.has(key)) faults.push(`${key} lost without a word`);
    if (heardKeys.has(key) && !excusedKeys.has(key) && !toldKeys.has(key)) faults.push(`${key} heard and never told`);
  }
  performance.now = realNow;
  return { faults, counts };
};
