"""What is found in the simulated market, whose truth is known, and in one in which nothing is true."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analyse.service import Analyst
from quant.analytics.scan import scan
from quant.http.answers import to_json
from tests.functional.analyse.market import NOW, AnalysedMarket, minute_bars
from tests.functional.analyse.true_pairs import LAST_HOUR, SYMBOLS, TRUE_PAIRS, closes, ranked, scanned


@pytest.mark.parametrize("days_ago", [0, 1, 2])
def test_the_three_true_pairs_rank_first_after_three_days(days_ago: int) -> None:
    found = scanned(LAST_HOUR - 24 * days_ago)
    assert set(ranked(found)[:3]) == TRUE_PAIRS
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
