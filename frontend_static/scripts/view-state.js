// What is being looked at, as a value: read from the URL's query, written back to it. What is not in the URL comes from
// the preferences of this browser, then from the defaults. A value that is not one of the choices counts as left out.

import { INTERVALS } from "./intervals.js";
import { PERIODS, readOverlays, writeOverlays } from "./overlays.js";
import { WINDOWS } from "./statistics-words.js";

export const BAR_COUNTS = [120, 250, 500, 1000, 2000];
export const REFRESH_SECONDS = [0, 5, 10, 30];
export const THEMES = ["system", "light", "dark"];
export const COLOURS = ["classic", "colour-blind"];
export const CLOCKS = ["utc", "local"];

export const DEFAULTS = Object.freeze({
  exchange: null,
  symbol: null,
  interval: "1m",
  bars: 250,
  overlays: Object.freeze(["vwap"]),
  period: 20,
  stats: "24h",
  refresh: 5,
  theme: "system",
  colours: "classic",
  clock: "utc",
  zoom: null,
});

// These follow the person rather than the chart.
export const PREFERENCES = ["theme", "colours", "clock", "refresh"];

const FIRST_EXCHANGE = "binance";

function choice(text, choices) {
  const found = choices.find((candidate) => String(candidate) === text);
  return found === undefined ? null : found;
}

function name(text, pattern) {
  return text && pattern.test(text) ? text : null;
}

function zoomFrom(query) {
  const [from, to] = ["from", "to"].map((key) => (/^\d{1,15}$/.test(query.get(key) ?? "") ? Number(query.get(key)) : null));
  return from !== null && to !== null && from < to ? { from, to } : null;
}

export function parseView(search, preferences = {}) {
  const query = new URLSearchParams(search);
  const read = {
    exchange: name(query.get("exchange"), /^[a-z][a-z0-9]{1,19}$/),
    symbol: name(query.get("symbol")?.toUpperCase(), /^[A-Z0-9][A-Z0-9-]{1,29}$/),
    interval: choice(query.get("interval"), INTERVALS),
    bars: choice(query.get("bars"), BAR_COUNTS),
    overlays: query.has("overlays") ? readOverlays(query.get("overlays")) : null,
    period: choice(query.get("period"), PERIODS),
    stats: choice(query.get("stats"), WINDOWS),
    refresh: choice(query.get("refresh") === "off" ? "0" : query.get("refresh"), REFRESH_SECONDS),
    theme: choice(query.get("theme"), THEMES),
    colours: choice(query.get("colours"), COLOURS),
    clock: choice(query.get("clock"), CLOCKS),
    zoom: zoomFrom(query),
  };
  const view = { ...DEFAULTS, ...parsePreferences(preferences) };
  for (const [key, value] of Object.entries(read)) if (value !== null) view[key] = value;
  if (view.symbol && !view.exchange) view.exchange = FIRST_EXCHANGE;
  return view;
}

// Whatever was stored, only known values come out.
export function parsePreferences(stored) {
  const choices = { theme: THEMES, colours: COLOURS, clock: CLOCKS, refresh: REFRESH_SECONDS };
  const preferences = {};
  for (const key of PREFERENCES) {
    const value = choice(String(stored?.[key]), choices[key]);
    if (value !== null) preferences[key] = value;
  }
  return preferences;
}

export function formatView(view) {
  const query = new URLSearchParams();
  for (const key of ["symbol", "exchange", "interval", "bars", "period", "stats", "refresh", "theme", "colours", "clock"]) {
    const value = view[key];
    const plain = key === "exchange" ? value === FIRST_EXCHANGE : value === DEFAULTS[key];
    if (value !== null && !plain) query.set(key, key === "refresh" && value === 0 ? "off" : value);
  }
  const overlays = writeOverlays(view.overlays);
  if (overlays !== writeOverlays(DEFAULTS.overlays)) query.set("overlays", overlays);
  if (view.zoom) {
    query.set("from", Math.round(view.zoom.from));
    query.set("to", Math.round(view.zoom.to));
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}
