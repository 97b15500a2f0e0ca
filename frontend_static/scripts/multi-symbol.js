// The page Multi-Symbol: all symbols, the correlation of their returns, the scan of all pairs.

import { createBarFeed } from "./bar-feed.js";
import { mountCorrelationMap } from "./correlation-map.js";
import { parts, write } from "./dom.js";
import { mountEmptyState } from "./empty-state.js";
import { ageText, numberText, sentence } from "./format.js";
import { choiceField, marketOf, numberField, textField } from "./page-view.js";
import { startPage } from "./page-shell.js";
import { mountScanTable } from "./scan-table.js";
import { COLUMNS, filterPairs, filterRows, sortRows, symbolRows } from "./symbol-rows.js";
import { mountSymbolTable } from "./symbol-table.js";

const CACHE_EVERY = 30_000;
const SPARK_EVERY = 120_000;
const SPARK_BARS = 96;
// Requests for small charts at a time.
const AT_ONCE = 2;
const MOST_PAIRS = 200;

const WORD = /^[A-Za-z0-9/-]{0,20}$/;
const fields = {
  sort: choiceField(COLUMNS, "volume"),
  order: choiceField(["asc", "desc"], "desc"),
  find: textField(WORD, ""),
  admitted: choiceField(["yes"], null),
  maxq: numberField(0, 1, 1),
  maxhalf: numberField(1, 100_000, null),
  pair: textField(WORD, ""),
};

const state = { symbols: null, stats: null, correlation: null, scan: null, cacheAt: 0, sight: [], sparks: new Map() };
const query = (selector) => document.querySelector(selector);

const table = mountSymbolTable(query(".symbol-table"), {
  sorted: (column) => {
    const { sort, order } = page.view;
    const first = column === "symbol" ? "asc" : "desc";
    page.change({ sort: column, order: column === sort ? (order === "asc" ? "desc" : "asc") : first }, false);
  },
  seen: (keys) => {
    const fresh = keys.some((key) => !state.sparks.has(key));
    state.sight = keys;
    if (fresh && state.symbols) page.wake();
  },
});
const map = mountCorrelationMap(query(".correlation-map table"));
const scan = mountScanTable(query(".scan-table"));
const empty = mountEmptyState(query(".empty-state"));
const about = parts(query(".multi-page"));

const page = startPage({ fields, load, render });

const filters = query(".multi-page");
filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("input", ({ target }) => {
  if (!["find", "pair", "maxq", "maxhalf", "admitted"].includes(target.name)) return;
  const text = target.type === "checkbox" ? (target.checked ? "yes" : "") : target.value.trim();
  const value = text === "" ? fields[target.name].fallback : fields[target.name].read(text);
  target.setAttribute("aria-invalid", String(value === null && text !== ""));
  if (value !== null || text === "") page.change({ [target.name]: value }, false);
});

async function load(signal, page) {
  const answer = await page.api.symbols(signal);
  state.symbols = answer.symbols;
  page.market = answer.market;
  page.loading = false;
  page.redraw();
  if (Date.now() - state.cacheAt >= CACHE_EVERY) {
    const [stats, correlation, pairs] = await Promise.all([page.api.stats(null, {}, signal), page.api.correlation({}, signal), page.api.scan({ limit: 1000 }, signal)]);
    Object.assign(state, { stats, cacheAt: Date.now() });
    // What was computed before is what is shown already.
    if (correlation.run_id !== state.correlation?.run_id || state.correlation === null) state.correlation = correlation;
    if (pairs.run_id !== state.scan?.run_id || state.scan === null) state.scan = pairs;
    page.redraw();
  }
  await loadSparks(signal, page);
}

async function loadSparks(signal, page) {
  const due = state.sight.filter((key) => !(Date.now() - (state.sparks.get(key)?.at ?? -SPARK_EVERY) < SPARK_EVERY));
  const next = async () => {
    const key = due.shift();
    if (key === undefined) return;
    const known = state.sparks.get(key) ?? { feed: createBarFeed(page.api, { ...marketOf(key), interval: "15m", limit: SPARK_BARS }), values: [] };
    state.sparks.set(key, { ...known, at: Date.now() });
    const { bars } = await known.feed.update(signal);
    state.sparks.set(key, { ...known, at: Date.now(), values: bars.map((bar) => bar.close) });
    page.redraw();
    await next();
  };
  if (due.length === 0) return;
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

function render(page) {
  const { view } = page;
  const now = page.now();
  const rows = symbolRows(state.symbols, state.stats?.symbols, now).map((row) => ({ ...row, spark: state.sparks.get(row.key)?.values }));
  const chosen = sortRows(filterRows(rows, view.find ?? ""), view.sort, view.order === "desc");
  table.update(chosen, { sort: view.sort, descending: view.order === "desc" });
  write(about["symbols-count"], state.symbols === null ? "" : chosen.length === rows.length ? `${rows.length} symbols` : `${chosen.length} of ${rows.length} symbols`);
  renderCorrelation(now);
  renderScan(view, now);
  for (const name of ["find", "maxq", "maxhalf", "pair"]) {
    const input = query(`[name=${name}]`);
    if (document.activeElement !== input) input.value = view[name] === fields[name].fallback ? "" : String(view[name]);
  }
  query("[name=admitted]").checked = view.admitted === "yes";
  const nothing = emptyOf(page);
  query(".multi-page").classList.toggle("is-empty", nothing !== null);
  empty.update(nothing);
}

function emptyOf(page) {
  if (state.symbols?.length) return null;
  if (page.away !== null) return { kind: "away", title: "The API does not answer", text: "The table appears as soon as it is back." };
  if (page.problem) return { kind: "error", title: "The API refused the question", text: page.problem.message };
  if (state.symbols === null) return { kind: "loading", title: "Loading symbols…", text: "" };
  return { kind: "no-data", title: "No data yet", text: "No symbol has stored a trade. Symbols appear here a few seconds after the ingestor starts." };
}

function age(found, now) {
  return found?.computed_at ? `computed ${ageText(Math.max(0, now - found.computed_at))}` : "";
}

function renderCorrelation(now) {
  const found = state.correlation;
  map.update(found);
  const has = Boolean(found?.matrix?.length);
  query(".correlation-map .table-scroll").hidden = query(".correlation-map .scale").hidden = !has;
  write(about["correlation-note"], has ? `${numberText(found.n, 0)} one-minute returns, ${age(found, now)}.${excluded(found)}` : (found ? sentence(found.reason ?? "too few bars that all symbols have; it fills in as bars come") : "Loading…"));
}

function excluded(found) {
  if (!found.excluded?.length) return "";
  return ` Left out: ${found.excluded.map((each) => `${each.symbol} ${each.reason}`).join("; ")}.`;
}

function renderScan(view, now) {
  const found = state.scan;
  const cards = filterPairs(found?.pairs, { admitted: view.admitted === "yes", maxq: view.maxq, maxhalf: view.maxhalf, pair: view.pair });
  scan.update(cards.slice(0, MOST_PAIRS));
  query(".scan-table .table-scroll").hidden = !found?.pairs?.length;
  if (!found) write(about["scan-note"], "Loading…");
  else if (!found.pairs.length) write(about["scan-note"], sentence(found.reason ?? "no pair has been tested yet"));
  else {
    const shown = cards.length > MOST_PAIRS ? `the first ${MOST_PAIRS} of ${cards.length}` : `${cards.length}`;
    write(about["scan-note"], `${shown} of ${numberText(found.pairs_tested, 0)} pairs tested, ${numberText(found.pairs_admitted, 0)} admitted, ${age(found, now)}. The share of false admissions is held at ${found.criteria.fdr * 100} %.${excluded(found)}`);
  }
}
