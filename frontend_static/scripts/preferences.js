// What this browser remembers of its reader. Storage may be forbidden or full: then nothing is remembered.

import { parsePreferences, PREFERENCES } from "./view-state.js";

const KEY = "preferences";

export function loadPreferences() {
  try {
    return parsePreferences(JSON.parse(localStorage.getItem(KEY)));
  } catch {
    return {};
  }
}

export function savePreferences(view) {
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(PREFERENCES.map((key) => [key, view[key]]))));
  } catch {
    // As above.
  }
}
