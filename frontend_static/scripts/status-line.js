// The feed in one line: a dot and a word, the age of the last trade, when the page was last brought up to date.

import { ageText, timeText, zoneText } from "./format.js";

export function mountStatusLine(root) {
  const part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
  const write = (name, text) => {
    if (part[name].textContent !== text) part[name].textContent = text;
  };

  return {
    update({ status, lag, updated, refresh, offset, version }) {
      root.dataset.level = status.level;
      write("word", status.word);
      root.title = status.text;
      write("age", status.age === undefined ? "–" : ageText(status.age));
      write("lag", lag === null ? "–" : lag < 10_000 ? `${(lag / 1000).toFixed(1)} s` : ageText(lag).replace(" ago", ""));
      write("updated", updated === null ? "–" : `${timeText(updated, offset)} ${zoneText(offset)}`);
      write("refresh", refresh === 0 ? "off" : `every ${refresh} s`);
      write("version", version ? `v${version}` : "");
    },
  };
}
