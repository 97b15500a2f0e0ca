// How the checking of alert rules goes: last and next run, how long it took, what it found.

import { element, keyed, parts, write } from "./dom.js";
import { ageText, NOTHING, numberText, timeText, zoneText } from "./format.js";

export function mountMonitorCard(root) {
  const part = parts(root);

  return {
    // `status`: of /alerts/monitor/status; null before the first answer.
    update(status, { now, offset }) {
      if (status === null) return;
      const last = status.last_run_at ?? null;
      write(part["monitor-note"], last === null ? "No check of the rules has run yet." : `Last run ${ageText(Math.max(0, now - last))}.`);
      const rows = [
        ["Last run", last === null ? NOTHING : `${timeText(last, offset)} ${zoneText(offset)}`],
        ["Next run", status.next_run_at ? `${timeText(status.next_run_at, offset)} ${zoneText(offset)}` : NOTHING],
        ["Took", status.duration_ms === null || status.duration_ms === undefined ? NOTHING : `${numberText(status.duration_ms, 0)} ms`],
        ["Rules checked", numberText(status.rules_checked, 0)],
        ["Fired", numberText(status.fired, 0)],
        ["Errors", numberText(status.errors, 0)],
      ];
      keyed(part.monitor, rows, {
        key: ([name]) => name,
        make: ([name]) => element("div", {}, element("dt", {}, name), element("dd")),
        update: (node, [, text]) => write(node.children[1], text),
      });
    },
  };
}
