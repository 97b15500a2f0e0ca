// Candles, VWAP and volume, with a crosshair for mouse, finger and keyboard. What is zoomed to belongs to the page: a
// change is handed to `zoomed`, and comes back by an update.

import { nearestIndex } from "./bars.js";
import { mountBarReadout } from "./bar-readout.js";
import { candleFigure, chartMargin, PRICE_PANE } from "./candle-figure.js";
import { chartGestures } from "./chart-gestures.js";
import { numberText, timeText, zoneText } from "./format.js";
import { plotlyReady } from "./plotly-loader.js";
import { axisTime, clampZoom, fullRange, panBy, zoomBy } from "./zoom.js";

const FEWEST_BARS = 8;
const CONFIG = { displayModeBar: false, doubleClick: false, responsive: false, scrollZoom: true, showTips: false };

export function mountPriceChart(root, { zoomed, drawn = () => {} }) {
  const part = (name) => root.querySelector(`[data-part=${name}]`);
  const frame = part("frame");
  const plot = part("plot");
  const crosshair = part("crosshair");
  const [timeLabel, priceLabel] = crosshair.children;
  const readout = mountBarReadout(root.querySelector(".bar-readout"));

  let plotly = null;
  let model = null;
  let shown = null;
  let cursor = null;
  let held = false;
  let serial = 0;
  let listening = false;

  const full = () => fullRange(model.bars, model.step);
  const range = () => clampZoom(model.zoom, full()) ?? full();
  const ready = () => plotly && model && model.bars.length > 0 && frame.clientWidth > 0;

  // Where things are, in pixels of the frame.
  const geometry = () => {
    const margin = chartMargin(model.bars, model.decimals);
    const width = frame.clientWidth - margin.l - margin.r;
    const height = frame.clientHeight - margin.t - margin.b;
    const { from, to } = range();
    return {
      margin,
      width,
      height,
      timeAt: (x) => from + ((x - margin.l) / width) * (to - from),
      xOf: (time) => margin.l + ((time - from) / (to - from)) * width,
    };
  };

  const draw = async () => {
    // A figure that is replaced under the hand of someone who drags it would jump: it is drawn when he lets go.
    if (!ready() || held || shown === model) return;
    shown = model;
    const figure = candleFigure({ ...model, full: full(), range: range(), serial: ++serial, width: frame.clientWidth });
    await plotly.react(plot, figure.data, figure.layout, CONFIG);
    if (!listening) listen();
    root.dataset.bars = String(model.bars.length);
    point(cursor);
    drawn();
  };

  const listen = () => {
    listening = true;
    plot.on("plotly_relayout", (change) => {
      if (!("xaxis.range[0]" in change)) return;
      const [from, to] = ["xaxis.range[0]", "xaxis.range[1]"].map((key) => axisTime(change[key]) - model.offset);
      zoomed(clampZoom({ from, to }, full()));
    });
    plot.on("plotly_doubleclick", () => zoomed(null));
  };

  // Puts the crosshair on a bar; null takes it away and reads out the newest bar.
  const point = (next, y = null) => {
    cursor = next !== null && ready() ? Math.min(next, model.bars.length - 1) : null;
    if (!ready()) return;
    const bar = cursor === null ? model.bars.at(-1) : model.bars[cursor];
    readout.update({ bar, decimals: model.decimals, offset: model.offset, step: model.step, pointed: cursor !== null });
    const { margin, width, height, xOf } = geometry();
    const x = xOf(bar.time);
    const visible = cursor !== null && x >= margin.l - 1 && x <= margin.l + width + 1;
    crosshair.hidden = !visible;
    if (!visible) return;
    crosshair.style.setProperty("--x", `${x}px`);
    crosshair.style.setProperty("--right", `${margin.r}px`);
    timeLabel.textContent = timeText(bar.time, model.offset, "both", model.step < 60000);
    const price = y === null ? null : priceAt(y, margin, height);
    crosshair.classList.toggle("has-price", price !== null);
    if (price === null) return;
    crosshair.style.setProperty("--y", `${y}px`);
    priceLabel.textContent = numberText(price, model.decimals.price);
  };

  const priceAt = (y, margin, height) => {
    const share = 1 - (y - margin.t) / height;
    const within = (share - PRICE_PANE[0]) / (PRICE_PANE[1] - PRICE_PANE[0]);
    const [low, high] = plot.layout.yaxis.range;
    return within >= 0 && within <= 1 ? low + within * (high - low) : null;
  };

  const zoomAround = (factor, anchor = null) => {
    if (!ready()) return;
    const now = range();
    const middle = anchor ?? (cursor === null ? now.to : model.bars[cursor].time);
    zoomed(zoomBy(now, factor, middle, full(), FEWEST_BARS * model.step));
  };
  const pan = (share) => ready() && zoomed(panBy(range(), share, full()));

  const step = (by) => {
    const at = cursor ?? model.bars.length - (by < 0 ? 0 : 1);
    const next = Math.max(0, Math.min(model.bars.length - 1, at + by));
    const { time } = model.bars[next];
    const { from, to } = range();
    point(next);
    if (time < from) pan(-0.5);
    if (time > to) pan(0.5);
  };

  const keys = {
    ArrowLeft: (event) => step(event.shiftKey ? -10 : -1),
    ArrowRight: (event) => step(event.shiftKey ? 10 : 1),
    Home: () => point(nearestIndex(model.bars, range().from)),
    End: () => point(nearestIndex(model.bars, range().to)),
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
    pointed: (x, y) => ready() && point(nearestIndex(model.bars, geometry().timeAt(x)), y),
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
    part(name).addEventListener("click", act);
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

    // `next`: bars, step, decimals, overlays, period, zoom, offset, palette, revision, title. Draws only what differs from before.
    update(next) {
      const same = model && Object.keys(next).every((key) => Object.is(next[key], model[key]));
      if (same) return;
      if (model && model.revision !== next.revision) cursor = null;
      model = next;
      part("latest").disabled = !clampZoom(model.zoom, full());
      part("zone").textContent = zoneText(model.offset);
      frame.setAttribute("aria-label", describe(model));
      draw();
    },
  };
}

function describe({ bars, title, offset, decimals }) {
  if (!bars.length) return `Chart of ${title}`;
  const [from, to] = [bars[0], bars.at(-1)].map((bar) => timeText(bar.time, offset, "both", false));
  return `Chart of ${title}: ${bars.length} bars from ${from} to ${to} ${zoneText(offset)}, last close ${numberText(bars.at(-1).close, decimals.price)}`;
}
