// Bar intervals, and how long a span of them is in words.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNITS = { s: SECOND, m: MINUTE, h: HOUR, d: DAY };

export const INTERVALS = ["1s", "1m", "5m", "15m", "1h", "4h", "1d"];

export function intervalMs(interval) {
  const match = /^(\d+)([smhd])$/.exec(interval);
  if (!match) throw new RangeError(`not an interval: ${interval}`);
  return Number(match[1]) * UNITS[match[2]];
}

// The two largest units: "8 h 20 min", "3 d", "45 s". Rounded down.
export function spanText(ms) {
  const parts = [
    ["d", Math.floor(ms / DAY)],
    ["h", Math.floor((ms % DAY) / HOUR)],
    ["min", Math.floor((ms % HOUR) / MINUTE)],
    ["s", Math.floor((ms % MINUTE) / SECOND)],
  ];
  const first = parts.findIndex(([, count]) => count > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([, count]) => count > 0)
    .map(([unit, count]) => `${count} ${unit}`)
    .join(" ");
}
