/** Numbers, sizes and times as people of the spoken language read them. */
import { languageTag, say } from "./language.js";

const KINDS = ["B", "kB", "MB", "GB", "TB"];

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export const number = (value, options) => new Intl.NumberFormat(languageTag(), options).format(value);

/** @param {number} value between 0 and 1 */
export const percent = (value) => number(value, { style: "percent", maximumFractionDigits: 0 });

/** Returns bytes in decimal units, as disks are sold. @param {number} bytes */
export function size(bytes) {
  let kind = 0;
  let value = bytes;
  while (value >= 999.5 && kind < KINDS.length - 1) {
    value /= 1000;
    kind += 1;
  }
  return `${number(value, { maximumFractionDigits: kind && value < 9.95 ? 1 : 0 })} ${KINDS[kind]}`;
}

/** Returns a length of time. @param {number} seconds */
export function duration(seconds) {
  if (seconds < 0.9995) return `${number(Math.round(seconds * 1000))} ms`;
  if (seconds < 59.5) return `${number(seconds, { maximumFractionDigits: seconds < 9.95 ? 1 : 0 })} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds) % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Returns an energy. @param {number} joules */
export const energy = (joules) =>
  joules < 1000 ? `${number(joules, { maximumFractionDigits: joules < 10 ? 1 : 0 })} J` : `${number(joules / 1000, { maximumFractionDigits: 1 })} kJ`;

/** Returns a date and time. @param {string | number | Date} moment */
export const dateTime = (moment) =>
  new Intl.DateTimeFormat(languageTag(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(moment));

/** Returns how long ago something was, or the date when that is clearer. @param {string | number | Date} moment */
export function ago(moment) {
  const seconds = (Date.now() - new Date(moment).getTime()) / 1000;
  if (seconds < 45) return say("just now", "刚刚");
  const units = /** @type {const} */ ([["minute", 60, 3600], ["hour", 3600, 86400], ["day", 86400, 7 * 86400]]);
  for (const [unit, length, end] of units) {
    if (seconds < end) {
      const format = new Intl.RelativeTimeFormat(languageTag(), { numeric: "auto" });
      return format.format(-Math.max(1, Math.round(seconds / length)), unit);
    }
  }
  return new Intl.DateTimeFormat(languageTag(), { dateStyle: "medium" }).format(new Date(moment));
}
