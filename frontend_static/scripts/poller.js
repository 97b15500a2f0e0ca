// Runs a task again and again: never two at a time, not in a hidden tab, and ever more seldom while it fails.

import { backoff } from "./backoff.js";

const BROWSER = {
  now: () => Date.now(),
  hidden: () => document.hidden,
  setTimeout: (run, delay) => window.setTimeout(run, delay),
  clearTimeout: (timer) => window.clearTimeout(timer),
};

// `task(signal)` returns a promise; a rejection counts as a failure unless the run was aborted. `changed(state)` hears
// of every change of `{ failures, since, nextAt }`.
export function createPoller({ task, changed = () => {}, world = BROWSER, wait = backoff }) {
  let interval = null;
  let timer = null;
  let controller = null;
  let startedAt = null;
  const state = { failures: 0, since: null, nextAt: null };

  const plan = () => {
    world.clearTimeout(timer);
    timer = null;
    state.nextAt = null;
    if (controller) return;
    if (state.failures > 0) state.nextAt = world.now() + wait(state.failures);
    else if (interval !== null) state.nextAt = Math.max(world.now(), (startedAt ?? 0) + interval);
    if (state.nextAt === null || world.hidden()) return;
    timer = world.setTimeout(run, state.nextAt - world.now());
  };

  const run = async () => {
    world.clearTimeout(timer);
    const mine = new AbortController();
    controller = mine;
    startedAt = world.now();
    state.nextAt = null;
    let failed = false;
    try {
      await task(mine.signal);
    } catch {
      failed = true;
    }
    if (controller !== mine) return;
    controller = null;
    state.failures = failed ? state.failures + 1 : 0;
    state.since = failed ? (state.since ?? world.now()) : null;
    plan();
    changed({ ...state });
  };

  return {
    // Drops a run that is under way and starts anew: for when what is asked for has changed.
    restart() {
      controller?.abort();
      run();
    },
    // Runs now unless a run is under way: for a tab that is seen again, a network that is back, a button.
    wake() {
      if (!controller) run();
    },
    // Milliseconds from start to start; null for never.
    setInterval(ms) {
      interval = ms;
      plan();
    },
    // For when the tab has been hidden or shown.
    visibilityChanged() {
      if (world.hidden()) {
        world.clearTimeout(timer);
        timer = null;
      } else if (state.nextAt !== null && state.nextAt <= world.now()) {
        this.wake();
      } else {
        plan();
      }
    },
  };
}
