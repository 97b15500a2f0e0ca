"""The light routes of statistics, scan and correlations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from analyse.service import Analyst
from api.chalicelib.routes import create_app
from api.chalicelib.service import MarketData
from quant.contract.catalogue import LIGHT
from quant.domain.interval import DAY, HOUR, MINUTE
from quant.http.answers import to_json
from tests.functional.analyse.market import END, NOW, AnalysedMarket, N, minute_bars, tied, walks
from tests.functional.api.client import Client


@dataclass
class Api:
    world: AnalysedMarket

    def __post_init__(self) -> None:
        data = MarketData(self.world.storage, {}, 7 * DAY, "1.2.3")
        self.client = Client(create_app(lambda: data, lambda: self.world.now), LIGHT)

    def get(self, route: str, name: str = "", /, **query: Any) -> tuple[int, Any]:
        answer = self.client.get(route.replace("{symbol}", name), **query)
        assert answer.status != 200 or answer.headers["Cache-Control"] == "no-cache"
        return answer.status, answer.plain

    def analyse(self) -> None:
        storage = self.world.storage
        Analyst(storage.bars, storage.instruments, storage.cache, to_json, lambda: self.world.now + 5).run(
            self.world.now
        )


@pytest.fixture
def api() -> Api:
    world = AnalysedMarket()
    series = walks(3)
    for place, closes in enumerate([*series, tied(series[0])]):
        world.put(f"S{place}USDT", minute_bars(closes))
    return Api(world)


@pytest.mark.parametrize("route", ["/stats", "/pairs/scan", "/pairs/correlation"])
def test_before_the_first_run_it_says_so(api: Api, route: str) -> None:
    status, found = api.get(route)
    assert status == 200
    assert found["computed_at"] is None
    assert found["reason"].startswith("not computed yet")


def test_statistics_of_all_symbols_come_from_the_cache(api: Api) -> None:
    api.analyse()
    api.world.now += 2_000
    status, found = api.get("/stats")
    assert (status, found["computed_at"], found["age_ms"], found["reason"]) == (200, NOW, 2_000, None)
    assert [row["symbol"] for row in found["symbols"]] == ["S0USDT", "S1USDT", "S2USDT", "S3USDT"]
    assert found["window"] == {"start": END - DAY, "end": END, "interval": "1m"}
    assert api.get("/stats", exchange="coinbase")[1]["symbols"] == []


def test_statistics_of_one_symbol_come_from_the_cache_or_are_computed_at_once(api: Api) -> None:
    fresh = api.get("/stats/{symbol}", "S1USDT")[1]
    api.analyse()
    cached = api.get("/stats/{symbol}", "S1USDT")[1]
    assert cached["computed_at"] == NOW
    assert cached["summary"]["volatility"]["annualisation_factor"] == pytest.approx((365 * 24 * 60) ** 0.5)
    # Computed at once the window goes up to the minute that is open: one bar less is in it.
    assert fresh["summary"]["completeness"]["bars"] == N - 1
    assert fresh["summary"]["price"]["last"] == cached["summary"]["price"]["last"]


@pytest.mark.parametrize(("window", "bars", "interval"), [("1h", 59, "1m"), ("5m", 4, "1m"), ("2d", 288, "5m")])
def test_a_window_is_the_callers_choice(api: Api, window: str, bars: int, interval: str) -> None:
    status, found = api.get("/stats/{symbol}", "S1USDT", window=window)
    assert status == 200
    assert found["window"]["interval"] == interval
    assert found["summary"]["price"]["n"] == bars
    if window == "1h":
        assert found["window"]["end"] - found["window"]["start"] == HOUR


@pytest.mark.parametrize("window", ["4m", "31d", "1w", "0h", "-1h", "1.5h", "99999999h"])
def test_a_bad_window_is_refused(api: Api, window: str) -> None:
    status, found = api.get("/stats/{symbol}", "S1USDT", window=window)
    assert (status, found["error"]["field"]) == (422, "window")


def test_an_unknown_symbol_is_not_found(api: Api) -> None:
    assert api.get("/stats/{symbol}", "GONEUSDT")[0] == 404


def test_a_symbol_without_bars_is_told_so(api: Api) -> None:
    api.world.put("NONEUSDT", minute_bars(walks(1)[0][:0]))
    status, found = api.get("/stats/{symbol}", "NONEUSDT", window="1h")
    assert (status, found["error"]["code"]) == (422, "too_few")


def test_the_scan_is_ranked_and_filtered(api: Api) -> None:
    api.analyse()
    status, found = api.get("/pairs/scan")
    assert (status, found["pairs_tested"], found["pairs_found"], len(found["pairs"])) == (200, 6, 6, 6)
    assert [row["rank"] for row in found["pairs"]] == [1, 2, 3, 4, 5, 6]
    assert {found["pairs"][0]["y"], found["pairs"][0]["x"]} == {"S0USDT", "S3USDT"}
    assert [row["rank"] for row in api.get("/pairs/scan", admitted="true")[1]["pairs"]] == [1]
    of_one = api.get("/pairs/scan", symbol="s1usdt")[1]["pairs"]
    assert len(of_one) == 3
    assert all("S1USDT" in (row["y"], row["x"]) for row in of_one)
    limited = api.get("/pairs/scan", limit=2)[1]
    assert (limited["pairs_found"], len(limited["pairs"])) == (6, 2)
    few = api.get("/pairs/scan", max_p_value=0.05)[1]["pairs"]
    assert all(row["p_value"] <= 0.05 for row in few)


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1_001}, {"admitted": "maybe"}, {"max_p_value": "nan"}])
def test_bad_filters_are_refused(api: Api, query: dict[str, Any]) -> None:
    status, found = api.get("/pairs/scan", **query)
    assert (status, found["error"]["field"]) == (422, next(iter(query)))


def test_the_matrix_can_be_cut(api: Api) -> None:
    api.analyse()
    _, whole = api.get("/pairs/correlation")
    assert len(whole["matrix"]) == 4
    _, part = api.get("/pairs/correlation", symbols="S3USDT,s0usdt")
    assert [row["symbol"] for row in part["symbols"]] == ["S0USDT", "S3USDT"]
    assert part["matrix"] == [[1.0, whole["matrix"][0][3]], [whole["matrix"][3][0], 1.0]]
    for query in ({"symbols": "GONEUSDT"}, {"symbols": "S1USDT", "exchange": "coinbase"}):
        status, found = api.get("/pairs/correlation", **query)
        assert (status, found["error"]["field"]) == (422, "symbols")


def test_a_symbol_without_pairs_is_told_why(api: Api) -> None:
    api.world.put("FLATUSDT", minute_bars(walks(1)[0] * 0 + 5))
    api.analyse()
    reasons = {"GONEUSDT": "GONEUSDT is not followed", "flatusdt": "FLATUSDT takes no part: it is constant"}
    for symbol, reason in (reasons | {"S1USDT": None}).items():
        _, found = api.get("/pairs/scan", symbol=symbol)
        assert (found["pairs"] == [], found["reason"]) == (reason is not None, reason)


def test_what_is_older_than_a_day_is_gone(api: Api) -> None:
    api.analyse()
    api.world.now += DAY + MINUTE
    assert api.get("/stats")[1]["computed_at"] is None
