// A chart of one or more panes over one axis of time, with a cursor for mouse, finger and keyboard. As in the price chart
// the zoom belongs to the page: a change is handed to `zoomed` and comes back by an update.

import { chartGestures } from "./chart-gestures.js";
import { element, parts, write } from "./dom.js";
import { timeText, zoneText } from "./format.js";
import { plotlyReady } from "./plotly-loader.js";
import { axisTime, clampZoom, fullRange, panBy, zoomBy } from "./zoom.js";

const FEWEST_POINTS = 12;
const CONFIG = { displayModeBar: false, doubleClick: false, responsive: false, scrollZoom: true, showTips: false };

// `figure(model, view)` is pure: `view` holds range, full, serial and width; it returns data and layout. `read(model, i)`
// returns the readout at a point as `[name, text, colour]`.
export function mountPaneChart(root, { figure, read, zoomed }) {
  const part = parts(root);
  const { frame, plot, cursor: line } = part;
  let plotly = null;
  let model = null;
  let shown = null;
  let cursor = null;
  let held = false;
  let serial = 0;
  let listening = false;

  const full = () => fullRange(model.points, model.step);
  const range = () => clampZoom(model.zoom, full()) ?? full();
  const ready = () => plotly && model && model.points.length > 1 && frame.clientWidth > 0;

  const geometry = () => {
    const { margin } = model;
    const width = frame.clientWidth - margin.l - margin.r;
    const { from, to } = range();
    return {
      width,
      margin,
      timeAt: (x) => from + ((x - margin.l) / width) * (to - from),
      xOf: (time) => margin.l + ((time - from) / (to - from)) * width,
    };
  };
  const nearest = (time) => {
    let low = 0;
    let high = model.points.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (model.points[middle].time < time - model.step / 2) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const draw = async () => {
    if (!ready() || held || shown === model) return;
    shown = model;
    const made = figure(model, { range: range(), full: full(), serial: ++serial, width: frame.clientWidth });
    await plotly.react(plot, made.data, made.layout, CONFIG);
    if (!listening) listen();
    root.dataset.points = String(model.points.length);
    point(cursor);
  };

  const listen = () => {
    listening = true;
    plot.on("plotly_relayout", (change) => {
      const name = Object.keys(change).find((each) => /^xaxis\d*\.range\[0\]$/.test(each));
      if (!name) return;
      const [from, to] = [change[name], change[name.replace("[0]", "[1]")]].map((each) => axisTime(each) - model.offset);
      zoomed(clampZoom({ from, to }, full()));
    });
    plot.on("plotly_doubleclick", () => zoomed(null));
  };

  const point = (next) => {
    cursor = next !== null && ready() ? Math.min(next, model.points.length - 1) : null;
    if (!ready()) return;
    const index = cursor ?? model.points.length - 1;
    const { time } = model.points[index];
    const rows = [["", timeText(time, model.offset, "both", model.step < 60000)], ...read(model, index)];
    if (part.readout.children.length !== rows.length) {
      part.readout.replaceChildren(...rows.map(() => element("div", {}, element("dt"), element("dd"))));
    }
    rows.forEach(([name, text, colour], i) => {
      const [dt, dd] = part.readout.children[i].children;
      write(dt, name || "Time");
      write(dd, text);
      dt.classList.toggle("visually-hidden", !name);
      dt.style.color = colour ?? "";
    });
    part.readout.setAttribute("aria-live", cursor === null ? "off" : "polite");
    const { xOf, width, margin } = geometry();
    const x = xOf(time);
    line.hidden = cursor === null || x < margin.l - 1 || x > margin.l + width + 1;
    line.style.setProperty("--x", `${x}px`);
  };

  const zoomAround = (factor, anchor = null) => {
    if (!ready()) return;
    const now = range();
    const middle = anchor ?? (cursor === null ? now.to : model.points[cursor].time);
    zoomed(zoomBy(now, factor, middle, full(), FEWEST_POINTS * model.step));
  };
  const pan = (share) => ready() && zoomed(panBy(range(), share, full()));
  const step = (by) => {
    const at = cursor ?? model.points.length - (by < 0 ? 0 : 1);
    const next = Math.max(0, Math.min(model.points.length - 1, at + by));
    const { from, to } = range();
    const { time } = model.points[next];
    point(next);
    if (time < from) pan(-0.5);
    if (time > to) pan(0.5);
  };

  const keys = {
    ArrowLeft: (event) => step(event.shiftKey ? -10 : -1),
    ArrowRight: (event) => step(event.shiftKey ? 10 : 1),
    Home: () => point(nearest(range().from)),
    End: () => point(nearest(range().to)),
    PageUp: () => pan(-0.5),
    PageDown: () => pan(0.5),
    "+": () => zoomAround(0.5),
    "=": () => zoomAround(0.5),
    "-": () => zoomAround(2),
    0: () => zoomed(null),
    Escape: () => point(null),
  };
  frame.addEventListener("keydown", (event) => {
    if (!ready() || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key](event);
  });

  chartGestures(frame, {
    pointed: (x) => ready() && point(nearest(geometry().timeAt(x))),
    left: () => point(null),
    panned: (pixels) => ready() && pan(-pixels / geometry().width),
    pinched: (factor, x) => ready() && zoomAround(factor, geometry().timeAt(x)),
    held: (now) => {
      held = now;
      draw();
    },
  });
  for (const [name, act] of Object.entries({
    earlier: () => pan(-0.5),
    later: () => pan(0.5),
    in: () => zoomAround(0.5),
    out: () => zoomAround(2),
    latest: () => zoomed(null),
  })) {
    part[name].addEventListener("click", act);
  }

  new ResizeObserver(() => {
    if (shown === null || !ready()) return;
    plotly.Plots.resize(plot);
    shown = null;
    draw();
  }).observe(frame);

  return {
    ready: plotlyReady().then((library) => {
      plotly = library;
      return draw();
    }),

    // `next`: points (each with its time), step, zoom, offset, palette, margin, revision, label, and what the figure needs.
    // null: nothing to draw.
    update(next) {
      root.classList.toggle("is-empty", next === null);
      if (next === null) return;
      if (model && Object.keys(next).every((key) => Object.is(next[key], model[key]))) return;
      if (model && model.revision !== next.revision) cursor = null;
      model = next;
      part.latest.disabled = !clampZoom(model.zoom, full());
      write(part.zone, zoneText(model.offset));
      frame.setAttribute("aria-label", model.label);
      draw();
    },
  };
}
