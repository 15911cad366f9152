// Says the spoken prompts of the candidate screen: clips that were rendered beforehand, one at a time. A new
// prompt cuts off the old one. What cannot be heard is left out, and `fault` says why, for staff.
const BLOCKED = "浏览器不让出声：请点一下屏幕";
const MISSING = "语音提示放不出来";

export class Voice {
  #player = new Audio();
  #sound = { volume: 0, languages: [], fault: "" };
  #rest = [];
  #fault = "";

  constructor(onChange) {
    this.onChange = onChange;
    this.#player.addEventListener("ended", () => this.#next());
  }

  // What this machine may say and how loud; null: it has no prompts.
  set sound(sound) { this.#sound = sound ?? { volume: 0, languages: [], fault: "" }; }

  get fault() { return this.#sound.fault || this.#fault; }

  say(clip) {
    if (!clip || this.#sound.fault || !this.#sound.languages.length) return;
    this.#rest = this.#sound.languages.map((language) => `/local/clips/${clip}.${language}.wav`);
    this.#next();
  }

  timeIsShort() { if (!this.isSpeaking) this.say(this.#sound.time_is_short); }

  get isSpeaking() { return !this.#player.paused && !this.#player.ended; }

  silence() {
    this.#rest = [];
    this.#player.pause();
  }

  async #next() {
    const address = this.#rest.shift();
    if (!address) return;
    this.#player.src = address;
    this.#player.volume = this.#sound.volume;
    try {
      await this.#player.play();
      this.#told("");
    } catch (error) {
      if (error.name !== "AbortError") this.#told(error.name === "NotAllowedError" ? BLOCKED : MISSING);
    }
  }

  #told(fault) {
    if (fault === this.#fault) return;
    this.#fault = fault;
    this.onChange();
  }
}
