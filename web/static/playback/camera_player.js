// One camera of the room: follows the master clock by nudging its rate, and by seeking when it is far away.
// hls.js plays byte ranges of the recorded files; what is said where there is no picture comes from the server.

import { FootageMap } from "./footage_map.js";
import { withoutSound } from "./pictures_only.js";

const NUDGE_FROM_S = 0.02;
const SEEK_FROM_S = 0.5;
const STRONGEST_NUDGE = 0.25;
// Above this speed, and backwards, pictures are fetched one by one instead of played.
const FASTEST_PLAYED = 4;
const LONGEST_LEAD_S = 2;
// A seek that has not come home is given up when the clock has gone this far elsewhere.
const ASTRAY_S = 3;
const RESEEK_MS = 250;
const SOON_MS = 1000;

const UNREADABLE = { kind: "unreadable", words: "影像文件缺失或损坏，无法播放" };
const EMPTY = { kind: "unrecorded", words: "" };

const RETRIES = { maxNumRetry: 1, retryDelayMs: 200, maxRetryDelayMs: 200 };
const SETTINGS = {
  autoStartLoad: false,
  lowLatencyMode: false,
  maxBufferLength: 12,
  maxMaxBufferLength: 24,
  backBufferLength: 20,
  maxBufferHole: 0.5,
  fragLoadPolicy: {
    default: { maxTimeToFirstByteMs: 8000, maxLoadTimeMs: 20000, timeoutRetry: RETRIES, errorRetry: RETRIES },
  },
};

export class CameraPlayer {
  constructor(figure, clock) {
    this.figure = figure;
    this.clock = clock;
    this.video = figure.querySelector("video");
    this.label = figure.dataset.label;
    this.map = new FootageMap();
    this.parts = [];
    this.hls = null;
    this.isLoading = false;
    this.hasRecovered = false;
    this.place = null;
    this.frameS = 0.04;
    this.seekCostS = 0.1;
    this.soughtAtMs = 0;
    this.watchFrames();
    this.video.addEventListener("seeked", () => this.noteSeekCost());
  }

  // New coverage from the server. The player opens once there is anything to play.
  cover(parts) {
    this.parts = parts;
    if (this.hls === null && parts.some((part) => part.kind === "footage")) this.open();
  }

  open() {
    const { Hls } = globalThis;
    this.hls = new Hls({ ...SETTINGS, fLoader: withoutSound(Hls.DefaultConfig.loader) });
    this.hls.on(Hls.Events.LEVEL_LOADED, (_, { details }) => this.learn(details));
    this.hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => this.learn(details));
    this.hls.on(Hls.Events.ERROR, (_, error) => this.recover(error));
    this.hls.loadSource(this.figure.dataset.playlist);
    this.hls.attachMedia(this.video);
  }

  learn(details) {
    this.map.learn(details.fragments);
    if (!this.isLoading && details.fragments.length > 0) this.load();
  }

  load() {
    this.isLoading = true;
    this.hls.startLoad(this.map.nearest(this.clock.nowMs));
  }

  recover(error) {
    const { Hls } = globalThis;
    if (!error.fatal) return;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR && !this.hasRecovered) {
      this.hasRecovered = true;
      this.hls.recoverMediaError();
    } else if (error.frag) {
      this.map.markBroken(error.frag);
      this.isLoading = false;
      if (error.type === Hls.ErrorTypes.MEDIA_ERROR) this.reopen();
    } else {
      this.close();
    }
  }

  // Nothing more comes from this playlist; the next coverage opens it anew.
  close() {
    this.hls?.destroy();
    this.hls = null;
    this.isLoading = false;
  }

  reopen() {
    this.close();
    this.open();
  }

  get hasFootage() {
    return this.place !== null;
  }

  get isReady() {
    return this.place === null || (!this.video.seeking && this.video.readyState >= 3);
  }

  // How far the picture is from the clock; null without a picture.
  get offsetMs() {
    return this.place === null || !this.isReady ? null : (this.video.currentTime - this.place) * 1000;
  }

  partAt(momentMs) {
    if (this.map.isBrokenAt(momentMs)) return UNREADABLE;
    return this.parts.find((part) => part.fromMs <= momentMs && momentMs < part.untilMs) ?? EMPTY;
  }

  // Shows the picture of the clock's moment, or none.
  follow() {
    this.place = this.hls === null ? null : this.map.locate(this.clock.nowMs, this.parts);
    if (this.place === null) {
      this.video.pause();
      return;
    }
    if (!this.isLoading && this.isShort()) {
      if (!this.isBuffered(this.place)) this.seek(this.place); // hls.js loads where the video stands
      this.load();
    }
    if (this.video.seeking && !this.isAstray()) return;
    const { playing, held, speed } = this.clock;
    const isPlayed = playing && speed > 0 && speed <= FASTEST_PLAYED;
    if (isPlayed && !held) this.play(speed);
    else this.show(isPlayed ? 0.25 : this.frameS / 4);
  }

  // After a file that could not be loaded, loading goes on only where something else is missing.
  isShort() {
    const soon = this.map.locate(this.clock.nowMs + SOON_MS, this.parts);
    return !this.isBuffered(this.place) || (soon !== null && !this.isBuffered(soon));
  }

  isBuffered(mediaS) {
    const { buffered } = this.video;
    for (let at = 0; at < buffered.length; at += 1) {
      if (buffered.start(at) <= mediaS && mediaS < buffered.end(at)) return true;
    }
    return false;
  }

  isAstray() {
    const isFar = Math.abs(this.place - this.video.currentTime) > ASTRAY_S;
    return isFar && performance.now() - this.soughtAtMs > RESEEK_MS;
  }

  play(speed) {
    const aheadS = this.place - this.video.currentTime;
    if (Math.abs(aheadS) > SEEK_FROM_S * Math.max(speed, 1)) {
      this.seek(this.place + Math.min(this.seekCostS * speed, LONGEST_LEAD_S));
    }
    const pull = Math.max(Math.min(2 * aheadS, STRONGEST_NUDGE), -STRONGEST_NUDGE);
    const nudge = Math.abs(aheadS) < NUDGE_FROM_S ? 0 : pull;
    const rate = Math.max(speed * (1 + nudge), 0.0625);
    if (Math.abs(this.video.playbackRate - rate) > 0.004) this.video.playbackRate = rate;
    if (this.video.paused) this.video.play().catch(() => undefined);
  }

  // Paused, waiting, backwards or very fast: one picture after the other.
  show(toleranceS) {
    if (!this.video.paused) this.video.pause();
    if (Math.abs(this.place - this.video.currentTime) > toleranceS) this.seek(this.place);
  }

  seek(mediaS) {
    this.soughtAtMs = performance.now();
    this.video.currentTime = mediaS;
  }

  noteSeekCost() {
    if (this.soughtAtMs === 0) return; // hls.js stepped over a hole by itself
    const tookS = (performance.now() - this.soughtAtMs) / 1000;
    this.soughtAtMs = 0;
    this.seekCostS = 0.5 * this.seekCostS + 0.5 * Math.min(tookS, LONGEST_LEAD_S);
  }

  // The length of one picture, for stepping.
  watchFrames() {
    let last = null;
    const note = (_, frame) => {
      const passedS = last === null ? 0 : (frame.mediaTime - last.mediaTime) / (frame.presentedFrames - last.presentedFrames);
      if (passedS > 0.008 && passedS < 0.21 && !this.video.paused) this.frameS = passedS;
      last = frame;
      this.video.requestVideoFrameCallback(note);
    };
    this.video.requestVideoFrameCallback(note);
  }
}
