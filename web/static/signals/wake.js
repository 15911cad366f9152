// Keeps the screen awake while the page is looked at; asks again whenever the system took it back.

export class WakeLock {
  constructor(changed) {
    this.isAwake = false;
    this.changed = changed;
    document.addEventListener("visibilitychange", () => this.keep());
  }

  async keep() {
    if (this.isAwake || document.visibilityState !== "visible") return;
    try {
      const lock = await navigator.wakeLock.request("screen");
      this.#is(true);
      lock.addEventListener("release", () => {
        this.#is(false);
        this.keep();
      });
    } catch {
      this.#is(false); // not offered here, or refused: say so
    }
  }

  #is(isAwake) {
    this.isAwake = isAwake;
    this.changed();
  }
}
