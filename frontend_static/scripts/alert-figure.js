// A backtest drawn: the metric over its time with the thresholds, where the rule would have fired, what would have been
// sent, and beneath it the price. Pure.

import { METRICS, ruleSubject, valueText } from "./alert-words.js";
import { withAlpha } from "./chart-theme.js";
import { axisName, level, lineTrace, paneLayout } from "./time-panes.js";

export const ALERT_MARGIN = { l: 8, r: 80, t: 24, b: 36 };
// A threshold farther from the metric than so many times the metric's own span would flatten it: it is told at the edge.
const REACH = 4;
const TWO_SIDED = ["outside", "inside"];

// The levels that a rule compares with: on both sides of zero where it looks at the distance from it.
export function levelsOf({ operator, threshold, clear_threshold: clear }) {
  const sides = TWO_SIDED.includes(operator) ? [1, -1] : [1];
  const of = (value, name) => (typeof value === "number" ? sides.map((side) => ({ name, value: side * value || 0 })) : []);
  return [...of(threshold, "threshold"), ...(clear === threshold ? [] : of(clear, "clears at"))];
}

// What is seen of the metric: its whole span with the levels in reach of it, and those that are not.
export function metricRange({ value, low, high }, levels) {
  const known = [...value, ...low, ...high].filter((each) => each !== null);
  if (known.length === 0) return { range: [-1, 1], far: levels };
  let [bottom, top] = known.reduce(([least, most], each) => [Math.min(least, each), Math.max(most, each)], [Infinity, -Infinity]);
  const reach = REACH * (top - bottom || Math.abs(top) * 1e-3 || 1);
  const isNear = (each) => each.value >= bottom - reach && each.value <= top + reach;
  const near = levels.filter(isNear).map((each) => each.value);
  [bottom, top] = [Math.min(bottom, ...near), Math.max(top, ...near)];
  const air = (top - bottom || Math.abs(top) * 1e-3 || 1) * 0.1;
  return { range: [bottom - air, top + air], far: levels.filter((each) => !isNear(each)) };
}

export function backtestFigure({ bars, found, rule, offset, palette, margin, revision, decimals }, view) {
  const { series } = found;
  const levels = levelsOf(rule);
  const { range, far } = metricRange(series, levels);
  const isPrice = rule.metric === "price";
  const panes = [{ title: `${METRICS[rule.metric]?.name ?? rule.metric} of <b>${ruleSubject(rule)}</b>${unitOf(rule)}`, weight: 2, format: isPrice ? `,.${decimals}f` : formatOf(range), range }];
  if (!isPrice) panes.push({ title: `Price of ${rule.symbol}`, weight: 1, format: `,.${decimals}f` });
  const layout = paneLayout(panes, view, { offset, palette, margin, revision });
  layout.shapes.push(...found.firings.map((firing) => fired(firing, found.end, offset, palette)));
  for (const each of levels) {
    if (far.includes(each)) continue;
    const colour = each.name === "threshold" ? palette.warn : palette.muted;
    layout.shapes.push(level("y", each.value, colour, each.name === "threshold" ? "dash" : "dot"));
    layout.annotations.push(levelLabel(each, colour, withAlpha(palette.surface, 0.75), rule.metric));
  }
  if (far.length > 0) layout.annotations.push(farLabel(far, range, rule.metric, palette));
  return { data: [...metricLines(series, offset, palette), ...price(bars, isPrice, offset, palette), ...marks(found, offset, palette)], layout };
}

function unitOf({ metric }) {
  const unit = METRICS[metric]?.unit;
  return unit ? `, ${unit}` : "";
}

function formatOf([bottom, top]) {
  return `,.${Math.max(0, Math.min(8, 2 - Math.floor(Math.log10(top - bottom))))}f`;
}

function fired({ start, end }, last, offset, palette) {
  return { type: "rect", layer: "below", xref: "x", yref: "paper", x0: start + offset, x1: (end ?? last) + offset, y0: 0, y1: 1, fillcolor: withAlpha(palette.warn, 0.18), line: { width: 0 } };
}

// Thresholds at the left and what clears them at the right, since the two may lie close together.
function levelLabel({ name, value }, color, paper, metric) {
  const [x, xanchor] = name === "threshold" ? [0, "left"] : [1, "right"];
  return { xref: "paper", yref: "y", x, y: value, xanchor, yanchor: "bottom", showarrow: false, text: `${name} ${valueText(value, metric)}`, font: { color, size: 11 }, bgcolor: paper };
}

function farLabel(far, [bottom], metric, palette) {
  const [{ value }] = far;
  const below = value < bottom;
  const text = `${below ? "↓" : "↑"} ${far.map((each) => `${each.name} ${valueText(each.value, metric)}`).join(", ")}`;
  return { xref: "paper", yref: "y domain", x: 0, y: below ? 0 : 1, xanchor: "left", yanchor: below ? "bottom" : "top", showarrow: false, text, font: { color: palette.warn, size: 11 } };
}

// Where a point stands for several bars, or for a bar with its wicks, the extremes are drawn too: they are what fires.
function metricLines({ time, value, low, high }, offset, palette) {
  const x = time.map((each) => each + offset);
  const faint = withAlpha(palette.muted, 0.6);
  const isWide = value.some((each, i) => low[i] !== each || high[i] !== each);
  const extremes = isWide ? [lineTrace("Lowest", x, low, "y", faint, 1), lineTrace("Highest", x, high, "y", faint, 1)] : [];
  return [...extremes, lineTrace("Metric", x, value, "y", palette.text)];
}

function price(bars, isPrice, offset, palette) {
  return isPrice ? [] : [lineTrace("Price", bars.map((bar) => bar.time + offset), bars.map((bar) => bar.close), axisName(1), palette.muted)];
}

function marks({ events }, offset, palette) {
  const of = (name, wanted, symbol, color) => {
    const shown = events.filter(wanted);
    return {
      type: "scatter",
      mode: "markers",
      name,
      x: shown.map((event) => event.time + offset),
      y: shown.map((event) => event.value),
      marker: { symbol, size: 9, color, line: { width: 1, color: palette.surface } },
    };
  };
  const isFired = (event) => event.kind === "fired";
  return [
    of("Sent", (event) => isFired(event) && event.notified, "triangle-up", palette.warn),
    of("Held back", (event) => isFired(event) && !event.notified, "triangle-up-open", palette.muted),
    of("Resolved", (event) => event.kind === "resolved", "circle", palette.up),
  ];
}
