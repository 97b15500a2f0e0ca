// Says that prices are not those of the real market, where they are not.

const WORDS = {
  simulated: ["Simulated market", "these prices are invented"],
  replay: ["Replay", "recorded prices from the past, not the market of now"],
};

export function mountMarketBanner(root) {
  const title = root.querySelector("[data-part=title]");
  const text = root.querySelector("[data-part=text]");

  return {
    update(market) {
      const words = WORDS[market] ?? null;
      root.hidden = words === null;
      document.documentElement.dataset.market = market ?? "unknown";
      if (words === null || title.textContent === words[0]) return;
      [title.textContent, text.textContent] = words;
    },
  };
}
