"""/pairs/analyze, called as API Gateway calls it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from analyse.pair_service import PairService
from analyse.routes import create_app
from quant.contract.catalogue import ANALYSE
from quant.domain.interval import HOUR, MINUTE
from quant.live_bars import LiveBars
from tests.functional.analyse.market import END, AnalysedMarket, N, minute_bars, tied, walks, without
from tests.functional.api.client import Client


@dataclass
class Pairs:
    world: AnalysedMarket

    def __post_init__(self) -> None:
        storage = self.world.storage
        service = PairService(LiveBars(storage.ticks, storage.bars), storage.instruments)
        self.client = Client(create_app(lambda: service, lambda: self.world.now), ANALYSE)

    def ask(self, method: str, query: dict[str, Any], body: str | None = None) -> tuple[int, Any]:
        answer = self.client.request(method, "/pairs/analyze", query=query, body=body)
        return answer.status, answer.plain

    def get(self, **query: Any) -> tuple[int, Any]:
        return self.ask("GET", {"y": "YUSDT", "x": "XUSDT", **query})


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    """Y is tied to X, W is not, TWIN is twice X; FLAT never moves, HOLED lacks three bars, NEW has forty."""
    world = AnalysedMarket()
    x, other = walks(2)
    world.put("XUSDT", minute_bars(x))
    world.put("YUSDT", minute_bars(tied(x)))
    world.put("WUSDT", minute_bars(other))
    world.put("TWINUSDT", minute_bars(2 * x))
    world.put("FLATUSDT", minute_bars(np.full(N, 7.0)))
    world.put("HOLEDUSDT", without(minute_bars(other), [100, 101, 900]))
    world.put("NEWUSDT", minute_bars(other[-40:]))
    world.put("TINYUSDT", minute_bars(other[-10:]))
    world.put("NONEUSDT", minute_bars(np.zeros(0)))
    return Pairs(world)


def test_every_number_comes_with_what_it_means(pairs: Pairs) -> None:
    status, found = pairs.get()
    assert status == 200
    assert (found["n"], found["lookback"], found["window"], found["interval"]) == (N, N, 60, "1m")
    assert found["end"] == END
    assert found["y"]["coverage"] == {"expected": N, "bars": N, "filled": 0, "incomplete": 0, "unknown": 0}
    assert found["engle_granger"]["verdict"] == "cointegrated at the 5 % level in both orders"
    for test in (found["adf"], found["engle_granger"]["y_on_x"], found["engle_granger"]["x_on_y"], found["johansen"]):
        assert test["null_hypothesis"]
        assert test["verdict"]
        assert test["n"] > 1_400
    for name in ("pearson", "spearman"):
        assert found["correlation"][name]["n"] == N - 1
        assert found["correlation"][name]["verdict"].startswith("the returns are related")
    assert set(found["hedge_ratios"]) == {"ols", "tls", "huber", "kalman"}
    assert found["half_life"]["bars"] == pytest.approx(20, rel=0.5)
    assert found["hedge_ratios"]["ols"]["r_squared"] > 0.9
    series = found["series"]
    assert {len(column) for column in series.values()} == {N}
    assert series["rolling_zscore"][:59] == [None] * 59
    assert series["time"][-1] == END - MINUTE
    assert found["spread"]["zscore"] == series["zscore"][-1]
    assert found["backtest"]["rule"] == {"entry": 2.0, "exit": 0.5, "stop": 4.0, "cost": 0.001}
    assert found["backtest"]["trades"] == len(found["backtest"]["round_trips"]) > 0
    assert len(found["backtest"]["equity"]) == N


def test_post_equals_get(pairs: Pairs) -> None:
    body = {"y": "YUSDT", "x": "XUSDT", "lookback": 600.0, "window": 30, "johansen": False, "entry": 1.5, "stop": None}
    posted = pairs.ask("POST", {}, json.dumps(body))
    assert posted[0] == 200
    assert posted[1]["johansen"] is None
    assert posted == pairs.get(lookback=600, window=30, johansen="false", entry=1.5)


@pytest.mark.parametrize("method", ["ols", "tls", "huber", "kalman"])
@pytest.mark.parametrize("transform", ["price", "log"])
def test_each_method_hedges_the_tied_pair(pairs: Pairs, method: str, transform: str) -> None:
    status, found = pairs.get(method=method, transform=transform, series="false")
    assert status == 200
    assert found["series"] is None
    assert found["spread"]["method"] == method
    assert found["spread"]["hedge_ratio"] == found["hedge_ratios"][method]["slope"]
    if transform == "log":
        assert found["spread"]["hedge_ratio"] == pytest.approx(0.8, abs=0.08)
    assert abs(found["spread"]["zscore"]) < 5


def test_an_unrelated_pair_is_not_called_cointegrated(pairs: Pairs) -> None:
    _, found = pairs.get(y="WUSDT")
    assert found["engle_granger"]["verdict"].startswith("no evidence")
    assert found["correlation"]["pearson"]["verdict"].startswith("no evidence")


def test_missing_bars_are_handled_as_the_caller_says(pairs: Pairs) -> None:
    status, found = pairs.get(y="HOLEDUSDT")
    assert (status, found["n"], found["dropped"], found["fill"]) == (200, N - 3, 3, "none")
    assert f"{N} bars were asked for; {N - 3} are common to both symbols" in found["notes"]
    assert any("known to lack trades" in note for note in found["notes"])
    assert any("counts as that of one bar" in note for note in found["notes"])
    status, found = pairs.get(y="HOLEDUSDT", fill="previous")
    assert (status, found["n"], found["y"]["coverage"]["filled"]) == (200, N, 3)
    assert not any("counts as that of one bar" in note for note in found["notes"])
    status, found = pairs.get(y="HOLEDUSDT", fill="strict")
    assert (status, found["error"]["code"], found["error"]["field"]) == (422, "missing_bars", "fill")


def test_a_lookback_beyond_the_data_is_answered_with_what_there_is(pairs: Pairs) -> None:
    status, found = pairs.get(lookback=5_000)
    assert (status, found["n"]) == (200, N)
    assert found["notes"] == ["5000 bars were asked for; 1440 are common to both symbols"]


def test_a_window_of_all_bars_says_what_it_cannot_give(pairs: Pairs) -> None:
    _, found = pairs.get(lookback=100, window=100)
    assert found["series"]["rolling_correlation"] == [None] * 100
    assert found["series"]["rolling_hedge_ratio"][-1] is not None
    assert found["notes"] == ["rolling_correlation has no value: of so many bars there is one return less"]


def test_an_open_bar_does_not_count(pairs: Pairs) -> None:
    """Five-minute bars whose last one is not over."""
    pairs.world.now += 2 * MINUTE
    try:
        _, found = pairs.get(interval="5m", lookback=100)
    finally:
        pairs.world.now -= 2 * MINUTE
    assert found["end"] == END
    assert found["n"] == 100


def test_through_a_halt_the_newest_bars_are_those_before_it(pairs: Pairs) -> None:
    pairs.world.now += 5 * HOUR
    try:
        status, found = pairs.get(lookback=N)
    finally:
        pairs.world.now -= 5 * HOUR
    assert (status, found["n"], found["end"]) == (200, N, END)


def test_a_collinear_pair_says_which_statistics_have_no_meaning(pairs: Pairs) -> None:
    status, found = pairs.get(y="TWINUSDT")
    assert status == 200
    for name in ("engle_granger", "johansen", "adf", "spread", "half_life"):
        assert found[name]["error"]["code"] == "collinear", name
    assert found["hedge_ratios"]["ols"]["slope"] == pytest.approx(2, rel=1e-4)
    assert found["series"]["spread"] == [None] * N
    assert found["backtest"]["trades"] == 0


@pytest.mark.parametrize(
    ("query", "code", "field", "words"),
    [
        ({"x": "YUSDT"}, "invalid_parameter", "x", "must be another symbol"),
        ({"y": "GONEUSDT"}, "invalid_parameter", "y", "is not followed"),
        ({"x": "coinbase:BTC-USD"}, "invalid_parameter", "x", "is not followed"),
        ({"y": ""}, "invalid_parameter", "y", "must be given"),
        ({"y": "no such"}, "invalid_parameter", "y", "letters"),
        ({"y": "FLATUSDT"}, "constant", "y", "is constant"),
        ({"y": "TINYUSDT"}, "too_few", "lookback", "only 10 bars"),
        ({"y": "NONEUSDT"}, "too_few", "y", "no closed bar"),
        ({"y": "NEWUSDT", "window": 60}, "too_few", "window", "40 bars"),
        ({"lookback": 29}, "invalid_parameter", "lookback", "30 to 10000"),
        ({"lookback": 10_001}, "invalid_parameter", "lookback", "30 to 10000"),
        ({"lookback": 100, "window": 101}, "invalid_parameter", "window", "3 to 100"),
        ({"window": "nan"}, "invalid_parameter", "window", "whole number"),
        ({"entry": "NaN"}, "invalid_parameter", "entry", "number"),
        ({"entry": "inf"}, "invalid_parameter", "entry", "number"),
        ({"entry": 1, "exit": 1}, "invalid_parameter", "exit", "below entry"),
        ({"entry": 2, "stop": 1}, "invalid_parameter", "stop", "above entry"),
        ({"cost": 0.5}, "invalid_parameter", "cost", "0 to 0.1"),
        ({"method": "ridge"}, "invalid_parameter", "method", "huber, kalman, ols, tls"),
        ({"fill": "zero"}, "invalid_parameter", "fill", "none, previous, strict"),
        ({"transform": "square"}, "invalid_parameter", "transform", "log, price"),
        ({"interval": "7m"}, "invalid_parameter", "interval", "divides a day"),
        ({"colour": "red"}, "invalid_parameter", "colour", "not a parameter"),
    ],
)
def test_bad_input_is_refused_with_the_reason(
    pairs: Pairs, query: dict[str, Any], code: str, field: str, words: str
) -> None:
    status, found = pairs.get(**query)
    assert (status, found["error"]["code"], found["error"]["field"]) == (422, code, field)
    assert words in found["error"]["message"]


@pytest.mark.parametrize(
    "body", ["", "[1]", '{"y": {}}', '{"y": "YUSDT"', '{"y": "YUSDT", "x": "' + "X" * 10_000 + '"}', '{"y": NaN}']
)
def test_a_bad_body_is_refused(pairs: Pairs, body: str) -> None:
    status, found = pairs.ask("POST", {}, body)
    assert (status, found["error"].get("field", "body")) in ((400, "body"), (422, "body"), (422, "y"), (413, "body"))


def test_another_method_is_refused(pairs: Pairs) -> None:
    status, found = pairs.ask("DELETE", {})
    assert (status, found["error"]["code"]) == (405, "method_not_allowed")
