// The rules with their states. `act(name, rule)` hears what is to be done with one.

import { element, keyed, write } from "./dom.js";
import { byUrgency, inFormWords, isSilenced, PHASES, ruleSentence, valueText } from "./alert-words.js";
import { ageText, NOTHING, timeText } from "./format.js";

export function mountRuleList(root, { act }) {
  const body = root.querySelector("tbody");
  let known = new Map();

  root.addEventListener("click", ({ target }) => {
    const button = target.closest("button[data-act]");
    const rule = button && known.get(button.closest("tr").dataset.key);
    if (rule) act(button.dataset.act, rule);
  });

  const make = () =>
    element(
      "tr",
      {},
      element("td", { class: "phase" }, element("span", { class: "sign", "aria-hidden": "true" }), element("span", { class: "word" })),
      element("th", { scope: "row" }, element("button", { type: "button", class: "link", dataset: { act: "edit" } }), element("span", { class: "note sentence" }), element("span", { class: "note now" }), element("span", { class: "note reason" })),
      element("td", { class: "number value" }),
      element("td", { class: "since" }),
      element(
        "td",
        { class: "acts" },
        element("button", { type: "button", dataset: { act: "test" } }, "Test"),
        element("button", { type: "button", dataset: { act: "silence" } }),
      ),
    );

  const update = (node, { rule, now, offset }) => {
    const [sign, word] = rule.enabled ? (PHASES[rule.state.phase] ?? ["?", rule.state.phase]) : ["–", "Off"];
    const silenced = isSilenced(rule, now);
    node.dataset.phase = rule.enabled ? rule.state.phase : "off";
    write(node.querySelector(".sign"), sign);
    write(node.querySelector(".word"), word);
    write(node.querySelector(".link"), rule.name);
    write(node.querySelector(".sentence"), ruleSentence(rule));
    write(node.querySelector(".reason"), [rule.state.reason, silenced ? `silenced until ${timeText(rule.silenced_until, offset, "both", false)}` : "", ...rule.warnings.map(inFormWords)].filter(Boolean).join("; "));
    write(node.querySelector(".value"), valueText(rule.state.value, rule.metric));
    // Where there is no room for a column of values.
    write(node.querySelector(".now"), rule.state.value === null ? "" : `at ${valueText(rule.state.value, rule.metric)}`);
    write(node.querySelector(".since"), rule.state.since ? ageText(Math.max(0, now - rule.state.since)) : NOTHING);
    write(node.querySelector("[data-act=silence]"), silenced ? "End silence" : "Silence 1 h");
    for (const button of node.querySelectorAll(".acts button")) button.setAttribute("aria-label", `${button.textContent}: ${rule.name}`);
  };

  return {
    update(rules, { now, offset }) {
      known = new Map(rules.map((rule) => [rule.id, rule]));
      keyed(body, byUrgency(rules).map((rule) => ({ rule, now, offset })), { key: ({ rule }) => rule.id, make, update });
    },
  };
}
