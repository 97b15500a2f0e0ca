// The analysis of a pair as Plotly figures: six panes over time, and the scatter with its regression. Pure.

import { chartTemplate, withAlpha } from "./chart-theme.js";
import { axisName, band, level, lineTrace, paneLayout } from "./time-panes.js";

export const PAIR_MARGIN = { l: 8, r: 64, t: 24, b: 36 };

// Both series as percent of their first point, so that they start together.
export function rebased(values) {
  const first = values.find((value) => value !== null && value !== 0);
  return first === undefined ? values : values.map((value) => (value === null ? null : (value / first) * 100));
}

export function pairPanes({ answer, offset, palette, margin, revision }, view) {
  const { series, backtest, spread } = answer;
  const x = series.time.map((time) => time + offset);
  const rule = backtest?.rule ?? { entry: 2, exit: 0.5, stop: null };
  const equity = Array.isArray(backtest?.equity) ? backtest.equity.map((each) => each * 100) : null;
  const panes = [
    { title: `Prices, first bar = 100: <b>${answer.y.symbol}</b> and <span style="color:${palette.accent}"><b>${answer.x.symbol}</b></span>`, weight: 2, format: ".2f" },
    { title: `Spread: ${answer.y.symbol} − ${fit(spread.hedge_ratio)} × ${answer.x.symbol} − intercept`, weight: 1.3, format: ".4~s", zero: true },
    { title: `Rolling z-score, window ${answer.window}: entry ±${rule.entry}, exit ±${rule.exit}${rule.stop ? `, stop ±${rule.stop}` : ""}`, weight: 1.7, format: ".1f", range: zRange(series.rolling_zscore, rule), ticks: [-rule.entry, 0, rule.entry], zero: true },
    { title: "Rolling correlation of returns", weight: 1, format: ".1f", range: [-1.05, 1.05], zero: true },
    { title: "Rolling hedge ratio", weight: 1, format: ".3~r" },
  ];
  const columns = [
    lineTrace(answer.y.symbol, x, rebased(series.y), axisName(0), palette.text, 1.4),
    lineTrace(answer.x.symbol, x, rebased(series.x), axisName(0), palette.accent, 1.4),
    lineTrace("Spread", x, series.spread, axisName(1), palette.text),
    lineTrace("z-score", x, series.rolling_zscore, axisName(2), palette.text),
    lineTrace("Correlation", x, series.rolling_correlation, axisName(3), palette.text),
    lineTrace("Hedge ratio", x, series.rolling_hedge_ratio, axisName(4), palette.text),
  ];
  if (equity) {
    panes.push({ title: "Backtest, sum of returns after costs, %", weight: 1.2, format: ".2f", zero: true });
    columns.push(lineTrace("Backtest", x, equity, axisName(5), palette.text, 1.3, { line: { shape: "hv" } }));
  }
  const layout = paneLayout(panes, view, { offset, palette, margin, revision });
  layout.shapes.push(...zBands(axisName(2), rule, palette));
  columns.push(...entries(answer, offset, palette));
  return { data: columns, layout };
}

function fit(value) {
  return value === null || value === undefined ? "–" : Number(value.toPrecision(4)).toString().replace("-", "−");
}

// Never so narrow that the bands fall out of sight, nor so wide that one wild point flattens all others.
function zRange(values, rule) {
  const known = values.filter((value) => value !== null).map(Math.abs);
  const reach = Math.min(Math.max(rule.entry * 1.4, ...known) * 1.08, rule.entry * 5);
  return [-reach, reach];
}

function zBands(axis, rule, palette) {
  const shapes = [band(axis, -rule.exit, rule.exit, withAlpha(palette.muted, 0.12))];
  for (const side of [1, -1]) {
    shapes.push(level(axis, side * rule.entry, palette.warn, "dash"));
    if (rule.stop) shapes.push(level(axis, side * rule.stop, palette.down, "dot"));
  }
  return shapes;
}

// Where the rule would have gone in and out, on the z-score.
function entries(answer, offset, palette) {
  const trips = answer.backtest?.round_trips ?? [];
  const z = new Map(answer.series.time.map((time, i) => [time, answer.series.rolling_zscore[i]]));
  const at = (name, times, symbol, color) => ({
    type: "scatter",
    mode: "markers",
    name,
    x: times.map((time) => time + offset),
    y: times.map((time) => z.get(time) ?? null),
    yaxis: axisName(2),
    marker: { symbol, size: 7, color, line: { width: 1, color: palette.surface } },
  });
  const long = trips.filter((trip) => trip.side.startsWith("long")).map((trip) => trip.entry_time);
  const short = trips.filter((trip) => trip.side.startsWith("short")).map((trip) => trip.entry_time);
  return [
    at("Entry long", long, "triangle-up", palette.up),
    at("Entry short", short, "triangle-down", palette.down),
    at("Exit", trips.map((trip) => trip.exit_time), "x-thin-open", palette.muted),
  ];
}

// The pairs of prices, old ones fainter, with the fitted line through them.
export function scatterFigure({ answer, palette, revision, decimals }) {
  const { x, y } = answer.series;
  const { slope, intercept } = answer.hedge_ratios.ols;
  const low = Math.min(...x);
  const high = Math.max(...x);
  const ends = [low, high];
  const last = x.length - 1;
  return {
    data: [
      {
        type: "scatter",
        mode: "markers",
        name: "Bars",
        x,
        y,
        marker: {
          size: 4,
          color: x.map((_, i) => i),
          colorscale: [[0, withAlpha(palette.accent, 0.15)], [1, withAlpha(palette.accent, 0.9)]],
          showscale: false,
        },
      },
      { type: "scatter", mode: "lines", name: "Regression", x: ends, y: ends.map((at) => intercept + slope * at), line: { color: palette.warn, width: 2 } },
      { type: "scatter", mode: "markers", name: "Now", x: [x[last]], y: [y[last]], marker: { size: 11, symbol: "circle-open", color: palette.text, line: { width: 2 } } },
    ],
    layout: {
      template: chartTemplate(palette),
      uirevision: revision,
      margin: { l: 76, r: 12, t: 8, b: 40 },
      showlegend: false,
      hovermode: false,
      dragmode: false,
      xaxis: { title: { text: answer.x.symbol, font: { size: 11, color: palette.muted }, standoff: 6 }, fixedrange: true, tickformat: `,.${Math.min(decimals.x, 4)}f`, nticks: 5 },
      yaxis: { title: { text: answer.y.symbol, font: { size: 11, color: palette.muted }, standoff: 8 }, fixedrange: true, tickformat: `,.${Math.min(decimals.y, 4)}f`, nticks: 6 },
    },
  };
}
