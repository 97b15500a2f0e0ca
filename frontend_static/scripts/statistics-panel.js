// The statistics of the symbol in a panel; each name explains itself when it is pointed at or focused.

import { element, parts, write } from "./dom.js";
import { ageText } from "./format.js";
import { statisticsRows } from "./statistics-words.js";

export function mountStatisticsPanel(root, { chosen }) {
  const part = parts(root);
  const select = root.querySelector("[name=stats]");
  select.addEventListener("change", () => chosen(select.value));
  const cells = new Map();
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.matches(".term")) event.target.blur();
  });

  const build = (rows) => {
    cells.clear();
    const groups = Map.groupBy ? Map.groupBy(rows, ([group]) => group) : rows.reduce((map, row) => map.set(row[0], [...(map.get(row[0]) ?? []), row]), new Map());
    part.groups.replaceChildren(
      ...[...groups].map(([group, members]) =>
        element(
          "section",
          {},
          element("h3", {}, group),
          element(
            "dl",
            { class: "figures" },
            ...members.map(([, name, , words], i) => {
              const id = `tip-${group}-${i}`.toLowerCase();
              const value = element("dd");
              cells.set(`${group} ${name}`, value);
              return element(
                "div",
                {},
                element("dt", {}, element("button", { type: "button", class: "term", "aria-describedby": id }, name), element("span", { class: "tip", role: "tooltip", id }, words)),
                value,
              );
            }),
          ),
        ),
      ),
    );
  };

  return {
    // `found`: the answer of /stats/{symbol}; null while there is none. `problem` says why not.
    update({ found, problem, window, decimals, quote, now }) {
      select.value = window;
      const summary = found?.summary ?? null;
      write(part.note, summary ? `computed ${ageText(Math.max(0, now - found.computed_at))}` : (found?.reason ?? problem ?? "Computing…"));
      part.groups.hidden = summary === null;
      if (summary === null) return;
      const rows = statisticsRows(summary, decimals, quote);
      if (rows.some(([group, name]) => !cells.has(`${group} ${name}`))) build(rows);
      for (const [group, name, text] of rows) write(cells.get(`${group} ${name}`), text);
    },
  };
}
