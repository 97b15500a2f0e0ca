"""Two symbols on one grid."""

from __future__ import annotations

import numpy as np
import pytest

from quant.analytics.alignment import Coverage, align
from quant.analytics.resample import coarser
from quant.domain.interval import M5, MINUTE
from quant.errors import SeriesError
from tests.functional.analyse.market import END, minute_bars, without

START = END - 6 * MINUTE
FULL = minute_bars(np.array([10.0, 11, 12, 13, 14, 15]))
HOLED = without(minute_bars(np.array([1.0, 2, 3, 4, 5, 6])), [2])
LATE = minute_bars(np.array([7.0, 8, 9]))


def test_none_leaves_out_what_one_lacks() -> None:
    found = align([FULL, HOLED], "none", START, END)
    assert found.closes.tolist() == [[10, 11, 13, 14, 15], [1, 2, 4, 5, 6]]
    assert found.dropped == 1
    assert found.time.tolist() == [START + place * MINUTE for place in (0, 1, 3, 4, 5)]
    assert found.coverage == (Coverage(6, 6, 0, 0, 0), Coverage(6, 5, 0, 2, 0))


def test_previous_stands_at_the_last_close_and_counts_it() -> None:
    found = align([FULL, HOLED], "previous", START, END)
    assert found.closes[1].tolist() == [1, 2, 2, 4, 5, 6]
    assert (found.dropped, found.coverage[1].filled) == (0, 1)


def test_previous_begins_where_all_have_a_bar() -> None:
    found = align([FULL, LATE], "previous", START, END)
    assert found.closes.tolist() == [[13, 14, 15], [7, 8, 9]]
    assert (found.dropped, found.coverage[1].filled) == (3, 0)


def test_strict_takes_no_hole() -> None:
    with pytest.raises(SeriesError, match="series 2 lacks 1 bars"):
        align([FULL, HOLED], "strict", START, END)
    assert align([FULL, FULL], "strict", START, END).dropped == 0


def test_completeness_is_judged_by_holes_not_by_quiet_minutes() -> None:
    assert Coverage(100, 99, 1, 0, 0).is_complete
    assert not Coverage(100, 98, 2, 0, 0).is_complete
    assert not Coverage(100, 100, 0, 1, 0).is_complete


def test_nothing_in_common_is_named() -> None:
    with pytest.raises(SeriesError) as caught:
        align([FULL, FULL.between(0, 1)], "none", START, END)
    assert caught.value.reason == "too_few"


def test_intervals_have_to_be_equal() -> None:
    with pytest.raises(SeriesError):
        align([FULL, coarser(FULL, M5.ms)], "none", START, END)
