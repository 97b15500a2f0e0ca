// What happened to the rules, and what became of each message.

import { element, keyed, write } from "./dom.js";
import { deliveryText, KINDS, valueText } from "./alert-words.js";
import { timeText } from "./format.js";

const MARKS = { delivered: "✓", failed: "✕", suppressed: "–", pending: "…", retrying: "…" };

export function mountAlertHistory(root) {
  const body = root.querySelector("tbody");

  const make = () =>
    element("tr", {}, element("td", { class: "time" }), element("td", { class: "kind" }), element("th", { scope: "row" }), element("td", { class: "number value" }), element("td", { class: "message" }), element("td", {}, element("ul", { class: "deliveries" })));

  const update = (node, { event, offset }) => {
    const [time, kind, name, value, message, deliveries] = node.children;
    node.dataset.kind = event.kind;
    write(time, timeText(event.time, offset, "both"));
    write(kind, KINDS[event.kind] ?? event.kind);
    write(name, event.rule_name);
    write(value, valueText(event.value, event.metric));
    write(message, event.title || event.message);
    message.title = event.message;
    keyed(deliveries.firstChild, event.deliveries, {
      key: (each) => `${each.channel.type} ${each.channel.target}`,
      make: () => element("li", {}, element("span", { class: "mark", "aria-hidden": "true" }), element("span")),
      update: (item, each) => {
        item.title = each.channel.target;
        item.children[0].dataset.passed = each.status === "delivered" ? "true" : each.status === "failed" ? "false" : "null";
        write(item.children[0], MARKS[each.status] ?? "?");
        write(item.children[1], deliveryText(each));
      },
    });
  };

  return {
    update(events, { offset }) {
      keyed(body, events.map((event) => ({ event, offset })), { key: ({ event }) => event.id, make, update });
    },
  };
}
