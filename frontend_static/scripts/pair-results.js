// The figures of an analysis: headline, table of tests, admission card, backtest.

import { element, parts, write } from "./dom.js";
import { NOTHING, numberText, shareText, signedText } from "./format.js";
import { intervalMs } from "./intervals.js";
import { admissionRows, alertLink, backtestRows, figureText, halfLifeText, signal, testRows } from "./pair-words.js";

const MARKS = { true: ["✓", "passed"], false: ["✕", "not passed"], null: ["–", "not judged"] };

function mark(passed) {
  const [sign, words] = MARKS[String(passed)];
  return element("span", { class: "mark", dataset: { passed: String(passed) }, role: "img", "aria-label": words }, sign);
}

function rowsOf(list, rows) {
  list.replaceChildren(
    ...rows.map(([name, text]) => element("div", {}, element("dt", {}, name), element("dd", {}, text))),
  );
}

export function mountPairResults(root) {
  const part = parts(root);
  let shown = null;

  const headline = (answer, view) => {
    const said = signal(answer);
    write(part.zscore, signedText(answer.spread.rolling_zscore, 2));
    write(part["zscore-whole"], signedText(answer.spread.zscore, 2));
    write(part.signal, said.text);
    part.signal.dataset.level = said.level;
    write(part.ratio, figureText(answer.spread.hedge_ratio));
    write(part["half-life"], halfLifeText(answer.half_life, intervalMs(answer.interval)));
    write(part.correlation, answer.correlation.pearson?.coefficient === undefined ? NOTHING : signedText(answer.correlation.pearson.coefficient, 3));
    write(part.r2, shareText(answer.hedge_ratios.ols?.r_squared));
    write(part.verdict, answer.engle_granger?.verdict ?? NOTHING);
    write(part.points, numberText(answer.n, 0));
    part.alert.href = alertLink({ ...view, rule: answer.backtest?.rule });
    part.notes.replaceChildren(...answer.notes.map((note) => element("li", {}, note)));
  };

  const tests = (answer) => {
    part.tests.replaceChildren(
      ...testRows(answer).map((row) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, row.name),
          element("td", { class: "number" }, row.statistic),
          element("td", { class: "number" }, row.p),
          element("td", { class: "verdict", title: row.note || null }, mark(row.passed), ` ${row.verdict}`),
        ),
      ),
    );
    const ratios = answer.hedge_ratios;
    rowsOf(part.ratios, [
      ["Least squares", ratios.ols?.slope === undefined ? NOTHING : `${figureText(ratios.ols.slope)} ± ${figureText(ratios.ols.slope_error)}`],
      ["Total least squares", figureText(ratios.tls?.slope)],
      ["Huber", figureText(ratios.huber?.slope)],
      ["Kalman, now", figureText(ratios.kalman?.slope)],
      ["Johansen", figureText(answer.johansen?.hedge_ratio)],
    ]);
  };

  const admission = (card, criteria, reason) => {
    const rows = admissionRows(card, criteria);
    write(part["admission-verdict"], card?.verdict ?? reason ?? "The scan does not hold this pair yet.");
    part["admission-verdict"].dataset.admitted = String(card?.admitted ?? null);
    part.admission.replaceChildren(
      ...(rows ?? []).map((row) =>
        element("li", {}, mark(row.passed), element("span", {}, row.name), element("span", { class: "note" }, row.text)),
      ),
    );
  };

  return {
    // `answer`: of /pairs/analyze; `card`, `criteria`: of the scan.
    update({ answer, card, criteria, reason, view }) {
      if (answer === null || (shown && shown.answer === answer && shown.card === card && shown.view === view)) return;
      shown = { answer, card, view };
      headline(answer, view);
      tests(answer);
      admission(card, criteria, reason);
      const rows = backtestRows(answer.backtest);
      rowsOf(part.backtest, rows);
      write(part.convention, rows.length ? answer.backtest.convention : (answer.backtest?.error?.message ?? "No backtest for this pair."));
    },
  };
}
