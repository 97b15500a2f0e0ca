"""The pure modules of the pages of pairs, symbols, alerts and the system, run in the browser."""

from __future__ import annotations

from typing import Any

import pytest

from quant.alerting.conditions import OPERATORS
from quant.alerting.metrics import METRICS
from quant.contract import alerts
from quant.contract.document import document
from tests.browser.test_modules import Run, run

pytestmark = pytest.mark.browser
__all__ = ["run"]

RULE = {"name": "high", "metric": "price", "symbol": "BTCUSDT", "operator": ">", "threshold": 5}


def test_the_page_knows_the_metrics_and_operators_of_the_alerts(run: Run) -> None:
    known = run(
        "alert-words.js", "(m) => Object.fromEntries(Object.entries(m.METRICS).map(([k, v]) => [k, !!v.isPair]))"
    )
    assert known == {name: metric.is_pair for name, metric in METRICS.items()}
    assert run("alert-words.js", "(m) => Object.keys(m.OPERATORS)") == list(OPERATORS)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, {}),
        ({"threshold": "5"}, {"threshold": "must be a number"}),
        ({"name": ""}, {"name": "must be given"}),
        ({"metric": "mood"}, {"metric": "must be one of "}),
        ({"for_seconds": -1}, {"for_seconds": "must be at least 0"}),
        ({"window": None}, {}),
        ({"window": 2.5}, {"window": "must be a whole number"}),
        ({"colour": "red"}, {"colour": "is not known"}),
        ({"channels": [{"type": "email", "target": ""}]}, {"channels.0.target": "must be given"}),
        ({"channels": [{"type": "pigeon", "target": "x"}]}, {"channels.0.type": "must be one of "}),
    ],
)
def test_the_contract_finds_fault_with_a_rule(run: Run, change: dict[str, Any], found: dict[str, str]) -> None:
    contract = document(alerts.OPERATIONS, "0")
    said = run("json-schema.js", "(m, d, v) => m.problems(d, m.bodySchema(d, 'makeRule'), v)", contract, RULE | change)
    assert said.keys() == found.keys()
    assert all(said[name].startswith(text) for name, text in found.items())


def test_a_rule_without_a_threshold_is_told_so(run: Run) -> None:
    contract = document(alerts.OPERATIONS, "0")
    rule = {name: value for name, value in RULE.items() if name != "threshold"}
    code = "(m, d, v) => m.problems(d, m.bodySchema(d, 'makeRule'), v)"
    assert run("json-schema.js", code, contract, rule) == {"threshold": "must be given"}


@pytest.mark.parametrize(
    ("z", "level"), [(2.5, "short"), (-2.5, "long"), (0.2, "flat"), (1.0, "wait"), (5.0, "stop"), (None, "unknown")]
)
def test_the_signal_follows_the_rule(run: Run, z: float | None, level: str) -> None:
    answer = {
        "spread": {"rolling_zscore": z},
        "backtest": {"rule": {"entry": 2, "exit": 0.5, "stop": 4}},
        "y": {"symbol": "A"},
        "x": {"symbol": "B"},
    }
    assert run("pair-words.js", "(m, a) => m.signal(a).level", answer) == level


def test_averages_stand_where_their_window_is_full(run: Run) -> None:
    assert run("overlays.js", "(m) => m.movingAverage([1, 2, 3, 4], 2)") == [None, 1.5, 2.5, 3.5]
    bands = run("overlays.js", "(m) => m.bollinger([1, 3], 2)")
    # Mean 2, deviation of the window 1.
    assert bands == {"middle": [None, 2], "upper": [None, 4], "lower": [None, 0]}


def test_rows_without_a_value_come_last_both_ways(run: Run) -> None:
    rows = [{"key": "a", "last": None}, {"key": "b", "last": 1}, {"key": "c", "last": 2}]
    code = "(m, rows, down) => m.sortRows(rows, 'last', down).map((row) => row.key)"
    assert run("symbol-rows.js", code, rows, False) == ["b", "c", "a"]
    assert run("symbol-rows.js", code, rows, True) == ["c", "b", "a"]


def test_a_level_far_from_the_metric_does_not_flatten_it(run: Run) -> None:
    code = """(m, threshold) => {
        const series = { value: [10, null, 12], low: [9, null, 11], high: [11, null, 13] };
        const { range, far } = m.metricRange(series, m.levelsOf({ operator: ">", threshold, clear_threshold: null }));
        return [...range, far.length];
    }"""
    # The metric spans 9 to 13; four times as much is in reach; a tenth of air on both sides.
    assert run("alert-figure.js", code, 14) == [8.5, 14.5, 0]
    assert run("alert-figure.js", code, 29) == [7, 31, 0]
    assert run("alert-figure.js", code, 30) == pytest.approx([8.6, 13.4, 1])


def test_a_distance_from_zero_has_a_level_on_both_sides(run: Run) -> None:
    rule = {"operator": "outside", "threshold": 2, "clear_threshold": 0.5}
    levels = run("alert-figure.js", "(m, rule) => m.levelsOf(rule).map((each) => each.value)", rule)
    assert levels == [2, -2, 0.5, -0.5]


def test_what_a_metric_does_not_look_at_is_not_sent(run: Run) -> None:
    code = """(m, metric) => Object.keys(m.bodyOf(
        { metric, name: "a", symbol: "A", window: "5", interval: "1m", threshold: "1" },
        { channels: [], notify: [], enabled: true }))"""
    assert {"window", "interval"} <= set(run("alert-words.js", code, "volume"))
    assert "window" not in run("alert-words.js", code, "price")
    assert {"window", "interval"} & set(run("alert-words.js", code, "staleness")) == set()


def test_rates_are_counted_by_ids_and_the_times_of_their_trades(run: Run) -> None:
    code = """(m, seen) => {
        let history = new Map();
        for (const [at, time, id] of seen) {
            history = m.remember(history, at, [{ exchange: "binance", symbol: "A", last_id: id, last_time: time }]);
        }
        return [history.get("A").length, m.rates(history, seen.at(-1)[0]).get("A") ?? null];
    }"""
    once = [0, -5_000, 100]
    # Nothing is made of one mark, nor of the same one seen again before the next heartbeat is due.
    assert run("system-figures.js", code, [once, [5_000, -5_000, 100]]) == [1, None]
    # 100 trades in the 10 s between the two last trades, however long ago they were seen.
    assert run("system-figures.js", code, [once, [6_000, 5_000, 200]]) == [2, 10]
    assert run("system-figures.js", code, [once, [6_000, 5_000, 200], [11_000, 5_000, 200]]) == [2, 10]
    # A halt: none for 30 s, after 100 in 10 s.
    assert run("system-figures.js", code, [once, [6_000, 5_000, 200], [36_000, 5_000, 200]]) == [2, 2.5]
    assert run("system-figures.js", code, [once, [40_000, -5_000, 100]]) == [1, 0]
    # What is older than a minute counts no more; ids that begin anew do so alone.
    assert run("system-figures.js", code, [once, [70_000, 65_000, 900]]) == [1, None]
    assert run("system-figures.js", code, [once, [10_000, 9_000, 3]]) == [1, None]


def test_a_page_view_survives_the_url_and_nonsense_does_not(run: Run) -> None:
    code = """(m, text) => {
        const fields = m.withShared({
            n: m.numberField(0, 10, 2), w: m.wholeField(0, 9, null), c: m.choiceField(["a"], "a"),
        });
        const view = m.readFields(fields, text);
        return [view.n, view.w, view.refresh, m.writeFields(fields, view)];
    }"""
    assert run("page-view.js", code, "?n=2.5&w=3&refresh=off") == [2.5, 3, 0, "?n=2.5&w=3&refresh=off"]
    assert run("page-view.js", code, "?n=99&w=-1&refresh=7&c=z") == [2, None, 5, ""]
