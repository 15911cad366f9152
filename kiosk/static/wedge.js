// Tells a reader that types like a keyboard from a person who types. Pure: keys and times in, facts out.
//
// A reader sends a fast burst and usually Enter. Letters are rebuilt from the physical key, because with
// a Chinese input method switched on the browser reports "Process" instead of the letter.

export const GAP_MS = 100;      // a longer pause starts anew
export const SILENCE_MS = 120;  // a burst without Enter ends here
export const MEAN_GAP_MS = 35;  // people are slower than this
export const SHORTEST = 6;

const KEYS = new Map([["Minus", "-"], ["NumpadSubtract", "-"], ["Period", "."], ["NumpadDecimal", "."]]);

export function characterOf(code, shift) {
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(code);
  if (digit) return shift ? "" : digit[1];
  const letter = /^Key([A-Z])$/.exec(code);
  if (letter) return letter[1];
  return KEYS.get(code) ?? "";
}

export class Wedge {
  #text = "";
  #first = 0;
  #last = 0;

  // One key. Returns {scan} for a finished burst, {character, fresh} for a character (fresh: it starts a
  // new run), {enter: true} when a person pressed Enter, or null.
  key(code, shift, at) {
    if (code === "Enter" || code === "NumpadEnter" || code === "Tab") {
      const scan = at - this.#last <= GAP_MS ? this.#burst() : null;
      this.#text = "";
      return scan ? { scan } : { enter: code !== "Tab" };
    }
    const character = characterOf(code, shift);
    if (!character) return null;
    const fresh = !this.#text || at - this.#last > GAP_MS;
    if (fresh) { this.#text = ""; this.#first = at; }
    this.#text += character;
    this.#last = at;
    return { character, fresh };
  }

  // Nothing came for a while. Returns {scan} when a burst had no suffix, else null.
  silence(at) {
    if (at - this.#last < SILENCE_MS) return null;
    const scan = this.#burst();
    this.#text = "";
    return scan ? { scan } : null;
  }

  #burst() {
    const gaps = this.#text.length - 1;
    const isFast = gaps >= SHORTEST - 1 && (this.#last - this.#first) / gaps < MEAN_GAP_MS;
    return isFast ? this.#text : null;
  }
}
