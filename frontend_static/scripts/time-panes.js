// The layout of panes stacked over one axis of time. Pure.

import { chartTemplate } from "./chart-theme.js";

const GAP = 0.042;

// `panes`: `{ title, weight, format, range, ticks, zero }` from the top down. Returns a Plotly layout; pane i has the axis y, y2, …
export function paneLayout(panes, { range, full, serial, width }, { offset, palette, margin, revision }) {
  const total = panes.reduce((sum, pane) => sum + pane.weight, 0);
  const room = 1 - GAP * (panes.length - 1);
  const layout = {
    template: chartTemplate(palette),
    uirevision: revision,
    margin: { ...margin, autoexpand: false },
    showlegend: false,
    hovermode: false,
    dragmode: "pan",
    xaxis: timeAxis({ range, full, serial, width }, offset, panes.length),
    shapes: [],
    annotations: [],
  };
  let top = 1;
  panes.forEach((pane, i) => {
    const height = (pane.weight / total) * room;
    const domain = [Math.max(0, top - height), top];
    const name = i === 0 ? "yaxis" : `yaxis${i + 1}`;
    layout[name] = {
      domain,
      side: "right",
      fixedrange: true,
      tickformat: pane.format,
      nticks: Math.max(4, Math.round(pane.weight * 3)),
      ...(pane.ticks ? { tickvals: pane.ticks } : {}),
      zeroline: Boolean(pane.zero),
      zerolinecolor: palette.border,
      zerolinewidth: 1,
      ...(pane.range ? { range: pane.range } : { autorange: true }),
    };
    layout.annotations.push({
      xref: "paper",
      yref: "paper",
      x: 0,
      y: top,
      xanchor: "left",
      yanchor: "bottom",
      align: "left",
      showarrow: false,
      text: pane.title,
      font: { color: palette.muted, size: 11 },
    });
    top -= height + GAP;
  });
  return layout;
}

export function axisName(i) {
  return i === 0 ? "y" : `y${i + 1}`;
}

function timeAxis({ range, full, serial, width }, offset, count) {
  return {
    type: "date",
    anchor: axisName(count - 1),
    ticklen: 0,
    range: [range.from + offset, range.to + offset],
    // The page owns the zoom: new with each figure, so that Plotly never puts its own before what it is given.
    uirevision: serial,
    minallowed: full.from + offset,
    maxallowed: full.to + offset,
    rangeslider: { visible: false },
    nticks: Math.max(4, Math.min(12, Math.floor(width / 90))),
    tickformatstops: [
      { dtickrange: [null, 60000], value: "%H:%M:%S" },
      { dtickrange: [60000, 86400000], value: "%H:%M\n%-d %b" },
      { dtickrange: [86400000, "M1"], value: "%-d %b\n%Y" },
      { dtickrange: ["M1", null], value: "%b\n%Y" },
    ],
  };
}

export function lineTrace(name, x, y, axis, color, width = 1.3, extra = {}) {
  return { type: "scatter", mode: "lines", name, x, y, yaxis: axis, line: { color, width, ...extra.line }, connectgaps: false, ...extra.trace };
}

export function level(axis, value, color, dash = "dot") {
  return { type: "line", xref: "paper", yref: axis, x0: 0, x1: 1, y0: value, y1: value, line: { color, width: 1, dash } };
}

export function band(axis, low, high, color) {
  return { type: "rect", layer: "below", xref: "paper", yref: axis, x0: 0, x1: 1, y0: low, y1: high, fillcolor: color, line: { width: 0 } };
}
