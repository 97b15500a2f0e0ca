// The visible stretch of time as `{ from, to }` in milliseconds; null stands for "all, and follow the newest bar".

// A few bars alone would be drawn as broad as houses.
const FEWEST_STEPS = 40;

// The stretch that shows all bars, with air at the right for those to come.
export function fullRange(bars, step) {
  if (!bars.length) return null;
  const last = bars.at(-1).time;
  const from = Math.min(bars[0].time - step, last - FEWEST_STEPS * step);
  return { from, to: last + Math.max(2 * step, (last - from) * 0.02) };
}

// A zoom that shows no bar at all is no zoom; one that shows nearly all is the whole.
export function clampZoom(zoom, full) {
  if (!zoom || !full) return null;
  if (zoom.to <= full.from || zoom.from >= full.to || zoom.to <= zoom.from) return null;
  return zoom.from <= full.from && zoom.to >= full.to ? null : zoom;
}

// Makes the stretch `factor` times as long around `anchor`, within `full` and never shorter than `shortest`.
export function zoomBy(range, factor, anchor, full, shortest) {
  const whole = full.to - full.from;
  const length = Math.min(whole, Math.max(shortest, (range.to - range.from) * factor));
  const share = (anchor - range.from) / (range.to - range.from);
  return shifted({ from: anchor - share * length, to: anchor + (1 - share) * length }, 0, full);
}

// Moves the stretch by `share` of its own length, and no further than the data goes.
export function panBy(range, share, full) {
  return shifted(range, share * (range.to - range.from), full);
}

function shifted(range, by, full) {
  const least = full.from - range.from;
  const most = full.to - range.to;
  const shift = Math.min(Math.max(by, least), Math.max(most, least));
  const moved = { from: range.from + shift, to: Math.min(range.to + shift, full.to) };
  return moved.from <= full.from && moved.to >= full.to ? null : moved;
}

// Plotly gives the ends of a date axis as "2026-11-22", "2026-11-22 10:00" or "2026-11-22 10:00:00.1234", or a number.
export function axisTime(value) {
  if (typeof value === "number") return value;
  const [date, time = "00:00"] = String(value).split(/[ T]/);
  const [clock, fraction = ""] = time.split(".");
  return Date.parse(`${date}T${clock.length === 5 ? `${clock}:00` : clock}Z`) + Math.round(Number(`0.${fraction || 0}`) * 1000);
}
