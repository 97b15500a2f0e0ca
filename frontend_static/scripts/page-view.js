// The state of a page as a value, read from the URL's query and written back to it. A page lists its fields; what every
// page has (theme, colours, clock, refresh) is added here. A value that is not allowed counts as left out. Pure.

import { CLOCKS, COLOURS, PREFERENCES, REFRESH_SECONDS, THEMES, parsePreferences } from "./view-state.js";

// A field: what holds when nothing is said, and how a text is read; null for nonsense.
export function choiceField(choices, fallback) {
  return { fallback, read: (text) => choices.find((each) => String(each) === text) ?? null };
}

export function textField(pattern, fallback = null) {
  return { fallback, read: (text) => (pattern.test(text) ? text : null) };
}

export function wholeField(least, most, fallback) {
  return { fallback, read: (text) => (/^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : null) };
}

export function numberField(least, most, fallback) {
  return {
    fallback,
    read: (text) => (/^-?\d{1,12}(\.\d{1,12})?$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : null),
  };
}

// A symbol with its exchange where that is not the first: "BTCUSDT", "coinbase:BTC-USD".
export const MARKET = /^(?:[a-z][a-z0-9]{1,19}:)?[A-Z0-9][A-Z0-9-]{1,29}$/;

const SHARED = {
  refresh: {
    fallback: 5,
    read: (text) => REFRESH_SECONDS.find((each) => (each === 0 ? "off" : String(each)) === text) ?? null,
    write: (value) => (value === 0 ? "off" : String(value)),
  },
  theme: choiceField(THEMES, "system"),
  colours: choiceField(COLOURS, "classic"),
  clock: choiceField(CLOCKS, "utc"),
};

export function withShared(fields) {
  return { ...fields, ...SHARED };
}

export function readFields(fields, search, preferences = {}) {
  const query = new URLSearchParams(search);
  const known = parsePreferences(preferences);
  const view = {};
  for (const [name, field] of Object.entries(fields)) {
    const text = query.get(name);
    const read = text === null ? null : field.read(text);
    view[name] = read ?? (PREFERENCES.includes(name) ? known[name] : undefined) ?? field.fallback;
  }
  return view;
}

export function writeFields(fields, view) {
  const query = new URLSearchParams();
  for (const [name, field] of Object.entries(fields)) {
    const value = view[name];
    if (value === null || value === undefined || value === field.fallback) continue;
    query.set(name, field.write ? field.write(value) : value);
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}

export function sameZoom(view) {
  return view.from !== null && view.to !== null && view.from < view.to ? { from: view.from, to: view.to } : null;
}

// "binance:BTCUSDT" and "BTCUSDT" are the same market.
export function marketKey(exchange, symbol) {
  return exchange === "binance" ? symbol : `${exchange}:${symbol}`;
}

export function marketOf(key) {
  const [exchange, symbol] = key.includes(":") ? key.split(":") : ["binance", key];
  return { exchange, symbol };
}
