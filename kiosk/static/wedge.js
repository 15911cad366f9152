// Tells a reader that types like a keyboard from a person who types. Pure: keys and times in, facts out.
//
// The same as kiosk/keystrokes.py, for devices that the agent has not grabbed; both are tested with one
// table of scanner modes. Characters are rebuilt from the place of the key, because with a Chinese input
// method switched on the browser reports "Process" instead of the letter.

export const PAUSE_MS = 100;            // a longer pause ends a burst
export const PREFIXED_PAUSE_MS = 500;   // but one that began with the prefix of the setup sheet is a slow gun's
export const SILENCE_MS = 120;          // when to ask whether a burst has ended
export const HAND_MS = 35;              // between two keys, on average; people are slower than this
export const SHORTEST = 6;
export const LONGEST = 2000;

const DIGITS = ")!@#$%^&*(";
const PLAIN = new Map(Object.entries({
  Minus: "-_", Equal: "=+", BracketLeft: "[{", BracketRight: "]}", Backslash: "\\|", IntlBackslash: "\\|",
  Semicolon: ";:", Quote: "'\"", Backquote: "`~", Comma: ",<", Period: ".>", Slash: "/?", Space: "  ",
  NumpadDecimal: "..", NumpadComma: ",,", NumpadSubtract: "--", NumpadAdd: "++", NumpadMultiply: "**",
  NumpadDivide: "//", NumpadEqual: "==", Enter: "\r\r", NumpadEnter: "\r\r", Tab: "\t\t",
}));
const isLineEnd = (unit) => unit === "\r" || unit === "\n" || unit === "\t";
const digitOfPad = (code) => /^Numpad([0-9])$/.exec(code)?.[1] ?? "";
const modifierOf = (code) => /^(Shift|Control|Alt|Meta)(?:Left|Right)$/.exec(code)?.[1];

export function characterOf(code, shifted) {
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter) return shifted ? letter : letter.toLowerCase();
  const digit = /^Digit([0-9])$/.exec(code)?.[1];
  if (digit) return shifted ? DIGITS[digit] : digit;
  if (PLAIN.has(code)) return PLAIN.get(code)[shifted ? 1 : 0];
  return digitOfPad(code) || null;
}

const decoded = (bytes, encoding) => {
  try { return new TextDecoder(encoding, { fatal: true }).decode(new Uint8Array(bytes)); } catch { return null; }
};
const chineseShare = (text) => [...text].filter((one) => one >= "\u4e00" && one <= "\u9fff").length / [...text].length;

// UTF-8 or GB 18030, whichever gives more Chinese.
export function textOf(bytes) {
  const texts = ["utf-8", "gb18030"].map((encoding) => decoded(bytes, encoding)).filter((text) => text !== null);
  if (!texts.length) return String.fromCharCode(...bytes);
  return texts.reduce((best, text) => (chineseShare(text) > chineseShare(best) ? text : best));
}

// What Alt and a number on the keypad mean: ASCII, a byte, two bytes of GBK, or a Unicode character.
export function unitOf(number) {
  if (number < 0x80) return String.fromCharCode(number);
  if (number < 0x100) return number;
  if (number >= 0xb0a1 && number < 0xf7ff && number % 0x100 > 0xa0) return decoded([number >> 8, number % 0x100], "gb18030");
  const isCharacter = number <= 0x10ffff && !(number >= 0xdc00 && number < 0xe000);
  return isCharacter ? String.fromCodePoint(number) : null;
}

function joined(units) {
  let text = "";
  let bytes = [];
  const flush = () => { if (bytes.length) text += textOf(bytes); bytes = []; };
  for (const unit of units) {
    if (typeof unit === "number") { bytes.push(unit); continue; }
    flush();
    text += unit;
  }
  flush();
  return text;
}

class KeyDecoder {
  #held = new Set();
  #isCaps = false;
  #altDigits = "";
  #highSurrogate = 0;

  // The character that is complete with this stroke, or null.
  taken(code, isDown) {
    const modifier = modifierOf(code);
    if (modifier) return this.#modified(modifier, isDown);
    if (!isDown) return null;
    if (code === "CapsLock") { this.#isCaps = !this.#isCaps; return null; }
    if (this.#held.has("Alt")) { this.#altDigits += digitOfPad(code); return null; }
    return this.#plain(code);
  }

  #modified(modifier, isDown) {
    if (isDown) { this.#held.add(modifier); return null; }
    this.#held.delete(modifier);
    if (modifier !== "Alt" || !this.#altDigits) return null;
    const number = Number(this.#altDigits);
    this.#altDigits = "";
    return this.#byNumber(number);
  }

  #plain(code) {
    const character = characterOf(code, this.#held.has("Shift"));
    if (character === null) return null;
    if (this.#held.has("Control")) return String.fromCharCode(character.toUpperCase().charCodeAt(0) & 0x1f);
    if (!this.#isCaps) return character;
    return character === character.toLowerCase() ? character.toUpperCase() : character.toLowerCase();
  }

  #byNumber(number) {
    if (number >= 0xd800 && number < 0xdc00) { this.#highSurrogate = number; return null; }
    const high = this.#highSurrogate;
    this.#highSurrogate = 0;
    if (high && number >= 0xdc00 && number < 0xe000) return String.fromCharCode(high, number);
    return unitOf(number);
  }
}

const freshBurst = () => ({ lines: [[]], length: 0, keys: 0, first: 0, last: 0, isByHand: false });

export class Wedge {
  #keys = new KeyDecoder();
  #burst = freshBurst();
  #prefix;

  // `prefix` is that of the printed setup sheet; a burst that begins with it is a device's whatever its speed.
  constructor(prefix = "") { this.#prefix = prefix; }

  // One key going down or up. `scans`: the lines of each finished scan. For what a person may be typing:
  // `character`, `fresh` when it begins a new burst, and `enter` when a person pressed Enter.
  stroke(code, isDown, at, isRepeat = false) {
    const scans = isDown ? this.#afterPause(at) : [];
    if (isRepeat) { this.#burst.isByHand = true; return { scans, character: null, fresh: false, enter: false }; }
    const fresh = this.#burst.length === 0;
    if (isDown) this.#count(at);
    const unit = this.#keys.taken(code, isDown);
    if (unit === null) return { scans, character: null, fresh: false, enter: false };
    const enter = (code === "Enter" || code === "NumpadEnter") && !this.#isDevice();
    this.#add(unit);
    return { scans, character: typeof unit === "string" && !isLineEnd(unit) ? unit : null, fresh, enter };
  }

  // The scan that ended by a pause, if there is one.
  silence(at) { return this.#afterPause(at); }

  // Whether what is being typed comes too fast for a person, as far as can be told by now.
  get isBusy() { return this.#burst.keys > 3 && this.#isFast(); }

  #afterPause(at) {
    const pause = this.#isPrefixed() ? PREFIXED_PAUSE_MS : PAUSE_MS;
    return this.#burst.keys > 0 && at - this.#burst.last > pause ? this.#finished() : [];
  }

  #count(at) {
    if (this.#burst.keys === 0) this.#burst.first = at;
    this.#burst.keys += 1;
    this.#burst.last = at;
  }

  #add(unit) {
    const burst = this.#burst;
    if (!isLineEnd(unit)) burst.length += 1;
    if (Math.max(burst.length, burst.lines.length) > LONGEST) return;
    if (isLineEnd(unit)) burst.lines.push([]);
    else burst.lines.at(-1).push(unit);
  }

  #finished() {
    const isScan = this.#isScan();
    const texts = this.#burst.lines.map(joined).filter((text) => text);
    this.#burst = freshBurst();
    return isScan && texts.length ? [texts] : [];
  }

  #isScan() { return this.#isDevice() && this.#burst.length <= LONGEST; }

  #isDevice() {
    const { isByHand, length } = this.#burst;
    return !isByHand && length >= SHORTEST && (this.#hasPrefix() || this.#isFast());
  }

  #isFast() {
    const { first, last, keys } = this.#burst;
    return last - first < HAND_MS * (keys - 1);
  }

  #hasPrefix() { return this.#prefix !== "" && this.#beginning() === this.#prefix; }

  // Whether the burst begins with the prefix, as far as it has come.
  #isPrefixed() {
    const beginning = this.#beginning();
    return beginning !== "" && this.#prefix.startsWith(beginning);
  }

  #beginning() { return joined(this.#burst.lines[0].slice(0, this.#prefix.length)); }
}
