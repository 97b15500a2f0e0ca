// What the System page says of health, rates, completeness and costs. Pure.

import { numberText } from "./format.js";
import { marketKey } from "./page-view.js";

const RATE_OVER = 60_000;
// A heartbeat comes every 10 s: ids that have stood still for longer than this really do.
const STANDS_AFTER = 30_000;

// Trades a second of each symbol out of its ids: ids have no gaps, so their difference counts. `history` is a Map from
// symbol to the marks `{ at, time, id }` in which the id rose, oldest first: `at` is when it was seen, `time` that of the
// trade. The answer is the history to keep.
export function remember(history, at, symbols) {
  return new Map(
    symbols
      .filter((each) => each.last_id !== null)
      .map((each) => {
        const key = marketKey(each.exchange, each.symbol);
        const marks = history.get(key) ?? [];
        const last = marks.at(-1);
        if (last?.id === each.last_id) return [key, marks];
        const kept = marks.filter((mark) => at - mark.at <= RATE_OVER && mark.id < each.last_id);
        return [key, [...kept, { at, time: each.last_time, id: each.last_id }]];
      }),
  );
}

// One mark alone tells no rate yet, but for a symbol that stands still.
export function rates(history, at) {
  const found = new Map();
  for (const [key, marks] of history) {
    const [first, last] = [marks[0], marks.at(-1)];
    const stands = at - last.at >= STANDS_AFTER;
    const seconds = ((stands ? at - last.at : 0) + last.time - first.time) / 1000;
    if (seconds > 0) found.set(key, (last.id - first.id) / seconds);
  }
  return found;
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
