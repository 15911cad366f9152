// Where a moment of the wall clock lies in one camera's media, learned from the playlist that hls.js has loaded.

// Rounding at the borders of files; a recorded gap is never bridged, however short.
const HOLE_MS = 500;

export class FootageMap {
  constructor() {
    this.places = [];
    this.broken = new Set();
  }

  // The fragments themselves are kept: hls.js corrects their start when it has seen their pictures.
  learn(fragments) {
    this.places = fragments
      .filter((fragment) => fragment.programDateTime !== null)
      .map((fragment) => ({
        fromMs: fragment.programDateTime,
        untilMs: fragment.programDateTime + fragment.duration * 1000,
        fragment,
      }))
      .sort((one, other) => one.fromMs - other.fromMs);
  }

  // One file that cannot be loaded or decoded is told as such; the others play on.
  markBroken(fragment) {
    this.broken.add(fragment.url);
  }

  isBrokenAt(momentMs) {
    const place = this.places[this.after(momentMs) - 1];
    return Boolean(place) && momentMs < place.untilMs && this.broken.has(place.fragment.url);
  }

  // Seconds of media, or null when there is no picture of the moment.
  locate(momentMs, parts) {
    const after = this.after(momentMs);
    const place = this.places[after - 1];
    const next = this.places[after];
    if (place && momentMs < place.untilMs) return this.mediaTime(place, (momentMs - place.fromMs) / 1000);
    if (place && next && isBridged(place.untilMs, next.fromMs, parts)) return this.mediaTime(next, 0);
    return null;
  }

  // A place to load from before anything is shown: the moment's own, else the next, else the last one.
  nearest(momentMs) {
    const after = this.after(momentMs);
    const place = this.places[after - 1];
    if (place && momentMs < place.untilMs) return place.fragment.start + (momentMs - place.fromMs) / 1000;
    return (this.places[after] ?? place)?.fragment.start ?? 0;
  }

  after(momentMs) {
    let low = 0;
    let high = this.places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.places[middle].fromMs <= momentMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  mediaTime({ fragment }, offsetS) {
    if (this.broken.has(fragment.url)) return null;
    return fragment.start + Math.min(offsetS, Math.max(fragment.duration - 0.005, 0));
  }
}

function isBridged(fromMs, untilMs, parts) {
  if (untilMs - fromMs > HOLE_MS) return false;
  return !parts.some((part) => part.kind === "gap" && part.fromMs < untilMs && part.untilMs > fromMs);
}
