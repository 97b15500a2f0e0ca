// A strip over the chart when the feed is not what the chart makes it seem: halted, late or unwell.

const LOUD = ["halted", "degraded"];

export function mountFeedNotice(root) {
  return {
    update({ level, text }, charted) {
      root.hidden = !charted || !LOUD.includes(level);
      const shown = root.hidden ? "" : text;
      if (root.textContent !== shown) root.textContent = shown;
      root.dataset.level = level;
    },
  };
}
