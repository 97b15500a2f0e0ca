// Numbers and times as text. Prices and quantities keep the symbol's decimals; a minus is U+2212, as wide as a plus.

import { spanText } from "./intervals.js";

export const NOTHING = "–";

const formats = new Map();

function fixed(decimals) {
  if (!formats.has(decimals)) {
    formats.set(
      decimals,
      new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }),
    );
  }
  return formats.get(decimals);
}

export function numberText(value, decimals) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  return fixed(decimals).format(value).replace("-", "\u2212");
}

export function signedText(value, decimals) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const text = numberText(Math.abs(value), decimals);
  if (Number(Math.abs(value).toFixed(decimals)) === 0) return text;
  return (value > 0 ? "+" : "\u2212") + text;
}

export function percentText(value) {
  const text = signedText(value, 2);
  return text === NOTHING ? text : `${text} %`;
}

// Rounded down, so that 100 % is said of nothing less.
export function shareText(share) {
  if (share === null || share === undefined) return NOTHING;
  if (share >= 1) return "100 %";
  return `${(Math.floor(share * 10000) / 100).toFixed(2)} %`;
}

// At most about four digits: 1,234.5 is "1.23 K".
export function compactText(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  for (const [size, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]]) {
    if (Math.abs(value) >= size) return `${(value / size).toPrecision(3)} ${letter}`;
  }
  return String(Number(value.toPrecision(3)));
}

export function ageText(ms) {
  return ms < 1000 ? "now" : `${spanText(ms)} ago`;
}

// "▲", "▼" or nothing: a direction is never told by colour alone.
export function arrow(value) {
  if (!value) return "";
  return value > 0 ? "▲" : "▼";
}

// One offset for all of a view, that of `time`, so that bars keep their distances across a change of the clocks.
export function clockOffset(clock, time) {
  return clock === "local" ? -new Date(time).getTimezoneOffset() * 60000 : 0;
}

export function zoneText(offset) {
  if (offset === 0) return "UTC";
  const minutes = Math.abs(offset) / 60000;
  const two = (number) => String(number).padStart(2, "0");
  return `UTC${offset < 0 ? "\u2212" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

// `parts` is "time", "date" or "both".
export function timeText(ms, offset, parts = "time", seconds = true) {
  if (ms === null || ms === undefined) return NOTHING;
  const [date, time] = new Date(ms + offset).toISOString().split("T");
  const clock = time.slice(0, seconds ? 8 : 5);
  if (parts === "date") return date;
  return parts === "time" ? clock : `${date} ${clock}`;
}

// What the API says of a problem, as a sentence of its own.
export function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}
