// Rows of the table of symbols: joined from the list, the statistics and the small charts; sorted and filtered. Pure.

import { marketKey } from "./page-view.js";

export const COLUMNS = ["symbol", "last", "change", "volume", "volatility", "drawdown", "complete", "age"];

export function symbolRows(symbols, stats, now) {
  const summaries = new Map((stats ?? []).map((row) => [marketKey(row.exchange, row.symbol), row.summary]));
  return (symbols ?? []).map((each) => {
    const key = marketKey(each.exchange, each.symbol);
    const summary = summaries.get(key) ?? null;
    return {
      key,
      symbol: each.symbol,
      exchange: each.exchange,
      name: `${each.base}/${each.quote}`,
      decimals: each.price_decimals,
      last: each.last_price,
      change: each.change_24h_percent,
      volume: each.quote_volume_24h ?? null,
      volatility: summary?.volatility?.realised_annualised ?? null,
      drawdown: summary?.price?.max_drawdown ?? null,
      complete: each.complete,
      age: each.last_time === null ? null : Math.max(0, now - each.last_time),
    };
  });
}

// Rows without a value come last whatever the direction.
export function sortRows(rows, column, descending) {
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [a[column], b[column]];
    if (left === null || right === null) return (left === null) - (right === null);
    const order = typeof left === "string" ? left.localeCompare(right) : left - right;
    return sign * order || a.key.localeCompare(b.key);
  });
}

export function filterRows(rows, text) {
  const wanted = text.trim().toUpperCase().replace("/", "");
  return wanted ? rows.filter((row) => row.symbol.includes(wanted) || row.name.replace("/", "").includes(wanted)) : rows;
}

// The points of a polyline in a box of `width` by `height`; "" for fewer than two values.
export function sparkline(values, width, height) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return "";
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const span = high - low || 1;
  const step = width / (known.length - 1);
  return known.map((value, i) => `${(i * step).toFixed(1)},${(height - 1 - ((value - low) / span) * (height - 2)).toFixed(1)}`).join(" ");
}

// Rows of the scan that pass the reader's own filter.
export function filterPairs(pairs, { admitted, maxq, maxhalf, pair }) {
  const wanted = (pair ?? "").trim().toUpperCase();
  return (pairs ?? []).filter(
    (card) =>
      (!admitted || card.admitted) &&
      (maxq >= 1 || (card.q_value !== null && card.q_value <= maxq)) &&
      (maxhalf === null || (card.half_life !== null && card.half_life <= maxhalf)) &&
      (!wanted || card.y.includes(wanted) || card.x.includes(wanted)),
  );
}
