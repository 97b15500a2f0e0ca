// Averages and bands over the closes of bars. Pure. A value stands where its window is full, null before.

export const OVERLAYS = ["vwap", "ma", "bollinger"];
export const PERIODS = [10, 20, 50, 200];
const WIDTH = 2;

// Simple moving average of `values` over `period` of them.
export function movingAverage(values, period) {
  let sum = 0;
  return values.map((value, i) => {
    sum += value - (i >= period ? values[i - period] : 0);
    return i >= period - 1 ? sum / period : null;
  });
}

// Bollinger's bands: the moving average and two standard deviations (of the window's population) to either side.
export function bollinger(values, period) {
  const middle = movingAverage(values, period);
  const spread = middle.map((mean, i) => {
    if (mean === null) return null;
    let squares = 0;
    for (let k = i - period + 1; k <= i; k++) squares += (values[k] - mean) ** 2;
    return WIDTH * Math.sqrt(squares / period);
  });
  return {
    middle,
    upper: middle.map((mean, i) => (mean === null ? null : mean + spread[i])),
    lower: middle.map((mean, i) => (mean === null ? null : mean - spread[i])),
  };
}

// "vwap,ma" as a list in the order of OVERLAYS; null for nonsense. "none" is the empty list.
export function readOverlays(text) {
  if (text === "none") return [];
  const names = text.split(",");
  return names.every((name) => OVERLAYS.includes(name)) ? OVERLAYS.filter((name) => names.includes(name)) : null;
}

export function writeOverlays(names) {
  return names.length ? names.join(",") : "none";
}
