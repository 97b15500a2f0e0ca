// How the checking of alert rules goes: last and next run, how long it took, what it found.

import { element, keyed, parts, write } from "./dom.js";
import { ageText, NOTHING, numberText, timeText, zoneText } from "./format.js";

export function mountMonitorCard(root) {
  const part = parts(root);

  return {
    // `status`: of /alerts/monitor/status; null before the first answer.
    update(status, { now, offset }) {
      if (status === null) return;
      const { last_run: last, next_run: next } = status;
      const at = (time) => (time === null ? NOTHING : `${timeText(time, offset)} ${zoneText(offset)}`);
      const note = last === null ? "No check of the rules has run yet." : `Last run ${ageText(Math.max(0, now - last))}.${status.healthy ? "" : " Checks are overdue."}`;
      write(part["monitor-note"], note);
      part["monitor-note"].classList.toggle("bad", last !== null && !status.healthy);
      const rows = [
        ["Last run", at(last)],
        ["Next run", at(next)],
        ["Took", status.duration_ms === null ? NOTHING : `${numberText(status.duration_ms, 0)} ms`],
        ["Rules", numberText(status.rules, 0)],
        ["Looked at", numberText(status.evaluated, 0)],
        ["Fired", numberText(status.fired, 0)],
        ["Messages", numberText(status.deliveries, 0)],
        ["Left to the next run", numberText(status.unfinished, 0)],
      ];
      keyed(part.monitor, rows, {
        key: ([name]) => name,
        make: ([name]) => element("div", {}, element("dt", {}, name), element("dd")),
        update: (node, [, text]) => write(node.children[1], text),
      });
      keyed(part["monitor-errors"], Object.entries(status.errors), {
        key: ([rule]) => rule,
        make: () => element("li"),
        update: (node, [rule, text]) => write(node, `${rule}: ${text}`),
      });
    },
  };
}
