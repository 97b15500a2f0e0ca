// A field in which a symbol is searched: a text with a list of what is followed. `chosen(key)` hears only known symbols.

import { element, write } from "./dom.js";
import { marketKey } from "./page-view.js";

export function mountSymbolField(input, { chosen }) {
  const list = input.list;
  const problem = document.getElementById(input.getAttribute("aria-describedby"));
  let known = [];
  let value = null;

  const find = (text) => {
    const wanted = text.trim().toUpperCase().replace("/", "");
    return known.find((each) => each.key.toUpperCase() === wanted) ?? known.filter((each) => each.key.includes(wanted)).find((_, __, all) => wanted && all.length === 1);
  };
  const take = () => {
    const found = find(input.value);
    input.setAttribute("aria-invalid", String(!found));
    write(problem, found || !input.value ? "" : `${input.value} is not followed`);
    if (found && found.key !== value) chosen(found.key);
    else if (found) input.value = found.key;
  };
  input.addEventListener("change", take);
  input.addEventListener("focus", () => input.select());
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    input.value = value ?? "";
    input.setAttribute("aria-invalid", "false");
    write(problem, "");
  });

  return {
    update(key, symbols) {
      const fresh = symbols.map((each) => ({ key: marketKey(each.exchange, each.symbol), text: `${each.base}/${each.quote}` }));
      if (fresh.length !== known.length || fresh.some((each, i) => each.key !== known[i].key)) {
        known = fresh;
        list.replaceChildren(...known.map((each) => element("option", { value: each.key }, each.text)));
      }
      if (key === value) return;
      value = key;
      input.value = key ?? "";
      input.setAttribute("aria-invalid", "false");
      write(problem, "");
    },
  };
}
