// The statistics of a symbol as rows: group, name, figure, and what it means in plain words. Pure.

import { compactText, NOTHING, numberText, percentText, signedText } from "./format.js";

export const WINDOWS = ["1h", "4h", "24h", "7d"];

const percent = (share, decimals = 2) => (share === null || share === undefined ? NOTHING : `${numberText(share * 100, decimals)} %`);

export function statisticsRows(summary, decimals, quote) {
  const { price, volume, volatility, completeness } = summary;
  const money = (value) => numberText(value, decimals.price);
  const rows = [
    ["Price", "Change", percentText(price.change_percent), "From the first price of the window to the last."],
    ["Price", "High", money(price.high), "The highest price that was paid."],
    ["Price", "Low", money(price.low), "The lowest price that was paid."],
    ["Price", "VWAP", money(summary.vwap), "Volume-weighted average price: what a unit cost on average, large trades counting more."],
    ["Price", "Mean close", money(price.mean), "The average of the bars’ closes, each counting the same."],
    ["Price", "Median close", money(price.median), "Half of the closes were below it, half above."],
    ["Price", "Deviation", money(price.std), "Standard deviation of the closes: how far they usually are from their mean."],
    ["Price", "Skew", signedText(price.skew, 2), "Above zero: a few high prices stand out. Below zero: a few low ones."],
    ["Price", "Drawdown", percent(price.max_drawdown), "The largest fall from a high to a later low."],
    ["Volume", "Turnover", `${compactText(volume.quote)}${quote ? ` ${quote}` : ""}`, "The value of all trades."],
    ["Volume", "Trades", numberText(volume.trades, 0), "How many trades there were."],
    ["Volume", "Average trade", `${compactText(volume.average_trade_quote)}${quote ? ` ${quote}` : ""}`, "The value of a trade on average."],
    ["Volume", "Bought by takers", percent(volume.taker_buy_share, 1), "The share of volume in which the buyer was the impatient side. Above half: buyers pressed."],
    ["Volatility", "Realised, a year", percent(volatility?.realised_annualised, 1), "How much returns vary, scaled from bars to a year of 365 days of 24 hours."],
    ["Volatility", "Parkinson, a year", percent(volatility?.parkinson_annualised, 1), "The same, estimated from highs and lows."],
    ["Volatility", "Garman–Klass, a year", percent(volatility?.garman_klass_annualised, 1), "The same, from opens, highs, lows and closes."],
    ["Volatility", "Fat tails", signedText(volatility?.excess_kurtosis, 2), "Excess kurtosis of returns: above zero, large moves come more often than in a bell curve."],
  ];
  if (completeness) {
    rows.push(
      ["Data", "Bars", `${numberText(completeness.bars, 0)} of ${numberText(completeness.expected, 0)}`, "How many of the window’s bars there are; a minute without trades has none."],
      ["Data", "Incomplete", numberText(completeness.incomplete, 0), "Bars that are known to lack trades."],
      ["Data", "Not checked", numberText(completeness.unknown, 0), "Bars that came whole from the exchange, so that their trades cannot be counted."],
    );
  }
  return rows;
}
