// The page Pair Trading: two symbols against each other.

import { mountEmptyState } from "./empty-state.js";
import { element, parts, write } from "./dom.js";
import { numberText, signedText } from "./format.js";
import { intervalMs, spanText } from "./intervals.js";
import { choiceField, marketKey, marketOf, MARKET, numberField, sameZoom, textField, wholeField } from "./page-view.js";
import { startPage } from "./page-shell.js";
import { mountPairResults } from "./pair-results.js";
import { pairEmpty } from "./pair-empty.js";
import { PAIR_MARGIN, pairPanes, scatterFigure } from "./pair-figure.js";
import { figureText, findCard, pText } from "./pair-words.js";
import { mountPaneChart } from "./pane-chart.js";
import { mountPlot } from "./plot.js";
import { mountSymbolField } from "./symbol-field.js";

const INTERVALS = ["1m", "5m", "15m", "1h"];
const LOOKBACKS = [120, 360, 720, 1440, 2880];
const WINDOWS = [20, 60, 120, 240];
const SYMBOLS_EVERY = 60_000;
const SCAN_EVERY = 60_000;
// A bar is there a few seconds after it has ended.
const GRACE = 3000;
const SUGGESTIONS = 6;

const fields = {
  y: textField(MARKET),
  x: textField(MARKET),
  interval: choiceField(INTERVALS, "1m"),
  lookback: choiceField(LOOKBACKS, 1440),
  window: choiceField(WINDOWS, 60),
  method: choiceField(["ols", "tls", "huber", "kalman"], "ols"),
  transform: choiceField(["price", "log"], "price"),
  fill: choiceField(["none", "previous"], "none"),
  entry: numberField(0.1, 10, 2),
  exit: numberField(0, 9, 0.5),
  stop: numberField(0, 20, 4),
  cost: numberField(0, 5, 0.1),
  from: wholeField(0, 9e14, null),
  to: wholeField(0, 9e14, null),
};
const QUESTION = ["y", "x", "interval", "lookback", "window", "method", "transform", "fill", "entry", "exit", "stop", "cost"];

const state = { symbols: null, symbolsAt: 0, scan: null, scanAt: 0, answer: null, asked: null, libraryFailed: false };

const query = (selector) => document.querySelector(selector);
const form = query(".pair-controls");
const chart = mountPaneChart(query("[data-chart=pair]"), {
  figure: pairPanes,
  read: readout,
  zoomed: (zoom) => page.change({ from: zoom && Math.round(zoom.from), to: zoom && Math.round(zoom.to) }, false),
});
const scatter = mountPlot(query(".pair-scatter [data-part=plot]"), { figure: scatterFigure });
const results = mountPairResults(query(".pair-body"));
const empty = mountEmptyState(query(".empty-state"));
const suggestions = query(".pair-suggestions");
const fieldY = mountSymbolField(form.querySelector("[name=y]"), { chosen: (y) => choose({ y }) });
const fieldX = mountSymbolField(form.querySelector("[name=x]"), { chosen: (x) => choose({ x }) });

const page = startPage({
  fields,
  load,
  render,
  changed: (before, { view }) => {
    if (QUESTION.every((key) => view[key] === before[key])) return false;
    state.asked = null;
    if (["y", "x", "interval"].some((key) => view[key] !== before[key])) state.answer = null;
    return true;
  },
});

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", ({ target }) => {
  if (["y", "x", "refresh"].includes(target.name) || !(target.name in fields)) return;
  const value = fields[target.name].read(target.value);
  if (value === null) {
    target.setAttribute("aria-invalid", "true");
    return;
  }
  target.removeAttribute("aria-invalid");
  choose({ [target.name]: value });
});
form.querySelector("[data-part=swap]").addEventListener("click", () => choose({ y: page.view.x, x: page.view.y }));
chart.ready.catch(() => {
  state.libraryFailed = true;
  page.redraw();
});

function choose(part) {
  page.change({ ...part, from: null, to: null });
}

async function load(signal, page) {
  await Promise.all([loadSymbols(signal, page), loadScan(signal, page)]);
  startWithBest(page);
  page.redraw();
  if (page.view.y && page.view.x && page.view.y !== page.view.x) await loadAnswer(signal, page);
}

async function loadSymbols(signal, page) {
  if (state.symbols && Date.now() - state.symbolsAt < SYMBOLS_EVERY) return;
  const answer = await page.api.symbols(signal);
  [state.symbols, state.symbolsAt] = [answer.symbols, Date.now()];
  page.market = answer.market;
}

async function loadScan(signal, page) {
  if (state.scan && Date.now() - state.scanAt < SCAN_EVERY) return;
  state.scan = await page.api.scan({ limit: 1000 }, signal);
  state.scanAt = Date.now();
}

// Nothing chosen yet: the best pair of the scan, else the two symbols with the highest turnover.
function startWithBest(page) {
  if (page.view.y && page.view.x) return;
  const followed = new Set((state.symbols ?? []).map((each) => marketKey(each.exchange, each.symbol)));
  const best = state.scan?.pairs.find((card) => followed.has(marketKey(card.exchange, card.y)) && followed.has(marketKey(card.x_exchange, card.x)));
  const [first, second] = state.symbols ?? [];
  const pair = best
    ? { y: marketKey(best.exchange, best.y), x: marketKey(best.x_exchange, best.x) }
    : second && { y: marketKey(first.exchange, first.symbol), x: marketKey(second.exchange, second.symbol) };
  if (!pair) return;
  page.view = { ...page.view, ...(page.view.y ? { x: page.view.y === pair.y ? pair.x : pair.y } : pair) };
}

// An analysis changes when a bar closes, so it is asked for then, and not before.
async function loadAnswer(signal, page) {
  const { view } = page;
  const step = intervalMs(view.interval);
  const due = state.asked === null || page.now() >= state.asked.end + step + GRACE;
  if (!due) return;
  const [y, x] = [marketOf(view.y), marketOf(view.x)];
  const { interval, lookback, window, method, transform, fill, entry, exit, stop } = view;
  const answer = await page.api.analyse(
    { y: `${y.exchange}:${y.symbol}`, x: `${x.exchange}:${x.symbol}`, interval, lookback, window: Math.min(window, lookback), method, transform, fill, entry, exit, stop, cost: view.cost / 100 },
    signal,
  );
  signal.throwIfAborted();
  state.answer = answer;
  // A halted market closes no bar: then it is asked once per interval all the same.
  state.asked = { end: Math.max(answer.end, page.now() - step) };
}

function decimalsOf(key) {
  return state.symbols?.find((each) => marketKey(each.exchange, each.symbol) === key)?.price_decimals ?? 4;
}

function readout({ answer, palette, decimals }, i) {
  const { series } = answer;
  const value = (name, digits) => (series[name][i] === null ? "–" : signedText(series[name][i], digits));
  return [
    [answer.y.symbol, numberText(series.y[i], decimals.y), palette.text],
    [answer.x.symbol, numberText(series.x[i], decimals.x), palette.accent],
    ["Spread", figureText(series.spread[i])],
    ["z", value("rolling_zscore", 2), palette.text],
    ["Corr.", value("rolling_correlation", 2)],
    ["Hedge", figureText(series.rolling_hedge_ratio[i])],
  ];
}

function render(page) {
  const { view } = page;
  fieldY.update(view.y, state.symbols ?? []);
  fieldX.update(view.x, state.symbols ?? []);
  for (const name of ["interval"]) form.querySelector(`[name=${name}][value="${view[name]}"]`).checked = true;
  for (const name of ["lookback", "window", "method", "transform", "fill"]) form.elements[name].value = String(view[name]);
  for (const name of ["entry", "exit", "stop", "cost"]) {
    if (document.activeElement !== form.elements[name]) form.elements[name].value = String(view[name]);
  }
  for (const option of form.elements.lookback.options) write(option, `${option.value} bars · ${spanText(Number(option.value) * intervalMs(view.interval))}`);
  write(query(".pair-title"), view.y && view.x ? `${marketOf(view.y).symbol} / ${marketOf(view.x).symbol}` : state.symbols === null ? "Pair Trading" : "Choose two symbols");
  document.title = `${view.y && view.x ? `${marketOf(view.y).symbol} / ${marketOf(view.x).symbol}` : "Pair Trading"} · Crypto Quant`;
  renderSuggestions(view);

  const { answer } = state;
  const nothing = pairEmpty({ view, symbols: state.symbols, answer, problem: page.problem, away: page.away !== null, libraryFailed: state.libraryFailed });
  query(".pair-page").classList.toggle("is-empty", nothing !== null);
  empty.update(nothing);
  const old = answer !== null && page.problem !== null;
  write(query(".pair-notice"), old ? `Not brought up to date: ${page.problem.message}` : "");
  query(".pair-notice").hidden = !old;
  const shown = nothing === null ? answer : null;
  const card = shown && findCard(state.scan?.pairs, answer.y.symbol, answer.x.symbol);
  results.update({ answer: shown, card, criteria: state.scan?.criteria, reason: state.scan?.reason, view: page.view });
  if (!shown) {
    chart.update(null);
    return;
  }
  const revision = QUESTION.map((key) => view[key]).join(" ");
  model = sameModel({ answer, palette: page.palette, offset: page.offset(), revision, zoom: zoomOf(view) });
  chart.update(model);
  scatter.update({ answer, palette: page.palette, revision, decimals: model.decimals });
}

let model = null;
let zoom = null;

// The same view keeps the same object, so that nothing is drawn that has not changed.
function zoomOf(view) {
  const next = sameZoom(view);
  if (next?.from !== zoom?.from || next?.to !== zoom?.to) zoom = next;
  return zoom;
}

function sameModel(next) {
  if (model && Object.keys(next).every((key) => Object.is(next[key], model[key]))) return model;
  const { answer } = next;
  const points = model?.answer === answer ? model.points : answer.series.time.map((time) => ({ time }));
  const decimals = { y: decimalsOf(page.view.y), x: decimalsOf(page.view.x) };
  const label = `Chart of ${answer.y.symbol} and ${answer.x.symbol}: prices, spread, z-score, correlation, hedge ratio and backtest over ${points.length} bars of ${answer.interval}`;
  return { ...next, points, decimals, label, step: intervalMs(answer.interval), margin: PAIR_MARGIN };
}

function renderSuggestions(view) {
  const found = (state.scan?.pairs ?? []).slice(0, SUGGESTIONS);
  const key = found.map((card) => `${card.y} ${card.x} ${card.zscore} ${card.admitted}`).join() + view.y + view.x;
  if (suggestions.dataset.key === key) return;
  suggestions.dataset.key = key;
  suggestions.hidden = found.length === 0;
  parts(suggestions).list.replaceChildren(
    ...found.map((card) => {
      const [y, x] = [marketKey(card.exchange, card.y), marketKey(card.x_exchange, card.x)];
      const current = y === view.y && x === view.x;
      const button = element(
        "button",
        { type: "button", "aria-pressed": String(current), title: card.verdict },
        element("strong", {}, `${card.admitted ? "✓ " : ""}${card.y} / ${card.x}`),
        element("span", {}, `q ${pText(card.q_value)} · z ${signedText(card.zscore, 1)}`),
      );
      button.addEventListener("click", () => choose({ y, x }));
      return element("li", {}, button);
    }),
  );
}

