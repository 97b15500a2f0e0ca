// The figures of one bar in a row: the one under the crosshair, else the newest.

import { isUp } from "./bars.js";
import { arrow, compactText, numberText, percentText, timeText } from "./format.js";

function kind(bar) {
  if (!bar.closed) return ["forming", "Still forming"];
  if (bar.source === "exchange") return ["exchange", "The exchange’s own bar"];
  if (bar.complete === true) return ["complete", "Every trade present"];
  if (bar.complete === false) return ["incomplete", "Trades missing"];
  return ["unknown", "Completeness not known"];
}

export function mountBarReadout(root) {
  const part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));

  return {
    update({ bar, decimals, offset, step, pointed }) {
      const change = bar.close - bar.open;
      const [state, words] = kind(bar);
      const values = {
        time: timeText(bar.time, offset, step < 86_400_000 ? "both" : "date", step < 60_000),
        open: numberText(bar.open, decimals.price),
        high: numberText(bar.high, decimals.price),
        low: numberText(bar.low, decimals.price),
        close: numberText(bar.close, decimals.price),
        change: `${arrow(change)} ${percentText(bar.open ? (change / bar.open) * 100 : null)}`.trim(),
        volume: compactText(bar.volume),
        vwap: numberText(bar.vwap, decimals.price),
        trades: bar.trades === null ? "–" : numberText(bar.trades, 0),
        kind: words,
      };
      for (const [name, text] of Object.entries(values)) if (part[name].textContent !== text) part[name].textContent = text;
      part.kind.dataset.state = state;
      root.dataset.direction = isUp(bar) ? "up" : "down";
      root.setAttribute("aria-live", pointed ? "polite" : "off");
    },
  };
}
