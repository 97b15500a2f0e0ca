// Theme, colours of up and down, and the clock. `changed(part)` hears the new choice as a piece of the view.

export function mountDisplayMenu(root, { changed }) {
  const summary = root.querySelector("summary");

  root.addEventListener("change", (event) => changed({ [event.target.name]: event.target.value }));
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !root.open) return;
    root.open = false;
    summary.focus();
  });
  document.addEventListener("click", (event) => {
    if (!root.contains(event.target)) root.open = false;
  });

  return {
    update({ theme, colours, clock }) {
      document.documentElement.dataset.theme = theme;
      document.documentElement.dataset.colours = colours;
      for (const [name, value] of Object.entries({ theme, colours, clock })) {
        const radio = root.querySelector(`input[name=${name}][value=${value}]`);
        if (!radio.checked) radio.checked = true;
      }
    },
  };
}
