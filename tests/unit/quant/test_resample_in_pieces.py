"""Many trades are resampled piece by piece; nothing of that can be seen in the bars."""

from __future__ import annotations

import numpy as np
import pytest

from quant.analytics.resample import bars_of_trades
from quant.domain.bar import INCOMPLETE
from quant.domain.interval import M1, S1
from quant.domain.trade import Trades
from tests.unit.quant.reference import figures, plain_bars
from tests.unit.quant.strategies import START

COUNT = 70_000  # more than two pieces


def _many(mean_ms: int, seed: int = 11) -> Trades:
    chance = np.random.default_rng(seed)
    return Trades.of(
        np.arange(COUNT),
        START + np.cumsum(chance.integers(0, 2 * mean_ms + 1, COUNT)),
        chance.integers(1, 10_000, COUNT),
        chance.integers(1, 10_000, COUNT),
        chance.random(COUNT) < 0.5,
        price_decimals=2,
        quantity_decimals=3,
    )


@pytest.mark.parametrize("mean_ms", [0, 3, 400], ids=["one bar", "busy", "quiet"])
@pytest.mark.parametrize("interval", [S1, M1], ids=str)
def test_bars_of_many_trades_equal_those_made_one_trade_at_a_time(mean_ms: int, interval: tuple[str, int]) -> None:
    trades = _many(mean_ms)
    bars = bars_of_trades(trades, interval[1], previous_id=-1, next_id=COUNT)
    assert figures(bars) == plain_bars(trades, interval[1])
    assert bool(bars.complete.all())


def test_a_trade_stamped_earlier_among_many_is_found() -> None:
    trades = _many(3)
    times = trades.times.copy()
    times[50_000] -= 5_000
    moved = Trades.of(*trades.columns()[:1], times, *trades.columns()[3:], price_decimals=2, quantity_decimals=3)
    assert figures(bars_of_trades(moved, S1.ms)) == plain_bars(moved, S1.ms)


def test_a_hole_among_many_marks_the_bars_beside_it() -> None:
    trades = _many(3)
    holed = trades.take(np.arange(COUNT) != 33_000)
    bars = bars_of_trades(holed, S1.ms, previous_id=-1, next_id=COUNT)
    beside = (bars.first_id <= 33_001) & (bars.last_id >= 32_999)
    assert bars.complete[beside].tolist() == [INCOMPLETE] * int(beside.sum())
    assert bool(bars.complete[~beside].all())
