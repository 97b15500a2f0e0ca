// What the page of pairs shows in place of its charts, if anything. Pure.

import { sentence } from "./format.js";
import { marketKey, marketOf } from "./page-view.js";

export function pairEmpty({ view, symbols, answer, problem, away, libraryFailed }) {
  if (libraryFailed) return { kind: "error", title: "The charts could not be loaded", text: "Reload the page to try again." };
  if (view.y && view.x && view.y === view.x) {
    return { kind: "same", title: "Choose two different symbols", text: "A pair is one symbol against another." };
  }
  if (answer !== null) return null;
  if (away) return { kind: "away", title: "The API does not answer", text: "The charts appear as soon as it is back." };
  if (symbols !== null && symbols.length < 2) {
    return {
      kind: "no-data",
      title: symbols.length === 0 ? "No data yet" : "A pair needs two symbols",
      text: symbols.length === 0 ? "No symbol has stored a trade. Pairs appear here by themselves." : "Only one symbol is followed: tell the ingestor to follow another.",
    };
  }
  const unknown = [view.y, view.x].find((key) => key && symbols !== null && !symbols.some((each) => marketKey(each.exchange, each.symbol) === key));
  if (unknown) {
    return { kind: "unknown", title: `${marketOf(unknown).symbol} is not followed`, text: "It may be misspelt. Choose one of the symbols in the list." };
  }
  if (problem?.code === "too_few") {
    return {
      kind: "too-few",
      title: "Too few bars for this pair",
      text: `${sentence(problem.message)} A symbol that was just added needs some time; a shorter interval needs less of it.`,
    };
  }
  if (problem) return { kind: "error", title: "This pair cannot be analysed", text: sentence(problem.message) };
  return { kind: "loading", title: "Analysing…", text: "" };
}
