// Alert rules in words and as texts of a form. Pure.

import { NOTHING, numberText } from "./format.js";
import { spanText } from "./intervals.js";

// The name that the reader sees, the unit of value and threshold, whether it is of a pair, and what it does not look at.
export const METRICS = {
  price: { name: "Price", unit: "", without: ["window"] },
  change: { name: "Change", unit: "%" },
  volume: { name: "Volume", unit: "" },
  volume_ratio: { name: "Volume against its mean", unit: "times" },
  volatility: { name: "Volatility", unit: "% a year" },
  vwap_deviation: { name: "Distance from VWAP", unit: "%" },
  pair_zscore: { name: "Pair z-score", unit: "", isPair: true },
  spread: { name: "Pair spread", unit: "", isPair: true },
  correlation: { name: "Pair correlation", unit: "", isPair: true },
  cointegration_pvalue: { name: "Cointegration p-value", unit: "", isPair: true, without: ["window", "interval"] },
  staleness: { name: "Staleness", unit: "s", without: ["window", "interval"] },
};

export const OPERATORS = {
  ">": "is above",
  ">=": "is at or above",
  "<": "is below",
  "<=": "is at or below",
  crosses_above: "rises above",
  crosses_below: "falls below",
  outside: "is farther from zero than",
  inside: "is nearer to zero than",
};

export const PHASES = {
  ok: ["○", "OK"],
  pending: ["◔", "Pending"],
  firing: ["▲", "Firing"],
  recovering: ["▽", "Recovering"],
  no_data: ["?", "No data"],
};

export const KINDS = { fired: "Fired", reminder: "Reminder", resolved: "Resolved", no_data: "No data", correction: "Correction", test: "Test" };
export const STATUSES = { pending: "waiting", retrying: "trying again", delivered: "delivered", failed: "failed", suppressed: "not sent" };

export function valueText(value, metric) {
  if (value === null || value === undefined) return NOTHING;
  const unit = METRICS[metric]?.unit;
  const size = Math.abs(value);
  const text = numberText(value, size >= 1000 ? 2 : size >= 1 ? 3 : 5).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  return unit ? `${text} ${unit}` : text;
}

// "BTCUSDT", or "ETHUSDT / BTCUSDT" of a pair.
export function ruleSubject({ symbol, x }) {
  return x ? `${symbol} / ${x}` : symbol;
}

// "Price of BTCUSDT is above 70,000 for 5 min".
export function ruleSentence(rule) {
  const metric = METRICS[rule.metric]?.name ?? rule.metric;
  const held = rule.for_seconds > 0 ? ` for ${spanText(rule.for_seconds * 1000)}` : "";
  return `${metric} of ${ruleSubject(rule)} ${OPERATORS[rule.operator] ?? rule.operator} ${valueText(rule.threshold, rule.metric)}${held}`;
}

export function isSilenced(rule, now) {
  return rule.silenced_until > now;
}

const NUMBERS = ["threshold", "clear_threshold", "window", "for_seconds", "recover_seconds", "cooldown_seconds", "remind_seconds"];
const FIELDS = ["name", "metric", "symbol", "x", "interval", "operator", "severity", "message", ...NUMBERS];
const OPTIONAL = ["x", "interval", "window", "clear_threshold", "message"];

// What the form holds, as the API wants it. A field that is left empty is left out where that has a meaning.
export function bodyOf(texts, { channels, notify, enabled, rule }) {
  const body = rule ? { ...keptOf(rule), version: rule.version } : {};
  for (const name of FIELDS) {
    const text = (texts[name] ?? "").trim();
    if (text === "" && (OPTIONAL.includes(name) || NUMBERS.includes(name))) {
      delete body[name];
      continue;
    }
    body[name] = NUMBERS.includes(name) ? numberOf(text) : text;
  }
  const [exchange, symbol] = marketOf(body.symbol ?? "");
  Object.assign(body, { symbol, exchange, channels, notify, enabled });
  for (const name of METRICS[body.metric]?.without ?? []) delete body[name];
  delete body.x_exchange;
  if (!METRICS[body.metric]?.isPair) delete body.x;
  else if (body.x) {
    const [xExchange, x] = marketOf(body.x);
    Object.assign(body, { x, x_exchange: xExchange });
  }
  return body;
}

function keptOf({ silenced_until }) {
  return { silenced_until };
}

function marketOf(text) {
  const [exchange, symbol] = text.includes(":") ? text.split(":") : ["binance", text];
  return [exchange.toLowerCase(), symbol.toUpperCase()];
}

// What is no number stays what it is, so that the schema finds fault with it.
function numberOf(text) {
  const plain = text.replaceAll(",", "").replace("\u2212", "-");
  return /^-?\d+(\.\d+)?(e-?\d+)?$/i.test(plain) ? Number(plain) : text;
}

// A rule, an example or a link's query as the texts of the form.
export function textsOf(source) {
  const texts = {};
  for (const name of FIELDS) {
    const value = source[name];
    texts[name] = value === null || value === undefined ? "" : String(value);
  }
  for (const [name, exchange] of [["symbol", source.exchange], ["x", source.x_exchange]]) {
    if (texts[name] && exchange && exchange !== "binance") texts[name] = `${exchange}:${texts[name]}`;
  }
  return texts;
}

export const BLANK = { name: "", metric: "price", operator: ">", severity: "warning", for_seconds: "0", recover_seconds: "0", cooldown_seconds: "900", remind_seconds: "0" };

export function deliveryText(delivery) {
  return `${delivery.channel.type}: ${STATUSES[delivery.status] ?? delivery.status}${delivery.attempts > 1 ? ` after ${delivery.attempts} tries` : ""}${delivery.error ? ` (${delivery.error})` : ""}`;
}

const URGENCY = ["firing", "recovering", "pending", "no_data", "ok"];

// What burns first; then by name.
export function byUrgency(rules) {
  const place = ({ enabled, state }) => (enabled ? URGENCY.indexOf(state.phase) : URGENCY.length);
  return [...rules].sort((a, b) => place(a) - place(b) || a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
}

const FORM_WORDS = { clear_threshold: "“Clears at”", for_seconds: "“Must hold”", recover_seconds: "“Must stay clear”", cooldown_seconds: "“Cooldown”", remind_seconds: "“Remind every”" };

// The API names its fields; the reader knows them by their labels.
export function inFormWords(text) {
  return text.replace(/\b[a-z]+_(?:seconds|threshold)\b/g, (name) => FORM_WORDS[name] ?? name);
}

// Remarks of the API as sentences of their own, with a space before each.
export function remarks(texts) {
  return texts.map(inFormWords).map((text) => ` ${text.charAt(0).toUpperCase()}${text.slice(1)}.`).join("");
}

export function backtestSentence(found) {
  const days = spanText(found.end - found.start);
  if (found.fired === 0) return `Over ${days} it would not have fired.`;
  const times = (count, one, many) => `${numberText(count, 0)} ${count === 1 ? one : many}`;
  const without = found.notifications_without_cooldown === found.notifications ? "" : ` (${numberText(found.notifications_without_cooldown, 0)} without the cooldown)`;
  return `Over ${days} it would have fired ${times(found.fired, "time", "times")}, for ${spanText(found.firing_seconds * 1000)} in all, and sent ${times(found.notifications, "notification", "notifications")}${without}.`;
}
