// The matrix of correlations as a table whose cells are coloured by their value. Arrow keys move from cell to cell; each
// cell leads to its pair.

import { element } from "./dom.js";
import { NOTHING, signedText } from "./format.js";
import { marketKey } from "./page-view.js";

// Blue for together, orange for against, nothing at zero: the share of the colour in percent.
export function shade(value) {
  if (value === null) return { side: "none", share: 0 };
  return { side: value < 0 ? "against" : "with", share: Math.round(Math.min(1, Math.abs(value)) * 100) };
}

export function mountCorrelationMap(root) {
  let shown = null;
  root.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const move = moves[event.key];
    const link = event.target.closest("a[data-row]");
    if (!move || !link) return;
    const [row, column] = [Number(link.dataset.row) + move[0], Number(link.dataset.column) + move[1]];
    const next = root.querySelector(`a[data-row="${row}"][data-column="${column}"]`);
    if (!next) return;
    event.preventDefault();
    link.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });

  return {
    // `found`: the answer of /pairs/correlation.
    update(found) {
      if (found === shown) return;
      shown = found;
      const names = (found?.symbols ?? []).map((each) => ({ key: marketKey(each.exchange, each.symbol), symbol: each.symbol }));
      const short = shortNames(names.map((each) => each.symbol));
      const head = element("tr", {}, element("td"), ...short.map((name, i) => element("th", { scope: "col", title: names[i].symbol }, element("span", {}, name))));
      const rows = (found?.matrix ?? []).map((values, row) =>
        element("tr", {}, element("th", { scope: "row" }, short[row]), ...values.map((value, column) => cell(value, row, column, names))),
      );
      root.replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
    },
  };
}

function cell(value, row, column, names) {
  if (row === column) return element("td", { class: "same" }, element("span", { class: "visually-hidden" }, "same symbol"));
  const { side, share } = shade(value);
  const text = value === null ? NOTHING : signedText(value, 2);
  const [y, x] = [names[row], names[column]];
  const link = element(
    "a",
    {
      href: `/pairs/?y=${encodeURIComponent(y.key)}&x=${encodeURIComponent(x.key)}`,
      tabindex: row === 0 && column === 1 ? 0 : -1,
      "aria-label": `${y.symbol} and ${x.symbol}: ${text}`,
      dataset: { row, column },
    },
    text,
  );
  const node = element("td", { dataset: { side } }, link);
  node.style.setProperty("--share", `${share}%`);
  return node;
}

// "BTC" for "BTCUSDT" where all are quoted in the same.
export function shortNames(symbols) {
  const quote = ["USDT", "-USD", "USDC", "USD"].find((each) => symbols.every((symbol) => symbol.endsWith(each)));
  return quote ? symbols.map((symbol) => symbol.slice(0, -quote.length)) : symbols;
}
