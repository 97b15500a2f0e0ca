// A classic script, run before the first paint, so that a dark page never flashes white. The page's module takes over;
// view-state.js has the same rule: the URL, then what this browser remembers.
(() => {
  const query = new URLSearchParams(location.search);
  let stored = {};
  try {
    stored = JSON.parse(localStorage.getItem("preferences")) ?? {};
  } catch {
    // No storage, or nonsense in it: the defaults do.
  }
  for (const name of ["theme", "colours"]) {
    const value = query.get(name) ?? stored[name];
    if (typeof value === "string" && /^[a-z-]{1,20}$/.test(value)) document.documentElement.dataset[name] = value;
  }
})();
