// One look for all charts, taken from the custom properties of styles/tokens.css.

const NAMES = ["canvas", "surface", "line", "grid", "text", "muted", "accent", "up", "down", "warn", "on-signal"];

// The colours as they are now: the probe turns var() and light-dark() into plain rgb().
export function readPalette(root = document.documentElement) {
  const probe = document.createElement("span");
  probe.hidden = true;
  root.append(probe);
  const palette = {};
  for (const name of NAMES) {
    probe.style.color = `var(--${name})`;
    palette[name] = getComputedStyle(probe).color;
  }
  palette.font = getComputedStyle(root).fontFamily;
  probe.remove();
  return Object.freeze(palette);
}

export function withAlpha(colour, alpha) {
  const channels = colour.match(/[\d.]+/g).slice(0, 3);
  return `rgba(${channels.join(", ")}, ${alpha})`;
}

const templates = new WeakMap();

// A Plotly template, made once per palette.
export function chartTemplate(palette) {
  if (!templates.has(palette)) templates.set(palette, makeTemplate(palette));
  return templates.get(palette);
}

function makeTemplate(palette) {
  const axis = {
    gridcolor: palette.grid,
    linecolor: palette.line,
    tickcolor: "rgba(0, 0, 0, 0)",
    showline: false,
    zeroline: false,
    ticks: "outside",
    ticklen: 4,
    tickfont: { color: palette.muted, size: 11 },
  };
  return {
    layout: {
      paper_bgcolor: palette.surface,
      plot_bgcolor: palette.surface,
      font: { family: palette.font, size: 12, color: palette.text },
      colorway: [palette.accent, palette.up, palette.down, palette.warn],
      xaxis: axis,
      yaxis: axis,
    },
  };
}
