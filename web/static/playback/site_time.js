// Moments are milliseconds since 1970 UTC on this page; people read them in the site's zone (UTC+8, no summer time).

const ZONE_MS = 8 * 3600 * 1000;

const two = (number) => String(number).padStart(2, "0");

const parts = (momentMs) => new Date(momentMs + ZONE_MS);

export function clockWords(momentMs) {
  const moment = parts(momentMs);
  return `${two(moment.getUTCHours())}:${two(moment.getUTCMinutes())}:${two(moment.getUTCSeconds())}`;
}

export function tenthWords(momentMs) {
  return `.${Math.floor((((momentMs % 1000) + 1000) % 1000) / 100)}`;
}

export function minuteWords(momentMs) {
  return clockWords(momentMs).slice(0, 5);
}

export function dateWords(momentMs) {
  const moment = parts(momentMs);
  return `${moment.getUTCFullYear()}年${moment.getUTCMonth() + 1}月${moment.getUTCDate()}日`;
}

// The start of the site's day that contains the moment: ticks of the time axis count from here.
export function dayStart(momentMs) {
  const day = 24 * 3600 * 1000;
  return Math.floor((momentMs + ZONE_MS) / day) * day - ZONE_MS;
}
