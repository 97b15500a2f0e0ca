// A chart that is only looked at: drawn when what it shows has changed, and when its place has another size.

import { plotlyReady } from "./plotly-loader.js";

const CONFIG = { displayModeBar: false, doubleClick: false, responsive: false, scrollZoom: false, showTips: false, staticPlot: true };

// `figure(model)` is pure and returns data and layout.
export function mountPlot(node, { figure }) {
  let plotly = null;
  let model = null;
  let shown = null;

  const draw = async () => {
    if (!plotly || !model || shown === model || node.clientWidth === 0) return;
    shown = model;
    const made = figure(model);
    await plotly.react(node, made.data, made.layout, CONFIG);
  };
  new ResizeObserver(() => {
    if (!plotly || !shown || node.clientWidth === 0) return;
    plotly.Plots.resize(node);
  }).observe(node);
  // Whoever shows the page's main chart tells of a library that could not be loaded.
  plotlyReady().then(
    (library) => {
      plotly = library;
      return draw();
    },
    () => {},
  );

  return {
    update(next) {
      if (model && Object.keys(next).every((key) => Object.is(next[key], model[key]))) return;
      model = next;
      draw();
    },
  };
}
