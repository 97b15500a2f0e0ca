// A backtest drawn: the price over its time, where the rule would have fired, and what would have been sent. Pure.

import { withAlpha } from "./chart-theme.js";
import { level, lineTrace, paneLayout } from "./time-panes.js";

export const ALERT_MARGIN = { l: 8, r: 80, t: 24, b: 36 };

export function backtestFigure({ bars, found, rule, offset, palette, margin, revision, decimals }, view) {
  const closes = new Map(bars.map((bar) => [bar.time, bar.close]));
  const low = Math.min(...bars.map((bar) => bar.low));
  const high = Math.max(...bars.map((bar) => bar.high));
  const isPrice = rule.metric === "price";
  const levels = isPrice ? [rule.threshold, rule.clear_threshold].filter((each) => typeof each === "number") : [];
  const [bottom, top] = [Math.min(low, ...levels), Math.max(high, ...levels)];
  const air = (top - bottom || high * 1e-4) * 0.08;
  const title = `${rule.symbol}${isPrice ? " and the threshold" : ""}; shaded where the rule would have fired`;
  const layout = paneLayout([{ title, weight: 1, format: `,.${decimals}f`, range: [bottom - air, top + air] }], view, { offset, palette, margin, revision });
  for (const firing of found.firings) {
    layout.shapes.push({ type: "rect", layer: "below", xref: "x", yref: "paper", x0: firing.start + offset, x1: (firing.end ?? found.end) + offset, y0: 0, y1: 1, fillcolor: withAlpha(palette.warn, 0.18), line: { width: 0 } });
  }
  levels.forEach((value, i) => layout.shapes.push(level("y", value, i === 0 ? palette.warn : palette.muted, i === 0 ? "dash" : "dot")));
  const step = bars.length > 1 ? bars[1].time - bars[0].time : 60_000;
  const at = (time) => closes.get(Math.floor(time / step) * step) ?? bars.at(-1).close;
  const marks = (name, events, symbol, color) => ({
    type: "scatter",
    mode: "markers",
    name,
    x: events.map((event) => event.time + offset),
    y: events.map((event) => at(event.time)),
    marker: { symbol, size: 9, color, line: { width: 1, color: palette.surface } },
  });
  const fired = found.events.filter((event) => event.kind === "fired");
  return {
    data: [
      lineTrace("Close", bars.map((bar) => bar.time + offset), bars.map((bar) => bar.close), "y", palette.text),
      marks("Sent", fired.filter((event) => event.notified), "triangle-up", palette.warn),
      marks("Held back", fired.filter((event) => !event.notified), "triangle-up-open", palette.muted),
      marks("Resolved", found.events.filter((event) => event.kind === "resolved"), "circle", palette.up),
    ],
    layout,
  };
}
