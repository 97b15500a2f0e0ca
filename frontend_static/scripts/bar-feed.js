// Keeps one series of bars up to date by asking for no more than what may have changed.

import { hasIncomplete, lastClosedTime, mergeBars } from "./bars.js";
import { intervalMs } from "./intervals.js";

const PAGE = 1000;
// Bars further back change when trades are healed: all is asked for anew now and then, sooner where a bar is incomplete.
const WHOLE_AGAIN = 300_000;
const WHOLE_AGAIN_INCOMPLETE = 60_000;

export function createBarFeed(api, { exchange, symbol, interval, limit }, now = () => Date.now()) {
  let bars = [];
  let decimals = null;
  let wholeAt = null;

  const ask = async (query, signal) => {
    const answer = await api.ohlc(symbol, { exchange, interval, ...query }, signal);
    decimals = { price: answer.price_decimals, quantity: answer.quantity_decimals };
    return answer;
  };

  const whole = async (signal) => {
    const newest = (await ask({ limit: Math.min(limit, PAGE) }, signal)).bars;
    let older = [];
    if (limit > PAGE && newest.length === PAGE) {
      const end = newest[0].time;
      const start = end - (limit - PAGE) * intervalMs(interval);
      older = (await ask({ start: Math.max(0, start), end, limit: PAGE }, signal)).bars;
    }
    wholeAt = now();
    const fresh = mergeBars(older, newest, limit);
    // What the platform no longer holds is not shown any longer; what is the same keeps its identity.
    const unchanged = fresh.length === bars.length && mergeBars(bars, fresh, limit) === bars;
    if (!unchanged) bars = fresh;
  };

  const due = () => wholeAt === null || now() - wholeAt >= (hasIncomplete(bars) ? WHOLE_AGAIN_INCOMPLETE : WHOLE_AGAIN);

  return {
    // Returns all bars: the same array as before when none has changed.
    async update(signal) {
      const start = lastClosedTime(bars);
      if (start === null || due()) {
        await whole(signal);
      } else {
        const answer = await ask({ start, limit: PAGE }, signal);
        if (answer.next_cursor || answer.bars.length >= PAGE) await whole(signal);
        else bars = mergeBars(bars, answer.bars, limit);
      }
      return { bars, decimals };
    },
  };
}
