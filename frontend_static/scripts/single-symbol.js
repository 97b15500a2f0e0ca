// The page Single Symbol: holds what is known, and hands every part of the page its share of it.

import { ApiError, createApi } from "./api.js";
import { mountApiNotice } from "./api-notice.js";
import { createBarFeed } from "./bar-feed.js";
import { barsCsv, csvName } from "./bars-csv.js";
import { completeness } from "./bars.js";
import { mountChartControls } from "./chart-controls.js";
import { readPalette } from "./chart-theme.js";
import { mountDisplayMenu } from "./display-menu.js";
import { mountEmptyState } from "./empty-state.js";
import { mountFeedNotice } from "./feed-notice.js";
import { feedStatus } from "./feed-status.js";
import { arrow, clockOffset, numberText } from "./format.js";
import { intervalMs } from "./intervals.js";
import { mountMarketBanner } from "./market-banner.js";
import { createPoller } from "./poller.js";
import { loadPreferences, savePreferences } from "./preferences.js";
import { mountPriceChart } from "./price-chart.js";
import { mountQuoteBoard } from "./quote-board.js";
import { mountStatisticsPanel } from "./statistics-panel.js";
import { mountStatusLine } from "./status-line.js";
import { emptyState, findSymbol } from "./symbol-state.js";
import { DEFAULTS, formatView, parseView } from "./view-state.js";

const SYMBOLS_EVERY = 30_000;
const STATS_EVERY = 30_000;
const NARROW_BARS = 120;
const NO_DECIMALS = { price: 2, quantity: 2 };

const api = createApi(document.querySelector("meta[name=api-base]").content);
const narrow = window.matchMedia("(max-width: 600px)").matches;

function readView() {
  const view = parseView(location.search, loadPreferences());
  if (narrow && !new URLSearchParams(location.search).has("bars")) view.bars = NARROW_BARS;
  return view;
}

const state = {
  view: readView(),
  symbols: null,
  symbolsAt: 0,
  health: null,
  // The server's clock less ours: ages are told by the server's.
  skew: 0,
  market: null,
  feed: null,
  bars: [],
  decimals: null,
  stats: null,
  statsAt: null,
  statsProblem: null,
  updated: null,
  loading: true,
  problem: null,
  failure: null,
  away: null,
  palette: readPalette(),
  libraryFailed: false,
};

const query = (selector) => document.querySelector(selector);
const controls = mountChartControls(query(".chart-controls"), { changed: (part) => change(part, true), download });
const display = mountDisplayMenu(query(".display-menu"), { changed: (part) => change(part, false) });
const banner = mountMarketBanner(query(".market-banner"));
const board = mountQuoteBoard(query(".quote-board"));
const chart = mountPriceChart(query(".price-chart"), {
  zoomed: (zoom) => change({ zoom }, false),
  drawn: () => performance.getEntriesByName("first-candle").length || performance.mark("first-candle"),
});
const empty = mountEmptyState(query(".empty-state"));
const statistics = mountStatisticsPanel(query(".statistics-panel"), { chosen: (stats) => change({ stats }, false) });
const feedNotice = mountFeedNotice(query(".feed-notice"));
const status = mountStatusLine(query(".status-line"));
const notice = mountApiNotice(query(".api-notice"), { retry: () => poller.wake() });

const poller = createPoller({
  task: refresh,
  changed: ({ failures, since, nextAt }) => {
    state.away = failures > 0 ? { since, nextAt, message: state.failure } : null;
    render();
  },
});

async function refresh(signal) {
  try {
    await loadSymbols(signal);
    if (!findSymbol(state.symbols, state.view)) return;
    const health = loadHealth(signal);
    await Promise.all([loadBars(signal), health]);
    await loadStatistics(signal);
  } catch (error) {
    if (signal.aborted) throw error;
    state.loading = false;
    state.problem = error.message;
    state.failure = error.message;
    if (!(error instanceof ApiError)) reportError(error);
    if (error.away !== false) throw error;
  }
}

async function loadSymbols(signal) {
  const known = findSymbol(state.symbols, state.view);
  if (known && Date.now() - state.symbolsAt < SYMBOLS_EVERY) return;
  const answer = await api.symbols(signal);
  state.symbols = answer.symbols;
  state.symbolsAt = Date.now();
  state.market = answer.market;
  if (state.view.symbol === null && answer.symbols.length > 0) {
    const [{ exchange, symbol }] = answer.symbols;
    state.view = { ...state.view, exchange, symbol };
  }
  if (!findSymbol(state.symbols, state.view)) state.loading = false;
  render();
}

async function loadHealth(signal) {
  try {
    const health = await api.health(signal);
    state.health = health;
    state.market = health.market ?? state.market;
    const time = new Date(health.time).getTime();
    if (Number.isFinite(time)) state.skew = time - Date.now();
  } catch (error) {
    // Bars are worth more than the word on them: the page goes on without it.
    if (signal.aborted) throw error;
    state.health = null;
  }
}

async function loadBars(signal) {
  const { exchange, symbol, interval, bars: limit } = state.view;
  state.feed ??= createBarFeed(api, { exchange, symbol, interval, limit });
  const { bars, decimals } = await state.feed.update(signal);
  signal.throwIfAborted();
  state.bars = bars;
  if (decimals.price !== state.decimals?.price || decimals.quantity !== state.decimals?.quantity) state.decimals = decimals;
  state.updated = Date.now();
  state.loading = false;
  state.problem = null;
  render();
}

// A minute's figures hardly change in seconds: they are asked for after the bars, and more seldom.
async function loadStatistics(signal) {
  if (state.statsAt !== null && Date.now() - state.statsAt < STATS_EVERY) return;
  const { exchange, symbol, stats: window } = state.view;
  try {
    state.stats = await api.stats(symbol, { exchange, window }, signal);
    state.statsProblem = null;
  } catch (error) {
    if (signal.aborted || error.away !== false) throw error;
    state.stats = null;
    state.statsProblem = error.message;
  }
  state.statsAt = Date.now();
  render();
}

function download() {
  const blob = new Blob([barsCsv(state.bars, state.decimals)], { type: "text/csv" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = csvName(state.view, state.bars);
  link.click();
  URL.revokeObjectURL(link.href);
}

// `part` is a piece of the view. What changes the question asked of the API starts a new one.
function change(part, remember) {
  const before = state.view;
  const view = { ...before, ...part };
  const moved = ["exchange", "symbol", "interval"].some((key) => view[key] !== before[key]);
  if (moved) view.zoom = null;
  state.view = view;
  savePreferences(view);
  history[remember && (moved || view.bars !== before.bars) ? "pushState" : "replaceState"](null, "", location.pathname + formatView(view));
  apply(before);
}

function apply(before) {
  const { view } = state;
  const differs = (...keys) => keys.some((key) => view[key] !== before[key]);
  if (differs("theme", "colours")) {
    display.update(view);
    state.palette = readPalette();
  }
  if (differs("exchange", "symbol", "stats")) {
    [state.stats, state.statsAt, state.statsProblem] = [null, null, null];
    // A run that is under way asks for the window before.
    if (!differs("exchange", "symbol")) poller.restart();
  }
  if (differs("refresh")) poller.setInterval(view.refresh === 0 ? null : view.refresh * 1000);
  if (differs("exchange", "symbol", "interval", "bars")) {
    state.feed = null;
    state.loading = true;
    state.problem = null;
    if (differs("exchange", "symbol", "interval")) {
      state.bars = [];
      state.updated = null;
    }
    render();
    poller.restart();
  } else {
    render();
  }
}

function describeSymbol() {
  const { view } = state;
  const known = findSymbol(state.symbols, view);
  return { known, title: known ? `${known.base}/${known.quote}` : (view.symbol ?? "–") };
}

function render() {
  const { view, bars, health } = state;
  const { known, title } = describeSymbol();
  const now = Date.now() + state.skew;
  const offset = clockOffset(view.clock, now);
  const decimals = state.decimals ?? (known ? { price: known.price_decimals, quantity: known.quantity_decimals } : NO_DECIMALS);
  const price = bars.at(-1)?.close ?? known?.last_price ?? null;

  banner.update(state.market);
  display.update(view);
  controls.update(view, state.symbols ?? [], bars.length > 0);
  board.update({
    title,
    exchange: known?.exchange ?? view.exchange,
    key: `${view.exchange}:${view.symbol}`,
    price,
    quote: known?.quote,
    decimals,
    ...dayChange(known, price),
    bars: bars.length,
    wanted: view.bars,
    counts: completeness(bars),
    day: known?.complete ?? null,
  });
  const nothing = emptyState({ ...state, away: state.away !== null });
  query(".price-chart").classList.toggle("is-empty", nothing !== null);
  empty.update(nothing);
  if (bars.length > 0) {
    chart.update({
      bars,
      step: intervalMs(view.interval),
      decimals,
      overlays: view.overlays,
      period: view.period,
      zoom: view.zoom,
      offset,
      palette: state.palette,
      revision: `${view.exchange}:${view.symbol} ${view.interval}`,
      title: `${title} ${view.interval}`,
    });
  }
  statistics.update({ found: state.stats, problem: state.statsProblem, window: view.stats, decimals, quote: known?.quote, now });
  const feed = health?.symbols?.find((each) => each.symbol === view.symbol && each.exchange === view.exchange);
  const said = feedStatus({
    now,
    lastTime: feed?.last_time ?? known?.last_time ?? null,
    health: health?.status ?? "ok",
    market: state.market,
    away: state.away !== null,
    started: state.symbols !== null,
  });
  feedNotice.update(said, bars.length > 0);
  status.update({
    status: said,
    lag: feed?.lag_ms ?? null,
    updated: state.updated === null ? null : state.updated + state.skew,
    refresh: view.refresh,
    offset,
    version: health?.version ?? null,
  });
  notice.update(byServer(state.away), { now, offset, stale: bars.length > 0 });
  document.title = price === null ? `${title} · Crypto Quant` : `${numberText(price, decimals.price)} ${arrow(known?.change_24h)} ${title} · Crypto Quant`;
}

// The poller's times by the server's clock, like all others on the page.
function byServer(away) {
  if (away === null) return null;
  const { since, nextAt, message } = away;
  return { since: since + state.skew, nextAt: nextAt === null ? null : nextAt + state.skew, message };
}

// The change of the day as of the price now shown: the list of symbols is older than the newest bar.
function dayChange(known, price) {
  if (!known || known.change_24h === null || known.last_price === null) return { change: null, changePercent: null };
  const open = known.last_price - known.change_24h;
  const change = (price ?? known.last_price) - open;
  return { change, changePercent: open > 0 ? (change / open) * 100 : null };
}

window.addEventListener("popstate", () => {
  const before = state.view;
  state.view = { ...readView() };
  if (state.view.symbol === null) Object.assign(state.view, { exchange: before.exchange, symbol: before.symbol });
  apply(before);
});
document.addEventListener("visibilitychange", () => poller.visibilityChanged());
window.addEventListener("online", () => poller.wake());
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  state.palette = readPalette();
  render();
});
chart.ready.catch(() => {
  state.libraryFailed = true;
  render();
});
// Ages and the countdown go on between two answers.
setInterval(() => document.hidden || render(), 1000);

apply({ ...DEFAULTS, refresh: null, symbol: undefined });
