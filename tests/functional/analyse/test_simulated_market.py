"""What is found in the simulated market, whose truth is known, and in one in which nothing is true."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from analyse.service import Analyst
from infra.local.exchange.listing import LISTINGS, TIES, log_price
from quant.analytics.scan import scan
from quant.http.answers import to_json
from tests.functional.analyse.market import END, NOW, AnalysedMarket, minute_bars

SYMBOLS = sorted(LISTINGS)
TRUE_PAIRS = {frozenset((y, tie.x)) for y, tie in TIES.items()}
LAST_HOUR = END // 3_600_000
HOURS = 72


@cache
def closes(symbol: str, end: int) -> NDArray[np.float64]:
    """Three days of minute closes of the market as it is made, without its trades."""
    path = log_price(7, symbol)
    return np.exp(np.concatenate([path.hour(hour)[60::60] for hour in range(end - HOURS, end)]))


@pytest.mark.parametrize("days_ago", [0, 1, 2])
def test_the_three_true_pairs_rank_first_after_three_days(days_ago: int) -> None:
    found = scan(np.array([closes(symbol, LAST_HOUR - 24 * days_ago) for symbol in SYMBOLS]))
    best = [frozenset((SYMBOLS[found.first[pair]], SYMBOLS[found.second[pair]])) for pair in found.order[:3]]
    assert set(best) == TRUE_PAIRS
    assert found.admitted[found.order[:3]].all()


def test_the_analyse_function_publishes_them() -> None:
    world = AnalysedMarket()
    for symbol in SYMBOLS:
        world.put(symbol, minute_bars(closes(symbol, LAST_HOUR), decimals=6))
    storage = world.storage
    report = Analyst(storage.bars, storage.instruments, storage.cache, to_json, lambda: world.now).run(NOW)
    assert (report.pairs_tested, report.scanned) == (66, True)
    result = storage.cache.latest("scan")
    assert result is not None
    rows = json.loads(result.body)["pairs"]
    assert {frozenset((row["y"], row["x"])) for row in rows[:3]} == TRUE_PAIRS
    assert [row["admitted"] for row in rows[:3]] == [True, True, True]


def test_nothing_is_found_where_nothing_is() -> None:
    """Five seeds of 2,016 pairs of independent random walks: a share of 5 % would be 500 false discoveries."""
    admitted, uncorrected = 0, 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        found = scan(100 * np.exp(0.0007 * rng.standard_normal((64, 700)).cumsum(axis=1)))
        admitted += int(found.passes_both_orders.sum())
        uncorrected += int((found.p_value[:, 0] <= 0.05).sum())
    assert admitted <= 5
    assert 200 < uncorrected < 1_000
