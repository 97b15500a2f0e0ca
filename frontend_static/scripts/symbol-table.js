// The table of symbols with a small chart in each row. `sorted(column)` hears a heading, `seen(keys)` which rows are in sight.

import { element, keyed, write } from "./dom.js";
import { ageText, arrow, compactText, NOTHING, numberText, percentText, shareText } from "./format.js";
import { sparkline } from "./symbol-rows.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [112, 28];

export function mountSymbolTable(root, { sorted, seen }) {
  const body = root.querySelector("tbody");
  const heads = [...root.querySelectorAll("th[data-column]")];
  const inSight = new Set();
  for (const head of heads) head.querySelector("button").addEventListener("click", () => sorted(head.dataset.column));

  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) inSight.add(target.dataset.key);
      else inSight.delete(target.dataset.key);
    }
    seen([...inSight]);
  });

  const make = (row) => {
    const spark = document.createElementNS(SVG, "svg");
    spark.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    spark.setAttribute("aria-hidden", "true");
    spark.append(document.createElementNS(SVG, "polyline"));
    const node = element(
      "tr",
      {},
      element("th", { scope: "row" }, element("a", { href: `/?symbol=${encodeURIComponent(row.symbol)}${row.exchange === "binance" ? "" : `&exchange=${row.exchange}`}` }), element("span", { class: "exchange" })),
      ...["last", "change", "spark", "volume", "volatility", "drawdown", "complete", "age"].map((name) => element("td", { class: name === "spark" ? "spark" : "number", dataset: { cell: name } })),
    );
    node.querySelector("[data-cell=spark]").append(spark);
    watcher.observe(node);
    return node;
  };

  const update = (node, row) => {
    const cell = (name) => node.querySelector(`[data-cell=${name}]`);
    write(node.querySelector("a"), row.name);
    write(node.querySelector(".exchange"), row.exchange === "binance" ? "" : row.exchange);
    write(cell("last"), numberText(row.last, row.decimals));
    cell("change").dataset.direction = row.change > 0 ? "up" : row.change < 0 ? "down" : "";
    write(cell("change"), `${arrow(row.change)} ${percentText(row.change)}`.trim());
    write(cell("volume"), compactText(row.volume));
    write(cell("volatility"), row.volatility === null ? NOTHING : `${numberText(row.volatility * 100, 1)} %`);
    write(cell("drawdown"), row.drawdown === null ? NOTHING : `${numberText(row.drawdown * 100, 2)} %`);
    write(cell("complete"), shareText(row.complete));
    write(cell("age"), row.age === null ? "no trade yet" : ageText(row.age));
    cell("age").classList.toggle("late", row.age !== null && row.age > 180_000);
    const line = node.querySelector("polyline");
    const points = sparkline(row.spark ?? [], WIDTH, HEIGHT);
    if (line.getAttribute("points") !== points) line.setAttribute("points", points);
    const spark = row.spark ?? [];
    line.dataset.direction = spark.length > 1 && spark.at(-1) < spark[0] ? "down" : "up";
  };

  return {
    update(rows, { sort, descending }) {
      for (const head of heads) {
        const is = head.dataset.column === sort;
        head.setAttribute("aria-sort", is ? (descending ? "descending" : "ascending") : "none");
      }
      keyed(body, rows, { key: (row) => row.key, make, update });
    },
  };
}
