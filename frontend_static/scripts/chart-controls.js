// Symbol, interval, lookback and refresh. `changed(part)` hears the new choice as a piece of the view.

import { intervalMs, spanText } from "./intervals.js";

const key = ({ exchange, symbol }) => `${exchange}:${symbol}`;

export function mountChartControls(root, { changed, download }) {
  const symbol = root.querySelector("[name=symbol]");
  const bars = root.querySelector("[name=bars]");
  const refresh = root.querySelector("[name=refresh]");

  const boxes = [...root.querySelectorAll("[name=overlays]")];
  const menu = root.querySelector(".overlays");
  const csv = root.querySelector("[data-part=csv]");

  csv.addEventListener("click", download);
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener("click", ({ target }) => {
    if (!menu.contains(target)) menu.open = false;
  });
  root.addEventListener("submit", (event) => event.preventDefault());
  root.addEventListener("change", ({ target }) => {
    if (target === symbol) {
      const [exchange, name] = symbol.value.split(":");
      changed({ exchange, symbol: name });
    } else if (target.name === "interval") changed({ interval: target.value });
    else if (target.name === "overlays") changed({ overlays: boxes.filter((box) => box.checked).map((box) => box.value) });
    else changed({ [target.name]: Number(target.value) });
  });

  const options = (symbols, view) => {
    const known = symbols.map((each) => ({ value: key(each), text: `${each.base}/${each.quote}`, exchange: each.exchange }));
    const several = new Set(known.map((each) => each.exchange)).size > 1;
    const list = known.map(({ value, text, exchange }) => ({ value, text: several ? `${text} · ${exchange}` : text }));
    if (view.symbol && !list.some(({ value }) => value === key(view))) list.unshift({ value: key(view), text: view.symbol });
    return list;
  };

  const fill = (select, list) => {
    const old = [...select.options];
    if (old.length === list.length && list.every(({ value, text }, i) => old[i].value === value && old[i].text === text)) return;
    select.replaceChildren(...list.map(({ value, text }) => new Option(text, value)));
  };

  return {
    update(view, symbols, hasBars) {
      csv.disabled = !hasBars;
      fill(symbol, options(symbols, view));
      symbol.disabled = symbol.options.length === 0;
      if (view.symbol) symbol.value = key(view);
      root.querySelector(`[name=interval][value="${view.interval}"]`).checked = true;
      for (const option of bars.options) {
        const text = `${option.value} bars · ${spanText(Number(option.value) * intervalMs(view.interval))}`;
        if (option.text !== text) option.text = text;
      }
      for (const box of boxes) box.checked = view.overlays.includes(box.value);
      root.elements.period.value = String(view.period);
      bars.value = String(view.bars);
      refresh.value = String(view.refresh);
    },
  };
}
