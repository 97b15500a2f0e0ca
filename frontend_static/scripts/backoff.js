// How long to wait after failures in a row: doubling from two seconds to a minute, with up to a quarter of it taken off
// at random, so that the pages of many readers do not come back in step.

const FIRST = 2000;
const LONGEST = 60000;

export function backoff(failures, random = Math.random) {
  const full = Math.min(LONGEST, FIRST * 2 ** (Math.max(1, failures) - 1));
  return Math.round(full * (1 - random() / 4));
}
