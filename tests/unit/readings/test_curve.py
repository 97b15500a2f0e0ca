"""A metric in few points keeps every extreme, and makes nothing up where trades are missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant.alerting.readings import Readings
from quant.readings.curve import MAX_POINTS, curve_of

SECOND = 1_000


def readings(values: list[float], *, holes: tuple[int, ...] = (), before: int = 0) -> Readings:
    """Bars of a second from 0 on, each with a wick of one up and two down; the first ``before`` are of the past."""
    value = np.array(values, dtype=float)
    time = np.arange(len(values), dtype=np.int64) * SECOND
    hole = np.array([SECOND if place in holes else 0 for place in range(len(values))], dtype=np.int64)
    return Readings(SECOND, time, value, value - 2, value + 1, hole, len(values) * SECOND, before * SECOND)


def test_few_bars_are_a_point_each_from_the_start_on() -> None:
    curve = curve_of(readings([9, 10, 11], before=1))
    assert curve.step == SECOND
    assert curve.time.tolist() == [1_000, 2_000]
    assert [curve.value.tolist(), curve.low.tolist(), curve.high.tolist()] == [[10, 11], [8, 9], [11, 12]]


def test_a_bar_that_lacks_trades_is_a_gap() -> None:
    curve = curve_of(readings([10, 99, 11], holes=(1,)))
    assert np.isnan([curve.value[1], curve.low[1], curve.high[1]]).all()
    assert curve.value[[0, 2]].tolist() == [10, 11]


def test_a_point_of_many_bars_has_their_extremes_and_the_last_known_value() -> None:
    values = [float(place) for place in range(2 * MAX_POINTS)]
    values[4] = 5_000
    curve = curve_of(readings(values, holes=(3, 4, 7)))
    assert (curve.step, len(curve.time)) == (2 * SECOND, MAX_POINTS)
    # Of 2 and 3 only 2 is known; of 4 and 5 only 5; of 6 and 7 only 6.
    assert curve.value[:4].tolist() == [1, 2, 5, 6]
    assert curve.low[:4].tolist() == [-2, 0, 3, 4]
    assert curve.high[:4].tolist() == [2, 3, 6, 7]


def test_nothing_is_no_point() -> None:
    assert len(curve_of(Readings.none(SECOND, 0, "nothing")).time) == 0


@given(st.integers(1, 5_000), st.integers(0, 2**32 - 1))
def test_no_extreme_is_lost_however_many_bars(count: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=count)
    curve = curve_of(readings(values.tolist()))
    assert len(curve.time) <= MAX_POINTS
    assert curve.high.max() == pytest.approx(values.max() + 1)
    assert curve.low.min() == pytest.approx(values.min() - 2)
    assert curve.value[-1] == values[-1]
