// Bars as CSV, with all fields that the API has of them; exact decimals as they came. Pure.

const FIELDS = [
  "time", "open", "high", "low", "close", "volume", "quote_volume", "vwap", "trades", "taker_buy_volume",
  "taker_buy_quote_volume", "first_id", "last_id", "closed", "complete", "source",
];
const PRICES = new Set(["open", "high", "low", "close"]);

export function barsCsv(bars, decimals) {
  const cell = (bar, field) => {
    const value = bar[field];
    if (value === null || value === undefined) return "";
    return PRICES.has(field) ? value.toFixed(decimals.price) : String(value);
  };
  return [FIELDS.join(","), ...bars.map((bar) => FIELDS.map((field) => cell(bar, field)).join(","))].join("\n") + "\n";
}

export function csvName({ symbol, interval }, bars) {
  const stamp = (time) => new Date(time).toISOString().slice(0, 16).replace(":", "");
  return `${symbol}-${interval}-${stamp(bars[0].time)}-${stamp(bars.at(-1).time)}.csv`;
}
