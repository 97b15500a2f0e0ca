// What the page shows in place of a chart, if anything. Pure.

import { formatView } from "./view-state.js";

const SUGGESTIONS = 12;

export function findSymbol(symbols, { exchange, symbol }) {
  return symbols?.find((each) => each.exchange === exchange && each.symbol === symbol) ?? null;
}

export function emptyState({ view, symbols, bars, loading, problem, away, libraryFailed }) {
  if (libraryFailed) {
    return { kind: "error", title: "The chart could not be loaded", text: "Reload the page to try again." };
  }
  if (bars.length > 0) return null;
  if (away) return { kind: "away", title: "The API does not answer", text: "The chart appears as soon as it is back." };
  if (symbols !== null && symbols.length === 0) {
    return {
      kind: "no-data",
      title: "No data yet",
      text: "No symbol has stored a trade. The first bar appears here a few seconds after the ingestor starts.",
    };
  }
  if (symbols !== null && view.symbol && !findSymbol(symbols, view)) {
    return {
      kind: "unknown",
      title: `${view.symbol} is not followed`,
      text: "It may be misspelt, or not among the symbols that the ingestor was told to follow. These are:",
      links: symbols
        .slice(0, SUGGESTIONS)
        .map((each) => [formatView({ ...view, exchange: each.exchange, symbol: each.symbol, zoom: null }), `${each.base}/${each.quote}`]),
    };
  }
  if (problem) return { kind: "error", title: "The API refused the question", text: problem };
  if (loading) return { kind: "loading", title: "Loading bars…", text: "" };
  return {
    kind: "no-data",
    title: "No bars yet",
    text: "This symbol has just been added, or has not traded yet. Its first bar appears here by itself.",
  };
}
