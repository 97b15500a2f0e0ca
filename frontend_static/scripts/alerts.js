// The page Alerts: rules with their states, the editor with its backtest, the history with its deliveries.

import { mountAlertHistory } from "./alert-history.js";
import { isSilenced, remarks, textsOf } from "./alert-words.js";
import { mountBacktestChart } from "./backtest-chart.js";
import { createBarFeed } from "./bar-feed.js";
import { element, parts, write } from "./dom.js";
import { mountEmptyState } from "./empty-state.js";
import { bodySchema } from "./json-schema.js";
import { mountMonitorCard } from "./monitor-card.js";
import { choiceField, textField, wholeField } from "./page-view.js";
import { startPage } from "./page-shell.js";
import { mountRuleEditor } from "./rule-editor.js";
import { mountRuleList } from "./rule-list.js";
import { mountTokenDialog } from "./token-dialog.js";

const DAY = 86_400_000;
const HOUR_SECONDS = 3600;
const HISTORY_PAGE = 25;
// Bars of the price that a backtest is drawn with, by its days.
const DRAWN = { 0.5: ["1m", 720], 1: ["1m", 1440], 3: ["5m", 864], 7: ["5m", 2000] };
const ID = /^[A-Za-z0-9_-]{1,64}$/;

const fields = {
  rule: textField(ID),
  new: choiceField(["1"], null),
  of: textField(ID),
  ...Object.fromEntries(Object.keys(textsOf({})).map((name) => [name, textField(/^[^\u0000-\u001f]{1,200}$/)])),
  from: wholeField(0, 9e14, null),
  to: wholeField(0, 9e14, null),
};
const PREFILL = Object.keys(textsOf({}));

const state = { rules: null, total: 0, events: null, more: null, older: [], monitor: null, contract: null, schema: null, examples: null, symbols: [], opened: null, test: null, libraryFailed: false };
const query = (selector) => document.querySelector(selector);
const part = parts(query(".alerts-page"));

const token = mountTokenDialog(query(".token-dialog"));
const list = mountRuleList(query(".rules-card"), { act });
const history = mountAlertHistory(query(".history-card"));
const monitor = mountMonitorCard(query(".monitor-card"));
const empty = mountEmptyState(query(".empty-state"));
const editor = mountRuleEditor(query(".rule-editor"), { backtest, save, remove, cancel: close, touched: () => write(part.said, "") });
const chart = mountBacktestChart(query(".rule-editor"), {
  zoomed: (zoom) => page.change({ from: zoom && Math.round(zoom.from), to: zoom && Math.round(zoom.to) }, false),
});

const page = startPage({
  fields,
  load,
  render,
  changed: (before, { view }) => {
    if (before.of === view.of) return false;
    Object.assign(state, { events: null, older: [], more: null });
    return true;
  },
});

part.add.addEventListener("click", () => page.change({ ...NOWHERE, new: "1" }));
part["history-rule"].addEventListener("change", () => page.change({ of: part["history-rule"].value || null }));
part["more-events"].addEventListener("click", loadOlder);
part.example.addEventListener("change", () => {
  const found = state.examples?.find((each) => each.id === part.example.value);
  if (found) editor.open(null, found.rule);
});
chart.ready.catch(() => {
  state.libraryFailed = true;
  page.redraw();
});

const NOWHERE = { rule: null, new: null, from: null, to: null, ...Object.fromEntries(PREFILL.map((name) => [name, null])) };

async function load(signal, page) {
  if (state.contract === null) {
    const [contract, symbols] = await Promise.all([page.api.contract(signal), page.api.symbols(signal)]);
    Object.assign(state, { contract, schema: bodySchema(contract, "makeRule"), symbols: symbols.symbols });
    page.market = symbols.market;
    editor.learn(contract, state.schema, bodySchema(contract, "changeRule"));
    part["symbol-list"].replaceChildren(...symbols.symbols.map((each) => element("option", { value: each.exchange === "binance" ? each.symbol : `${each.exchange}:${each.symbol}` })));
  }
  const of = page.view.of;
  const [rules, events, status] = await Promise.all([
    page.api.rules({ limit: 1000 }, signal),
    page.api.history({ limit: HISTORY_PAGE, rule_id: of }, signal),
    page.api.monitor(signal),
  ]);
  signal.throwIfAborted();
  Object.assign(state, { rules: rules.rules, total: rules.total, events: events.events, monitor: status });
  if (state.older.length === 0) state.more = events.next_cursor;
  state.examples ??= (await page.api.examples(signal)).examples;
}

async function loadOlder() {
  if (state.more === null) return;
  const found = await attempt(() => page.api.history({ limit: HISTORY_PAGE, rule_id: page.view.of, cursor: state.more }, new AbortController().signal));
  if (!found) return;
  state.older = [...state.older, ...found.events];
  state.more = found.next_cursor;
  page.redraw();
}

// Runs what may fail for a reason that the reader should hear of; undefined where it did.
async function attempt(action) {
  write(part.said, "");
  editor.busy(true);
  try {
    return await action();
  } catch (error) {
    if (error.name !== "ApiError") reportError(error);
    if (error.field && !query(".rule-editor").hidden) editor.tell({ [ownField(error.field)]: withoutPrefix(error.message, error.field) });
    else if (error.status === 409) write(part.said, "The rule has been changed elsewhere meanwhile. Open it again to see how it is now.");
    else write(part.said, `That did not work: ${error.message}.`);
    return undefined;
  } finally {
    editor.busy(false);
  }
}

// A field of the rule in a backtest's body, or of one of its channels, is the editor's own field.
const ownField = (name) => name.replace(/^rule\./, "").replace(/\[(\d+)\]/g, ".$1");
const withoutPrefix = (text, prefix) => (text.startsWith(prefix) ? text.slice(prefix.length).trim() : text);
const forever = () => new AbortController().signal;
const change = (action) => attempt(() => token.withToken(action));

async function save(body, rule) {
  const saved = await change(() => (rule ? page.api.changeRule(rule.id, body, forever()) : page.api.makeRule(body, forever())));
  if (!saved) return;
  replaceRule(saved);
  close();
  write(part.said, `“${saved.name}” is saved.${remarks(saved.warnings)}`);
}

async function remove(rule) {
  if (!window.confirm(`Delete the rule “${rule.name}”? Its history stays.`)) return;
  const done = await change(() => page.api.deleteRule(rule.id, rule.version, forever()));
  if (!done) return;
  state.rules = state.rules.filter((each) => each.id !== rule.id);
  close();
  write(part.said, `“${rule.name}” is deleted.`);
}

const ACTS = {
  edit: (rule) => page.change({ ...NOWHERE, rule: rule.id }),
  async test(rule) {
    const sent = await change(() => page.api.testRule(rule.id, forever()));
    if (sent) write(part.said, `A test of “${rule.name}” leaves with the next check, to ${sent.deliveries.length} ${sent.deliveries.length === 1 ? "channel" : "channels"}: ${sent.title}`);
  },
  async silence(rule) {
    const silenced = isSilenced(rule, page.now());
    const changed = await change(() => page.api.silenceRule(rule.id, silenced ? 0 : HOUR_SECONDS, forever()));
    if (!changed) return;
    replaceRule(changed);
    write(part.said, silenced ? `“${rule.name}” sends again.` : `“${rule.name}” sends nothing for an hour.`);
  },
};

function act(name, rule) {
  ACTS[name](rule);
}

function replaceRule(rule) {
  const others = (state.rules ?? []).filter((each) => each.id !== rule.id);
  state.rules = [...others, rule].sort((a, b) => a.id.localeCompare(b.id));
  page.redraw();
}

function close() {
  state.test = null;
  page.change(NOWHERE);
}

async function backtest(body, days) {
  const rule = Object.fromEntries(Object.entries(body).filter(([name]) => name !== "version"));
  const found = await attempt(() => page.api.backtest({ rule, start: Math.round(page.now() - days * DAY) }, forever()));
  if (!found) return;
  const [interval, limit] = DRAWN[days];
  const feed = createBarFeed(page.api, { exchange: rule.exchange, symbol: rule.symbol, interval, limit });
  const drawn = await attempt(() => feed.update(forever()));
  if (!drawn) return;
  state.test = { found, rule, bars: drawn.bars, decimals: drawn.decimals.price, serial: Math.random() };
  page.redraw();
  part["backtest-said"].scrollIntoView({ block: "nearest" });
}

// The editor follows the URL: `rule=` opens one, `new=1` a new one with what else the URL says.
function followView(view) {
  if (state.schema === null || state.rules === null) return;
  const wanted = view.rule ? `rule ${view.rule}` : view.new ? "new" : null;
  if (wanted === state.opened) return;
  const rule = view.rule && state.rules.find((each) => each.id === view.rule);
  state.opened = wanted;
  state.test = null;
  if (rule || view.new) {
    const given = Object.fromEntries(PREFILL.filter((name) => view[name] !== null).map((name) => [name, view[name]]));
    editor.open(rule || null, given);
    part.example.value = "";
    part.examples.hidden = Boolean(rule);
    editor.focus();
    return;
  }
  const wasOpen = !query(".rule-editor").hidden;
  editor.close();
  if (wasOpen) part.add.focus();
  if (view.rule) write(part.said, `There is no rule ${view.rule}; it may have been deleted.`);
}

function render(page) {
  const [now, offset] = [page.now(), page.offset()];
  followView(page.view);
  query(".alerts-page").classList.toggle("is-editing", !query(".rule-editor").hidden);
  const rules = state.rules ?? [];
  list.update(rules, { now, offset });
  query(".rules-card .table-scroll").hidden = rules.length === 0;
  const firing = rules.filter((rule) => rule.enabled && rule.state.phase === "firing").length;
  write(part["rules-note"], state.rules === null ? "" : rules.length === 0 ? "No rule yet. Make one, or begin with an example." : `${rules.length} ${rules.length === 1 ? "rule" : "rules"}, ${firing} firing`);
  fillRules(rules, page.view.of);
  fillExamples();
  const events = [...(state.events ?? []), ...state.older.filter((event) => !state.events?.some((each) => each.id === event.id))];
  history.update(events, { offset });
  query(".history-card .table-scroll").hidden = events.length === 0;
  write(part["history-note"], state.events === null ? "Loading…" : events.length === 0 ? "Nothing has happened yet." : "");
  part["more-events"].hidden = state.more === null;
  monitor.update(state.monitor, { now, offset });
  const nothing = emptyOf(page);
  query(".alerts-page").classList.toggle("is-empty", nothing !== null);
  empty.update(nothing);
  chart.update(state.test, page);
}

function emptyOf(page) {
  if (state.rules !== null) return null;
  if (page.away !== null) return { kind: "away", title: "The API does not answer", text: "The rules appear as soon as it is back." };
  if (page.problem) return { kind: "error", title: "The API refused the question", text: page.problem.message };
  return { kind: "loading", title: "Loading rules…", text: "" };
}

function fillRules(rules, chosen) {
  const options = [["", "All rules"], ...rules.map((rule) => [rule.id, rule.name])];
  if (chosen && !rules.some((rule) => rule.id === chosen)) options.push([chosen, chosen]);
  const select = part["history-rule"];
  const key = options.join();
  if (select.dataset.key !== key) {
    select.dataset.key = key;
    select.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
  }
  select.value = chosen ?? "";
}

function fillExamples() {
  if (!state.examples || part.example.options.length > 1) return;
  part.example.append(...state.examples.map((each) => element("option", { value: each.id, title: each.why }, each.title)));
}
