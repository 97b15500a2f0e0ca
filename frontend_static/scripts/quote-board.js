// The symbol's name and its figures: last price, change over 24 hours, bars and how complete they are.

import { arrow, numberText, percentText, shareText, signedText } from "./format.js";

const FLASH = 700;

export function mountQuoteBoard(root) {
  const part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
  let last = null;
  let timer = null;

  const write = (name, text) => {
    if (part[name].textContent !== text) part[name].textContent = text;
  };

  // Only a price that has moved, of the same symbol, is seen to move.
  const flash = (key, price) => {
    const moved = last && last.key === key && price !== null && last.price !== null ? Math.sign(price - last.price) : 0;
    last = { key, price };
    if (moved === 0) return;
    clearTimeout(timer);
    part.price.dataset.moved = moved > 0 ? "up" : "down";
    timer = setTimeout(() => delete part.price.dataset.moved, FLASH);
  };

  return {
    update({ title, exchange, key, price, quote, decimals, change, changePercent, bars, wanted, counts, day }) {
      write("symbol", title);
      write("exchange", exchange ?? "");
      flash(key, price);
      write("price", numberText(price, decimals.price));
      write("quote", quote ?? "");
      const direction = change === null ? "" : change > 0 ? "up" : change < 0 ? "down" : "";
      part.change.dataset.direction = direction;
      write("change", change === null ? "–" : `${arrow(change)} ${signedText(change, decimals.price)}  (${percentText(changePercent)})`);
      write("bars", numberText(bars, 0));
      write("wanted", bars < wanted ? `of ${numberText(wanted, 0)}` : "");
      write("complete", shareText(counts.share));
      part.complete.dataset.state = counts.incomplete > 0 ? "incomplete" : counts.share === 1 ? "complete" : "unknown";
      write("incomplete", notes(counts));
      write("day", shareText(day));
    },
  };
}

function notes({ incomplete, exchange }) {
  const parts = [];
  if (incomplete > 0) parts.push(`${numberText(incomplete, 0)} with trades missing`);
  if (exchange > 0) parts.push(`${numberText(exchange, 0)} from the exchange`);
  return parts.join(", ");
}
