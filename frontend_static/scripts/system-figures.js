// What the System page says of health, rates, completeness and costs. Pure.

import { numberText } from "./format.js";
import { marketKey } from "./page-view.js";

const RATE_OVER = 60_000;

// Trades a second of each symbol out of trade ids seen some time apart: ids have no gaps, so their difference counts.
// `history` is a list of `{ at, ids: Map }`, oldest first; the answer is the list to keep.
export function remember(history, at, symbols) {
  const ids = new Map(symbols.filter((each) => each.last_id !== null).map((each) => [marketKey(each.exchange, each.symbol), each.last_id]));
  const kept = history.filter((each) => at - each.at <= RATE_OVER);
  return kept.at(-1)?.at === at ? kept : [...kept, { at, ids }];
}

export function rates(history) {
  const [first, last] = [history[0], history.at(-1)];
  if (!first || last.at - first.at < 4000) return new Map();
  const seconds = (last.at - first.at) / 1000;
  return new Map([...last.ids].filter(([key]) => first.ids.has(key)).map(([key, id]) => [key, Math.max(0, id - first.ids.get(key)) / seconds]));
}

export function symbolHealth(symbols, perSecond, now) {
  return symbols.map((each) => {
    const key = marketKey(each.exchange, each.symbol);
    return {
      key,
      symbol: each.symbol,
      exchange: each.exchange,
      age: each.last_time === null ? null : Math.max(0, now - each.last_time),
      lag: each.lag_ms,
      rate: perSecond.get(key) ?? null,
      holes: each.holes_open,
      missing: each.missing_ids,
      behind: each.watermark === null ? null : Math.max(0, now - each.watermark),
    };
  });
}

// The last `hours` hours up to `now`, each with what its bar says: "complete", "incomplete", "exchange", "forming", "none".
export function hourStates(bars, now, hours) {
  const hour = 3_600_000;
  const byTime = new Map(bars.map((bar) => [bar.time, bar]));
  const last = Math.floor(now / hour) * hour;
  return Array.from({ length: hours }, (_, i) => {
    const time = last - (hours - 1 - i) * hour;
    return { time, state: hourState(byTime.get(time)) };
  });
}

function hourState(bar) {
  if (!bar) return "none";
  if (bar.complete === false) return "incomplete";
  if (bar.source === "exchange" || bar.complete === null) return "exchange";
  return bar.closed ? "complete" : "forming";
}

export const STATE_WORDS = {
  complete: "every trade present",
  incomplete: "trades missing",
  exchange: "holds bars of the exchange",
  forming: "not over yet",
  none: "no bar",
};

// Lines of the bill summed by group, the dearest first, with what is free.
export function billGroups(costs) {
  const groups = new Map();
  for (const line of costs.lines) {
    const group = groups.get(line.group) ?? { name: line.group, usd: 0, free: 0, lines: [] };
    group.usd += line.usd;
    group.free += line.free;
    group.lines.push(line);
    groups.set(line.group, group);
  }
  return [...groups.values()].sort((a, b) => b.usd - b.free - (a.usd - a.free));
}

export function dollars(value, decimals = 2) {
  return value === null || value === undefined ? "–" : `$${numberText(value, decimals)}`;
}

// The figures of the ingestor in words, in the order of their worth.
export const INGESTOR = [
  ["trades_per_second", "Trades a second", 1],
  ["connected", "Connections open", 0],
  ["reconnects", "Reconnects", 0],
  ["holes_open", "Holes open", 0],
  ["holes_healed", "Holes healed", 0],
  ["ids_healed", "Trades healed", 0],
  ["aggregates", "Aggregates in their place", 0],
  ["duplicates", "Duplicates dropped", 0],
  ["quarantined", "Frames in quarantine", 0],
  ["halts", "Halts", 0],
  ["stale", "Stale streams", 0],
  ["storage_retries", "Writes repeated", 0],
  ["journal_bytes", "Journal, bytes", 0],
];

export const DATA = [
  ["damaged_chunks", "Damaged chunks"],
  ["dirty_marks", "Marks to work off"],
  ["incomplete_minutes", "Incomplete minutes"],
  ["differing_bars", "Bars unlike the exchange’s"],
];
