// What can be said of the feed right now, as a level, a word and a sentence.

import { spanText } from "./intervals.js";

// Trades are expected every few seconds; what is older is first quiet, then perhaps halted.
const QUIET_AFTER = 30_000;
const HALTED_AFTER = 180_000;

export function feedStatus({ now, lastTime, health, market, away, started }) {
  const age = lastTime === null ? undefined : Math.max(0, now - lastTime);
  if (away) return { level: "away", word: "Offline", text: "The API does not answer; what is shown is from before.", age };
  if (!started) return { level: "waiting", word: "Connecting", text: "Waiting for the first answer." };
  if (lastTime === null) return { level: "waiting", word: "No data", text: "No trade has been stored yet." };
  if (market === "replay") return { level: "replay", word: "Replay", text: "Recorded trades, played again.", age };
  if (age >= HALTED_AFTER) {
    return {
      level: "halted",
      word: health === "ok" ? "Halted" : "Delayed",
      text:
        health === "ok"
          ? `No trade for ${spanText(age)}: the market is halted or very quiet.`
          : `No trade stored for ${spanText(age)}: the ingestor reports a fault.`,
      age,
    };
  }
  if (health === "down") return { level: "degraded", word: "Unwell", text: "The platform reports that it is down.", age };
  if (health === "degraded") return { level: "degraded", word: "Degraded", text: "A check of the platform has failed.", age };
  if (age >= QUIET_AFTER) return { level: "quiet", word: "Quiet", text: `No trade for ${spanText(age)}.`, age };
  return { level: "live", word: "Live", text: "Trades are coming in.", age };
}
