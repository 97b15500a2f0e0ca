// What a backtest found: a sentence, and the metric with its thresholds over time.

import { ALERT_MARGIN, backtestFigure } from "./alert-figure.js";
import { backtestSentence, METRICS, remarks, ruleSubject, valueText } from "./alert-words.js";
import { indexFrom } from "./bars.js";
import { parts, write } from "./dom.js";
import { numberText } from "./format.js";
import { sameZoom } from "./page-view.js";
import { mountPaneChart } from "./pane-chart.js";

// `root` holds the sentence, the legend and the chart.
export function mountBacktestChart(root, { zoomed }) {
  const part = parts(root);
  const box = root.querySelector("[data-chart=backtest]");
  const chart = mountPaneChart(box, { figure: backtestFigure, read, zoomed });
  let model = null;
  let zoom = null;

  return {
    ready: chart.ready,

    // `test`: found, rule, bars and decimals of the price, serial; null for none.
    update(test, page) {
      const isDrawn = test !== null && test.found.series.time.length > 1;
      box.hidden = part["backtest-legend"].hidden = !isDrawn;
      part["backtest-said"].hidden = test === null;
      if (test !== null) write(part["backtest-said"], said(test.found));
      if (!isDrawn) {
        chart.update(null);
        return;
      }
      const next = sameZoom(page.view);
      if (next?.from !== zoom?.from || next?.to !== zoom?.to) zoom = next;
      const same = model?.test === test && model.zoom === zoom && model.palette === page.palette && model.offset === page.offset();
      if (!same) model = modelOf(test, zoom, page);
      chart.update(model);
    },
  };
}

function modelOf(test, zoom, page) {
  const { found, rule } = test;
  const points = found.series.time.map((time) => ({ time }));
  const label = `Chart of the backtest: ${METRICS[rule.metric]?.name ?? rule.metric} of ${ruleSubject(rule)} over ${found.bars} bars, fired ${found.fired} times; last ${valueText(found.series.value.at(-1), rule.metric)}, threshold ${valueText(rule.threshold, rule.metric)}`;
  return { test, found, rule, bars: test.bars, decimals: test.decimals, points, step: found.series.step, zoom, palette: page.palette, offset: page.offset(), margin: ALERT_MARGIN, revision: test.serial, label };
}

function said(found) {
  const unknown = found.unknown_bars ? ` ${numberText(found.unknown_bars, 0)} bars lack trades: nothing fires there.` : "";
  return `${backtestSentence(found)}${unknown}${remarks(found.warnings)}`;
}

function read({ found, rule, bars, decimals, points }, i) {
  const { value, low, high } = found.series;
  const text = (of) => (rule.metric === "price" ? numberText(of[i], decimals) : valueText(of[i], rule.metric));
  const rows = [[METRICS[rule.metric]?.name ?? rule.metric, text(value)]];
  if (low[i] !== high[i]) rows.push(["Low", text(low)], ["High", text(high)]);
  if (rule.metric !== "price" && bars.length > 0) {
    const at = Math.max(0, indexFrom(bars, points[i].time + 1) - 1);
    rows.push(["Price", numberText(bars[at].close, decimals)]);
  }
  return rows;
}
