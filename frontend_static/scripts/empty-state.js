// Stands where the chart would be when there is nothing to draw.

export function mountEmptyState(root) {
  const part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));

  return {
    // `state`: null, or `{ kind, title, text, links }` with links as `[href, text]`.
    update(state) {
      root.hidden = state === null;
      if (state === null) return;
      root.dataset.kind = state.kind;
      if (part.title.textContent !== state.title) part.title.textContent = state.title;
      if (part.text.textContent !== state.text) part.text.textContent = state.text;
      const links = state.links ?? [];
      const old = [...part.links.children].map((item) => item.firstChild.getAttribute("href"));
      if (old.length === links.length && links.every(([href], i) => href === old[i])) return;
      part.links.replaceChildren(
        ...links.map(([href, text]) => {
          const item = document.createElement("li");
          const link = document.createElement("a");
          link.href = href;
          link.textContent = text;
          item.append(link);
          return item;
        }),
      );
    },
  };
}
