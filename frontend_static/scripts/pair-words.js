// What an analysis means, in words and short figures. Pure.

import { NOTHING, numberText, signedText } from "./format.js";
import { spanText } from "./intervals.js";

export function pText(value) {
  if (value === null || value === undefined) return NOTHING;
  return value < 0.0001 ? "< 0.0001" : value.toFixed(4);
}

export function figureText(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const size = Math.abs(value);
  const text = size !== 0 && (size < 0.001 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(5)));
  return text.replace("-", "\u2212");
}

// "about 21 bars (21 min)"; nothing where the spread does not return.
export function halfLifeText(half, stepMs) {
  if (!half || half.bars === null || half.bars === undefined || !half.is_mean_reverting) return NOTHING;
  return `${numberText(half.bars, 1)} bars (${spanText(half.bars * stepMs)})`;
}

// What the z-score says now by the rule, as `{ level, text }`.
export function signal(answer) {
  const z = answer.spread?.rolling_zscore;
  const rule = answer.backtest?.rule;
  if (z === null || z === undefined || !rule) return { level: "unknown", text: "No signal: the window holds too few bars." };
  const [y, x] = [answer.y.symbol, answer.x.symbol];
  const size = Math.abs(z);
  if (rule.stop && size >= rule.stop) return { level: "stop", text: `Beyond the stop of ±${rule.stop}: the rule stays out.` };
  if (size >= rule.entry) {
    return z > 0
      ? { level: "short", text: `Spread is wide: the rule sells ${y} and buys ${x}.` }
      : { level: "long", text: `Spread is narrow: the rule buys ${y} and sells ${x}.` };
  }
  if (size <= rule.exit) return { level: "flat", text: "Within the exit band: the rule is flat." };
  return { level: "wait", text: `Between exit and entry: the rule waits for ±${rule.entry}.` };
}

// Rows of the table of tests: `{ name, statistic, p, verdict, passed, note }`; a test that could not be made says why.
export function testRows(answer) {
  const rows = [];
  const add = (name, result, passed) => {
    if (!result) return;
    const failed = result.error ?? result.problem;
    rows.push(
      failed
        ? { name, statistic: NOTHING, p: NOTHING, verdict: failed.message ?? String(failed), passed: null }
        : { name, statistic: figureText(result.statistic), p: pText(result.p_value), verdict: result.verdict ?? "", passed, note: result.note || result.null_hypothesis || "" },
    );
  };
  const { engle_granger: eg, adf, johansen, correlation } = answer;
  const below = (result) => (result?.p_value === undefined ? null : result.p_value < 0.05);
  add(`Engle–Granger, ${answer.y.symbol} on ${answer.x.symbol}`, eg?.y_on_x, below(eg?.y_on_x));
  add(`Engle–Granger, ${answer.x.symbol} on ${answer.y.symbol}`, eg?.x_on_y, below(eg?.x_on_y));
  add("ADF on the spread", adf, below(adf));
  if (johansen) {
    add("Johansen trace, r = 0", { ...johansen, statistic: johansen.trace?.[0], p_value: undefined }, johansen.rank === undefined ? null : johansen.rank === 1);
  }
  for (const [name, key] of [["Pearson correlation", "pearson"], ["Spearman correlation", "spearman"]]) {
    const found = correlation?.[key];
    add(name, found && { ...found, statistic: found.coefficient }, below(found));
  }
  return rows;
}

// Rows of the admission card from the scan's card of this pair; null where the scan does not hold the pair.
export function admissionRows(card, criteria) {
  if (!card) return null;
  const passes = card.passes;
  return [
    { name: "Cointegrated in both orders", passed: passes.both_orders, text: `q = ${pText(card.q_value)}, at most ${criteria?.fdr ?? 0.05}` },
    { name: "Half-life within bounds", passed: passes.half_life, text: `${figureText(card.half_life)} bars` },
    { name: "Hedge ratio stable", passed: passes.stability, text: driftText(card, criteria?.max_drift ?? 0.5) },
    { name: "Data complete", passed: passes.data, text: `${numberText(card.n, 0)} bars` },
  ];
}

export function findCard(pairs, y, x) {
  return pairs?.find((card) => (card.y === y && card.x === x) || (card.y === x && card.x === y)) ?? null;
}

export function backtestRows(backtest) {
  if (!backtest || backtest.error || backtest.trades === undefined) return [];
  const percent = (value, decimals = 2) => (value === null || value === undefined ? NOTHING : `${signedText(value * 100, decimals)} %`);
  const share = (value) => (value === null || value === undefined ? NOTHING : `${numberText(value * 100, 0)} %`);
  return [
    ["Round trips", numberText(backtest.trades, 0)],
    ["Return after costs", percent(backtest.return)],
    ["Costs", backtest.costs === null ? NOTHING : `${numberText(backtest.costs * 100, 2)} %`],
    ["Won", share(backtest.win_share)],
    ["Largest drawdown", backtest.max_drawdown === null ? NOTHING : `${numberText(backtest.max_drawdown * 100, 2)} %`],
    ["Time in the market", share(backtest.exposure)],
    ["Sharpe ratio", figureText(backtest.sharpe === null ? null : Number(backtest.sharpe?.toFixed(2)))],
  ];
}

// The address of the alerts page with a rule on this pair filled in.
export function alertLink({ y, x, interval, window, rule }) {
  const query = new URLSearchParams({
    new: "1",
    name: `${y} / ${x} z-score`,
    metric: "pair_zscore",
    symbol: y,
    x,
    // The intervals and windows that a rule knows are fewer than those of an analysis.
    interval: ["1m", "5m"].includes(interval) ? interval : "5m",
    window: String(window),
    operator: "outside",
    threshold: String(rule?.entry ?? 2),
    clear_threshold: String(rule?.exit ?? 0.5),
  });
  return `/alerts/?${query}`;
}

// The card shows the drift of one order; both must be stable, and keep their sign.
function driftText({ drift, passes }, most) {
  const isElsewhere = !passes.stability && drift !== null && drift <= most;
  return `drift ${figureText(drift)}, ${isElsewhere ? "but not stable in both orders" : `at most ${most}`}`;
}
