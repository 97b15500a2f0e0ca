// The ranking of pairs as the scan has it, filtered by the reader.

import { element, keyed, write } from "./dom.js";
import { signedText } from "./format.js";
import { marketKey } from "./page-view.js";
import { figureText, pText } from "./pair-words.js";

const CHECKS = [
  ["both_orders", "cointegrated in both orders"],
  ["half_life", "half-life within bounds"],
  ["stability", "hedge ratio stable"],
  ["data", "data complete"],
];

export function mountScanTable(root) {
  const body = root.querySelector("tbody");

  const make = (card) => {
    const [y, x] = [marketKey(card.exchange, card.y), marketKey(card.x_exchange, card.x)];
    return element(
      "tr",
      {},
      element("td", { class: "number", dataset: { cell: "rank" } }),
      element("th", { scope: "row" }, element("a", { href: `/pairs/?y=${encodeURIComponent(y)}&x=${encodeURIComponent(x)}` }, `${card.y} / ${card.x}`)),
      element("td", { dataset: { cell: "admitted" } }),
      ...["q", "half", "ratio", "drift", "z", "corr"].map((name) => element("td", { class: "number", dataset: { cell: name } })),
      element("td", { class: "verdict", dataset: { cell: "verdict" } }),
    );
  };

  const update = (node, card) => {
    const cell = (name, text) => write(node.querySelector(`[data-cell=${name}]`), text);
    cell("rank", String(card.rank));
    cell("q", pText(card.q_value));
    cell("half", figureText(card.half_life === null ? null : Number(card.half_life.toFixed(1))));
    cell("ratio", figureText(card.hedge_ratio === null ? null : Number(card.hedge_ratio.toPrecision(4))));
    cell("drift", figureText(card.drift === null ? null : Number(card.drift.toFixed(2))));
    cell("z", signedText(card.zscore, 2));
    cell("corr", signedText(card.correlation, 2));
    cell("verdict", card.verdict);
    const passed = CHECKS.filter(([name]) => card.passes[name]).length;
    const checks = node.querySelector("[data-cell=admitted]");
    checks.title = CHECKS.map(([name, words]) => `${card.passes[name] ? "✓" : "✕"} ${words}`).join("\n");
    write(checks, card.admitted ? "✓ admitted" : `${passed} of ${CHECKS.length}`);
    checks.dataset.admitted = String(card.admitted);
  };

  return {
    update(cards) {
      keyed(body, cards, { key: (card) => `${card.exchange}:${card.y} ${card.x_exchange}:${card.x}`, make, update });
    },
  };
}
