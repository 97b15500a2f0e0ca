// Appears while the API does not answer, and says when it will be asked again.

import { timeText, zoneText } from "./format.js";

export function mountApiNotice(root, { retry }) {
  const part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
  part.retry.addEventListener("click", retry);

  return {
    // `away`: null, or `{ since, nextAt, message }`.
    update(away, { now, offset, stale }) {
      root.hidden = away === null;
      const text = away === null ? "" : `Since ${timeText(away.since, offset)} ${zoneText(offset)} (${away.message}).${stale ? " What is shown is from before." : ""}`;
      if (part.text.textContent !== text) part.text.textContent = text;
      if (away === null) return;
      const seconds = away.nextAt === null ? 0 : Math.max(0, Math.ceil((away.nextAt - now) / 1000));
      part.countdown.textContent = seconds > 0 ? `Next try in ${seconds} s` : "Trying now…";
    },
  };
}
