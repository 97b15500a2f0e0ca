// What is known of a series of bars: merging, searching and judging them. Bars are as the API prints them, in the order
// of time, and never changed in place.

const DRAWN_FIELDS = ["open", "high", "low", "close", "volume", "vwap", "trades", "last_id", "closed", "complete", "source"];

function sameBar(a, b) {
  return DRAWN_FIELDS.every((field) => a[field] === b[field]);
}

// Bars of `fresh` replace those of the same time; the newest `limit` are kept. Returns `known` itself when nothing
// changed, so that a caller can tell by identity whether to draw.
export function mergeBars(known, fresh, limit) {
  const byTime = new Map(known.map((bar) => [bar.time, bar]));
  let changed = false;
  for (const bar of fresh) {
    const old = byTime.get(bar.time);
    if (old && sameBar(old, bar)) continue;
    byTime.set(bar.time, bar);
    changed = true;
  }
  if (!changed && known.length <= limit) return known;
  return [...byTime.values()].sort((a, b) => a.time - b.time).slice(-limit);
}

// From here on bars may have changed since they were read: the last closed one can still be healed.
export function lastClosedTime(bars) {
  for (let i = bars.length - 1; i >= 0; i--) if (bars[i].closed) return bars[i].time;
  return null;
}

// How many closed bars hold every trade. Bars of the exchange's own making have no trade ids to count by, so they
// stand apart; `share` is null where no bar can be judged.
export function completeness(bars) {
  const count = { complete: 0, incomplete: 0, exchange: 0, share: null };
  for (const bar of bars) {
    if (!bar.closed) continue;
    if (bar.complete === true) count.complete++;
    else if (bar.complete === false) count.incomplete++;
    else count.exchange++;
  }
  const judged = count.complete + count.incomplete;
  if (judged > 0) count.share = count.complete / judged;
  return count;
}

export function hasIncomplete(bars) {
  return bars.some((bar) => bar.closed && bar.complete === false);
}

// Neighbouring incomplete bars as one stretch each.
export function incompleteRuns(bars, step) {
  const runs = [];
  for (const bar of bars) {
    if (bar.complete !== false) continue;
    const last = runs.at(-1);
    if (last && bar.time - last.to <= step) last.to = bar.time;
    else runs.push({ from: bar.time, to: bar.time });
  }
  return runs;
}

// Index of the first bar at or after `time`; the length when there is none.
export function indexFrom(bars, time) {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bars[middle].time < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Index of the bar whose time is nearest; -1 when there are no bars.
export function nearestIndex(bars, time) {
  const after = indexFrom(bars, time);
  if (after === 0) return bars.length ? 0 : -1;
  if (after === bars.length) return after - 1;
  return time - bars[after - 1].time <= bars[after].time - time ? after - 1 : after;
}

// Lowest low, highest high and largest volume of the bars within [from, to]; null when there is none.
export function extremes(bars, from, to) {
  let result = null;
  for (let i = indexFrom(bars, from); i < bars.length && bars[i].time <= to; i++) {
    const { low, high, volume } = bars[i];
    if (result === null) result = { low, high, volume };
    result.low = Math.min(result.low, low);
    result.high = Math.max(result.high, high);
    result.volume = Math.max(result.volume, volume);
  }
  return result;
}

export function isUp(bar) {
  return bar.close >= bar.open;
}
