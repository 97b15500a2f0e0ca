// Bars as a Plotly figure: candles, volume, VWAP and marks under bars that are not complete. Pure.

import { extremes, incompleteRuns, isUp } from "./bars.js";
import { chartTemplate, withAlpha } from "./chart-theme.js";
import { numberText } from "./format.js";
import { bollinger, movingAverage } from "./overlays.js";

export const PRICE_PANE = [0.2, 1];
export const VOLUME_PANE = [0, 0.17];

// More stretches than these are told by their marks alone.
const MOST_BANDS = 60;

export function chartMargin(bars, decimals) {
  const longest = Math.max(8, numberText(bars.at(-1)?.high ?? 0, decimals.price).length);
  return { l: 8, r: Math.round(longest * 6.8) + 14, t: 8, b: 36 };
}

// `range` is the visible stretch, `full` the whole; both in exchange time. `offset` moves all times to the clock of the
// reader, for Plotly's date axes know UTC only. `revision` stands for what is shown, `serial` for this
// figure; `width` is that of the chart in pixels.
export function candleFigure({ bars, step, decimals, overlays = ["vwap"], period = 20, range, full, offset, palette, revision, serial, width }) {
  const x = bars.map((bar) => bar.time + offset);
  const seen = extremes(bars, range.from, range.to) ?? extremes(bars, full.from, full.to);
  const room = (width * step) / (range.to - range.from);
  const height = seen.high - seen.low || Math.max(seen.high * 1e-4, 10 ** -decimals.price);
  return {
    data: [
      ...(overlays.includes("bollinger") ? bollingerBands(bars, x, period, palette) : []),
      candles(bars, x, step, palette),
      ...(overlays.includes("vwap") ? [vwap(bars, x, room, palette)] : []),
      ...(overlays.includes("ma") ? [average(bars, x, period, palette)] : []),
      marks(bars, offset, height, palette),
      volume(bars, x, step, palette),
    ],
    layout: {
      template: chartTemplate(palette),
      uirevision: revision,
      margin: { ...chartMargin(bars, decimals), autoexpand: false },
      showlegend: false,
      hovermode: false,
      dragmode: "pan",
      bargap: 0.25,
      xaxis: timeAxis(range, full, offset, serial, width),
      yaxis: {
        domain: PRICE_PANE,
        side: "right",
        fixedrange: true,
        range: [seen.low - height * 0.06, seen.high + height * 0.05],
        tickformat: `,.${decimals.price}f`,
        nticks: 9,
      },
      yaxis2: {
        domain: VOLUME_PANE,
        side: "right",
        fixedrange: true,
        range: [0, seen.volume * 1.05 || 1],
        tickformat: ".3~s",
        nticks: 4,
      },
      shapes: [...bands(bars, step, offset, palette), lastPriceLine(bars, palette)],
      annotations: [lastPriceLabel(bars, decimals, palette)],
    },
  };
}

function timeAxis(range, full, offset, serial, width) {
  return {
    type: "date",
    anchor: "y2",
    ticklen: 0,
    range: [range.from + offset, range.to + offset],
    // The page owns the zoom: new with each figure, so that Plotly never puts its own before what it is given.
    uirevision: serial,
    minallowed: full.from + offset,
    maxallowed: full.to + offset,
    rangeslider: { visible: false },
    nticks: Math.max(4, Math.min(12, Math.floor(width / 90))),
    tickformatstops: [
      { dtickrange: [null, 1000], value: "%H:%M:%S.%L" },
      { dtickrange: [1000, 60000], value: "%H:%M:%S" },
      { dtickrange: [60000, 86400000], value: "%H:%M\n%-d %b" },
      { dtickrange: [86400000, "M1"], value: "%-d %b\n%Y" },
      { dtickrange: ["M1", null], value: "%b\n%Y" },
    ],
  };
}

// Rising candles are hollow and falling ones filled: colour is never the only difference.
function candles(known, times, step, palette) {
  // Plotly takes the width of a candle from the distance to the next: one alone is given a neighbour of nothing.
  const alone = known.length === 1;
  const bars = alone ? [...known, {}] : known;
  const x = alone ? [...times, times[0] + step] : times;
  return {
    type: "candlestick",
    name: "Price",
    x,
    open: bars.map((bar) => bar.open),
    high: bars.map((bar) => bar.high),
    low: bars.map((bar) => bar.low),
    close: bars.map((bar) => bar.close),
    increasing: { line: { color: palette.up, width: 1 }, fillcolor: palette.surface },
    decreasing: { line: { color: palette.down, width: 1 }, fillcolor: palette.down },
    whiskerwidth: 0,
  };
}

// Where bars stand close the line would hide them: it is drawn the fainter.
function vwap(bars, x, room, palette) {
  return {
    type: "scatter",
    mode: "lines",
    name: "VWAP",
    x,
    y: bars.map((bar) => bar.vwap),
    line: { color: withAlpha(palette.accent, Math.min(0.9, Math.max(0.3, room / 8))), width: 1 },
  };
}

function average(bars, x, period, palette) {
  return {
    type: "scatter",
    mode: "lines",
    name: `MA ${period}`,
    x,
    y: movingAverage(bars.map((bar) => bar.close), period),
    line: { color: palette.text, width: 1, dash: "dash" },
  };
}

function bollingerBands(bars, x, period, palette) {
  const { upper, lower } = bollinger(bars.map((bar) => bar.close), period);
  const line = { color: withAlpha(palette.muted, 0.8), width: 1 };
  return [
    { type: "scatter", mode: "lines", name: "Bollinger low", x, y: lower, line, hoverinfo: "skip" },
    { type: "scatter", mode: "lines", name: "Bollinger high", x, y: upper, line, fill: "tonexty", fillcolor: withAlpha(palette.muted, 0.1) },
  ];
}

function marks(bars, offset, height, palette) {
  const marked = bars.filter((bar) => bar.complete === false);
  return {
    type: "scatter",
    mode: "markers",
    name: "Incomplete",
    x: marked.map((bar) => bar.time + offset),
    y: marked.map((bar) => bar.low - height * 0.035),
    marker: { symbol: "triangle-up", size: 7, color: palette.warn },
    cliponaxis: true,
  };
}

function volume(bars, x, step, palette) {
  const up = withAlpha(palette.up, 0.35);
  const down = withAlpha(palette.down, 0.65);
  return {
    type: "bar",
    name: "Volume",
    yaxis: "y2",
    x,
    y: bars.map((bar) => bar.volume),
    width: step * 0.7,
    marker: { color: bars.map((bar) => (isUp(bar) ? up : down)), line: { width: 0 } },
  };
}

function bands(bars, step, offset, palette) {
  const runs = incompleteRuns(bars, step);
  if (runs.length > MOST_BANDS) return [];
  return runs.map((run) => ({
    type: "rect",
    layer: "below",
    xref: "x",
    yref: "paper",
    x0: run.from - step / 2 + offset,
    x1: run.to + step / 2 + offset,
    y0: 0,
    y1: 1,
    fillcolor: withAlpha(palette.warn, 0.12),
    line: { width: 0 },
  }));
}

function lastPriceLine(bars, palette) {
  const last = bars.at(-1);
  return {
    type: "line",
    xref: "paper",
    yref: "y",
    x0: 0,
    x1: 1,
    y0: last.close,
    y1: last.close,
    line: { color: isUp(last) ? palette.up : palette.down, width: 1, dash: "dot" },
  };
}

function lastPriceLabel(bars, decimals, palette) {
  const last = bars.at(-1);
  return {
    xref: "paper",
    yref: "y",
    x: 1,
    y: last.close,
    xanchor: "left",
    yanchor: "middle",
    showarrow: false,
    text: numberText(last.close, decimals.price),
    font: { color: palette["on-signal"], size: 11 },
    bgcolor: isUp(last) ? palette.up : palette.down,
    borderpad: 3,
  };
}
