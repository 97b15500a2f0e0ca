"""A run of the analyse function over a market in memory."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from analyse.service import SCAN_EVERY, Analyst, Report
from quant.domain.interval import MINUTE
from quant.http.answers import to_json
from tests.functional.analyse.market import END, NOW, AnalysedMarket, N, minute_bars, tied, walks, without


def analyst(world: AnalysedMarket) -> Analyst:
    storage = world.storage
    return Analyst(storage.bars, storage.instruments, storage.cache, to_json, lambda: world.now + 12)


def body(world: AnalysedMarket, name: str) -> Any:
    found = world.storage.cache.latest(name)
    assert found is not None
    return json.loads(found.body, parse_constant=lambda word: pytest.fail(f"{word} in JSON"))


@pytest.fixture
def world() -> AnalysedMarket:
    """Four walks and one symbol that is tied to the first."""
    world = AnalysedMarket()
    series = walks(4)
    for place, closes in enumerate([*series, tied(series[0])]):
        world.put(f"S{place}USDT", minute_bars(closes))
    return world


def test_a_run_publishes_statistics_correlations_and_the_scan(world: AnalysedMarket) -> None:
    report = analyst(world).run(NOW)
    assert report == Report(5, 5, 5, pairs_tested=10, pairs_admitted=1, scanned=True)
    stats, correlation, scan = (body(world, name) for name in ("stats", "correlation", "scan"))
    for result in (stats, correlation, scan):
        assert (result["computed_at"], result["duration_ms"], result["finished"]) == (NOW, 12, True)
        assert result["window"]["end"] == END
    assert [row["symbol"] for row in stats["symbols"]] == [f"S{place}USDT" for place in range(5)]
    assert stats["symbols"][0]["summary"]["completeness"] == {
        "expected": N, "bars": N, "complete": N, "incomplete": 0, "unknown": 0,
    }  # fmt: skip
    assert correlation["n"] == N
    assert np.diag(correlation["matrix"]).tolist() == [1.0] * 5
    assert correlation["symbols"][0]["complete"] is True
    best = scan["pairs"][0]
    assert {best["y"], best["x"]} == {"S0USDT", "S4USDT"}
    assert best["admitted"]
    assert best["passes"] == {"both_orders": True, "half_life": True, "stability": True, "data": True}
    assert best["half_life"] == pytest.approx(20, rel=0.5)
    assert [row["rank"] for row in scan["pairs"]] == list(range(1, 11))
    assert not any(row["admitted"] for row in scan["pairs"][1:])
    assert "not cointegrated" in scan["null_hypothesis"]


def test_a_scan_is_made_every_five_minutes_and_statistics_every_minute(world: AnalysedMarket) -> None:
    run = analyst(world)
    for minute in range(7):
        world.now = NOW + minute * MINUTE
        assert run.run(world.now).scanned == (minute in (0, 5))
        assert body(world, "stats")["computed_at"] == world.now
    assert body(world, "scan")["computed_at"] == NOW + SCAN_EVERY


def test_what_it_kept_in_memory_gives_what_a_fresh_process_reads(world: AnalysedMarket) -> None:
    run = analyst(world)
    run.run(NOW)
    closes = walks(1, N + 3, seed=9)[0]
    world.put("S0USDT", minute_bars(closes[-10:], END + 3 * MINUTE))
    world.now = NOW + 3 * MINUTE
    run.run(world.now)
    kept = body(world, "stats")
    world.now += 1
    fresh = analyst(world)
    fresh.run(world.now)
    assert kept["symbols"] == body(world, "stats")["symbols"]


def test_a_minute_that_is_not_resampled_yet_is_no_gap(world: AnalysedMarket) -> None:
    world.now = NOW + 2 * MINUTE
    analyst(world).run(world.now)
    assert body(world, "scan")["window"]["end"] == END
    assert {row["coverage"]["filled"] for row in body(world, "scan")["symbols"]} == {0}


def test_a_run_without_time_stops_with_what_it_has(world: AnalysedMarket) -> None:
    for steps in range(12):
        left = iter([True] * steps)
        world.now += MINUTE
        report = analyst(world).run(world.now, lambda left=left: next(left, False))  # type: ignore[misc]
        stats = body(world, "stats")
        assert stats["computed_at"] == world.now
        assert len(stats["symbols"]) == min(steps, 5)
        assert stats["finished"] == (steps >= 5)
        assert (report.unfinished > 0) == (steps < 6) or report.scanned


def test_symbols_that_cannot_take_part_are_named(world: AnalysedMarket) -> None:
    world.put("NEWUSDT", minute_bars(walks(1, 100, seed=3)[0]))
    world.put("FLATUSDT", minute_bars(np.full(N, 5.0)))
    world.put("NONEUSDT", minute_bars(np.zeros(0)))
    assert analyst(world).run(NOW).pairs_tested == 10
    assert {row["symbol"] for row in body(world, "scan")["symbols"]} == {f"S{place}USDT" for place in range(5)}
    assert {row["symbol"]: row["code"] for row in body(world, "scan")["excluded"]} == {
        "NEWUSDT": "too_few", "FLATUSDT": "constant", "NONEUSDT": "too_few",
    }  # fmt: skip
    rows = {row["symbol"]: row for row in body(world, "stats")["symbols"]}
    assert rows["NONEUSDT"]["summary"] is None
    assert "there is none" in rows["NONEUSDT"]["reason"]
    assert rows["FLATUSDT"]["summary"]["price"]["skew"] is None
    assert rows["FLATUSDT"]["summary"]["volatility"]["realised"] == 0


def test_incomplete_data_bar_a_pair_from_admission() -> None:
    world = AnalysedMarket()
    x = walks(1)[0]
    world.put("XUSDT", minute_bars(x))
    world.put("YUSDT", without(minute_bars(tied(x)), [700]))
    assert analyst(world).run(NOW).pairs_admitted == 0
    (row,) = body(world, "scan")["pairs"]
    assert row["passes"] == {"both_orders": True, "half_life": True, "stability": True, "data": False}
    assert row["verdict"] == "cointegrated in both orders, but its data are not complete"


def test_an_empty_market_says_so() -> None:
    world = AnalysedMarket()
    assert analyst(world).run(NOW) == Report(scanned=True)
    assert body(world, "scan")["reason"] == "symbols must be at least two with bars in the window"
    assert body(world, "scan")["pairs"] == []


def test_a_pair_that_is_one_series_twice_is_not_tested() -> None:
    world = AnalysedMarket()
    x = walks(1)[0]
    world.put("XUSDT", minute_bars(x))
    world.put("YUSDT", minute_bars(2 * x))
    assert analyst(world).run(NOW).pairs_tested == 0
    (row,) = body(world, "scan")["pairs"]
    assert row["collinear"]
    assert row["p_value"] is None
    assert (row["half_life"], row["half_life_error"], row["zscore"]) == (None, None, None)
    assert row["verdict"].startswith("not tested: the two series are (almost) multiples")


def test_a_pair_whose_past_determines_it_is_not_tested() -> None:
    """Two sines, to the last digit that a bar can have: no chance is left for a test to measure."""
    world = AnalysedMarket()
    t = np.arange(N) / 40
    world.put("XUSDT", minute_bars(100 + 50 * np.sin(t), decimals=13))
    world.put("YUSDT", minute_bars(100 + 50 * np.cos(t), decimals=13))
    assert analyst(world).run(NOW).pairs_tested == 0
    (row,) = body(world, "scan")["pairs"]
    assert (row["p_value"], row["collinear"]) == (None, False)
    assert row["verdict"].startswith("not tested: the past of its residual determines it")


def test_one_symbol_alone_has_no_correlations_and_is_told_why() -> None:
    world = AnalysedMarket()
    world.put("XUSDT", minute_bars(walks(1)[0]))
    analyst(world).run(NOW)
    found = body(world, "correlation")
    assert (found["matrix"], found["reason"]) == ([], "there are no two symbols with 4 bars in common")
