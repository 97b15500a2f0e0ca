// The page System: is all of it well, and what does it cost.

import { createBarFeed } from "./bar-feed.js";
import { element, keyed, parts, write } from "./dom.js";
import { mountEmptyState } from "./empty-state.js";
import { ageText, NOTHING, numberText, timeText, zoneText } from "./format.js";
import { spanText } from "./intervals.js";
import { mountMonitorCard } from "./monitor-card.js";
import { marketKey, marketOf } from "./page-view.js";
import { startPage } from "./page-shell.js";
import { billGroups, DATA, dollars, hourStates, INGESTOR, rates, remember, STATE_WORDS, symbolHealth } from "./system-figures.js";

const COSTS_EVERY = 60_000;
const HOURS_EVERY = 60_000;
const SYMBOLS_EVERY = 60_000;
const HOURS = 24;
const AT_ONCE = 2;
// Beyond this the grid of hours is longer than anybody reads.
const MOST_ROWS = 60;

const state = { symbols: [], symbolsAt: 0, costs: null, costsAt: 0, history: new Map(), hours: new Map(), monitor: null };
const query = (selector) => document.querySelector(selector);
const part = parts(query(".system-page"));
const empty = mountEmptyState(query(".empty-state"));
const monitor = mountMonitorCard(query(".monitor-card"));

startPage({ fields: {}, load, render });

async function load(signal, page) {
  const jobs = [loadHours(signal, page), loadMonitor(signal, page)];
  if (Date.now() - state.costsAt >= COSTS_EVERY) {
    jobs.push(page.api.costs(signal).then((costs) => Object.assign(state, { costs, costsAt: Date.now() })).then(page.redraw));
  }
  await Promise.all(jobs);
}

async function loadMonitor(signal, page) {
  try {
    state.monitor = await page.api.monitor(signal);
  } catch (error) {
    // The other figures are worth having without this one.
    if (signal.aborted || error.away !== false) throw error;
    state.monitor = null;
  }
}

async function loadHours(signal, page) {
  if (Date.now() - state.symbolsAt >= SYMBOLS_EVERY) {
    // In the order of the feeds, so that a symbol stands in the same row of both tables.
    state.symbols = (await page.api.symbols(signal)).symbols.sort((a, b) => marketKey(a.exchange, a.symbol).localeCompare(marketKey(b.exchange, b.symbol)));
    state.symbolsAt = Date.now();
  }
  const keys = state.symbols.slice(0, MOST_ROWS).map((each) => marketKey(each.exchange, each.symbol));
  const due = keys.filter((key) => !(Date.now() - (state.hours.get(key)?.at ?? -HOURS_EVERY) < HOURS_EVERY));
  const next = async () => {
    const key = due.shift();
    if (key === undefined) return;
    const feed = state.hours.get(key)?.feed ?? createBarFeed(page.api, { ...marketOf(key), interval: "1h", limit: HOURS });
    const { bars } = await feed.update(signal);
    state.hours.set(key, { feed, bars, at: Date.now() });
    // Each row is worth showing before the last one is here.
    page.redraw();
    await next();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

function render(page) {
  const { health } = page;
  const nothing = emptyOf(page);
  query(".system-page").classList.toggle("is-empty", nothing !== null);
  empty.update(nothing);
  if (!health) return;
  const at = new Date(health.time).getTime();
  state.history = remember(state.history, at, health.symbols);
  renderStatus(health);
  renderSymbols(symbolHealth(health.symbols, rates(state.history, at), page.now()));
  renderHours(page.now(), page.offset());
  renderQuality(health, page.offset());
  monitor.update(state.monitor, { now: page.now(), offset: page.offset() });
  if (state.costs) renderCosts(state.costs);
}

function emptyOf(page) {
  if (page.health) return null;
  if (page.away !== null) return { kind: "away", title: "The API does not answer", text: "The figures appear as soon as it is back." };
  return { kind: "loading", title: "Asking how things are…", text: "" };
}

const WORDS = { ok: "All is well", degraded: "Degraded", down: "Down" };

function renderStatus(health) {
  write(part.status, WORDS[health.status] ?? health.status);
  part.status.dataset.status = health.status;
  keyed(part.reasons, health.reasons ?? [], { key: (text) => text, make: (text) => element("li", {}, text), update: () => {} });
  keyed(part.checks, Object.entries(health.checks), {
    key: ([name]) => name,
    make: ([name]) => element("li", {}, element("span", { class: "mark" }), element("span", {}, name.replaceAll("_", " ")), element("span", { class: "note" })),
    update: (node, [, check]) => {
      node.children[0].dataset.passed = String(check.ok);
      write(node.children[0], check.ok ? "✓" : "✕");
      write(node.children[2], check.ok ? "answers" : check.problem);
    },
  });
  const figures = INGESTOR.filter(([name]) => health.ingestor?.[name] !== undefined);
  figureRows(part.ingestor, figures.map(([name, words, decimals]) => [words, numberText(health.ingestor[name], decimals)]));
  write(part.uptime, health.ingestor?.uptime_s ? `up ${spanText(health.ingestor.uptime_s * 1000)}` : "no ingestor is alive");
}

function figureRows(list, rows) {
  keyed(list, rows, {
    key: ([name]) => name,
    make: ([name]) => element("div", {}, element("dt", {}, name), element("dd")),
    update: (node, [, text]) => write(node.children[1], text),
  });
}

function renderSymbols(rows) {
  keyed(part.symbols, rows, {
    key: (row) => row.key,
    make: (row) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, element("a", { href: `/?symbol=${encodeURIComponent(row.symbol)}${row.exchange === "binance" ? "" : `&exchange=${row.exchange}`}` }, row.symbol)),
        ...["age", "lag", "rate", "holes", "missing", "behind"].map((name) => element("td", { class: "number", dataset: { cell: name } })),
      ),
    update: (node, row) => {
      const cell = (name, text, bad = false) => {
        const found = node.querySelector(`[data-cell=${name}]`);
        write(found, text);
        found.classList.toggle("bad", bad);
      };
      cell("age", row.age === null ? NOTHING : ageText(row.age), row.age > 180_000);
      cell("lag", row.lag === null ? NOTHING : `${numberText(row.lag / 1000, 1)} s`, row.lag > 10_000);
      cell("rate", row.rate === null ? "…" : numberText(row.rate, 1));
      cell("holes", numberText(row.holes, 0), row.holes > 0);
      cell("missing", numberText(row.missing, 0), row.missing > 0);
      cell("behind", row.behind === null ? NOTHING : ageText(row.behind), row.behind > 300_000);
    },
  });
}

function renderHours(now, offset) {
  const rows = state.symbols
    .slice(0, MOST_ROWS)
    .map((each) => ({ key: marketKey(each.exchange, each.symbol), symbol: each.symbol }))
    .filter((row) => state.hours.has(row.key))
    .map((row) => ({ ...row, hours: hourStates(state.hours.get(row.key).bars, now, HOURS) }));
  query(".hours-card .table-scroll").hidden = rows.length === 0;
  if (rows.length === 0) return;
  const heads = rows[0].hours.map(({ time }) => timeText(time, offset, "time", false));
  if (part.hours.tHead.dataset.first !== heads[0]) {
    part.hours.tHead.dataset.first = heads[0];
    part.hours.tHead.replaceChildren(
      element("tr", {}, element("th", { scope: "col" }, zoneText(offset)), ...heads.map((text) => element("th", { scope: "col" }, text.slice(0, 2), element("span", { class: "visually-hidden" }, text.slice(2))))),
    );
  }
  keyed(part.hours.tBodies[0], rows, {
    key: (row) => row.key,
    make: (row) => element("tr", {}, element("th", { scope: "row" }, row.symbol), ...row.hours.map(() => element("td", {}, element("i"), element("span", { class: "visually-hidden" })))),
    update: (node, row) =>
      row.hours.forEach(({ time, state: hour }, i) => {
        const cell = node.children[i + 1];
        cell.dataset.state = hour;
        cell.title = `${row.symbol}, ${timeText(time, offset, "both", false)}: ${STATE_WORDS[hour]}`;
        write(cell.lastChild, STATE_WORDS[hour]);
      }),
  });
}

function renderQuality(health, offset) {
  figureRows(part.data, DATA.filter(([name]) => health.data?.[name] !== undefined).map(([name, words]) => [words, numberText(health.data[name], 0)]));
  const quarantine = Object.entries(health.ingestor?.quarantined_by_reason ?? {});
  figureRows(part.quarantine, quarantine.map(([reason, count]) => [`Quarantine: ${reason.replaceAll("_", " ")}`, numberText(count, 0)]));
  const gaps = health.gaps ?? [];
  write(part["gaps-note"], gaps.length ? "Trades that only a backfill brings:" : "No recorded gap: nothing lies further back than healing reaches.");
  keyed(part.gaps, gaps.slice(0, 20), {
    key: (gap) => `${gap.exchange}:${gap.symbol} ${gap.first_id}`,
    make: (gap) => element("li", {}, `${gap.symbol}: ids ${gap.first_id} to ${gap.last_id}${gap.start ? `, from ${timeText(gap.start, offset, "both")}` : ""}`),
    update: () => {},
  });
}

function renderCosts(costs) {
  write(part.total, dollars(costs.total));
  write(part["costs-note"], `a month in ${costs.region}, prices of ${costs.prices_as_of}, for ${costs.load.symbols} symbols and ${numberText(costs.load.trades_per_second, 1)} trades a second (${costs.basis === "measured" ? "measured here" : "the reference load"}).`);
  write(part["costs-more"], `${dollars(costs.total_per_symbol)} a symbol; ${dollars(costs.list_total)} without free tiers; one item per trade would cost ${dollars(costs.one_item_per_trade)}.`);
  const groups = billGroups(costs);
  const most = Math.max(...groups.map((group) => group.usd - group.free), 0.01);
  keyed(part.bill, groups, {
    key: (group) => group.name,
    make: (group) => element("tr", {}, element("th", { scope: "row" }, group.name), element("td", { class: "bar" }, element("i")), element("td", { class: "number" })),
    update: (node, group) => {
      node.title = group.lines.map((line) => `${line.name}: ${dollars(line.usd - line.free)}`).join("\n");
      node.querySelector("i").style.width = `${Math.max(0, ((group.usd - group.free) / most) * 100)}%`;
      write(node.lastChild, dollars(group.usd - group.free));
    },
  });
}
