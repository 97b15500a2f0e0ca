"""Bars on a grid: what silence fills, and what counts as missing."""

from __future__ import annotations

import numpy as np

from quant.analytics.resample import bars_of_trades
from quant.domain.bar import Bars
from quant.domain.interval import SECOND
from quant.domain.trade import Trades
from quant.readings.frame import frame_of

START = 1_795_348_800_000


def bars(seconds: dict[int, list[int]], open_end: bool = True) -> Bars:
    """1s bars of trades with these ids in these seconds, at a price of their id; id 9 was before them."""
    ids = [one for several in seconds.values() for one in several]
    times = [
        START + second * SECOND + 10 * place for second, several in seconds.items() for place in range(len(several))
    ]
    n = len(ids)
    trades = Trades.of(
        np.array(ids), np.array(times), np.array([100 * one for one in ids]), [5] * n, [False] * n,
        price_decimals=2, quantity_decimals=1,
    )  # fmt: skip
    return bars_of_trades(trades, SECOND, previous_id=9, open_end=open_end)


def unsound(found: Bars, until: int = 10, start: int = 0) -> list[int]:
    frame = frame_of(found, START + start * SECOND, START + until * SECOND)
    return [start + place for place in np.flatnonzero(frame.unsound).tolist()]


def test_silence_stands_at_the_close_before_and_has_no_volume() -> None:
    frame = frame_of(bars({0: [10, 11], 3: [12]}), START, START + 5 * SECOND)
    assert frame.close.tolist() == [11, 11, 11, 12, 12]
    assert (frame.high.tolist(), frame.low.tolist()) == ([11, 11, 11, 12, 12], [10, 11, 11, 12, 12])
    assert frame.volume.tolist() == [1, 0, 0, 0.5, 0]
    assert not frame.unsound.any()


def test_a_hole_makes_both_neighbours_and_all_between_unsound() -> None:
    assert unsound(bars({0: [10, 11], 2: [12], 5: [14, 15], 6: [16]})) == [2, 3, 4, 5]


def test_a_hole_within_a_second_makes_that_second_unsound() -> None:
    assert unsound(bars({0: [10], 1: [11, 13], 2: [14]})) == [1]


def test_what_came_before_the_first_bar_is_not_known() -> None:
    assert unsound(bars({3: [10], 4: [11]}), until=6) == [0, 1, 2]


def test_a_bar_that_was_stored_before_its_right_neighbour_was_known_is_whole() -> None:
    """So the last bar before a silence is stored: its certificate is refused, its ids say that nothing is missing."""
    stored = bars({0: [10], 1: [11, 12]}, open_end=False)
    assert stored.complete.tolist() == [1, 0]
    assert unsound(stored, until=8) == []
    assert unsound(bars({0: [10], 1: [12]}, open_end=False), until=3) == [0, 1]


def test_the_bar_before_the_start_says_what_stands_at_the_start() -> None:
    frame = frame_of(bars({0: [10], 6: [11]}), START + 3 * SECOND, START + 7 * SECOND)
    assert frame.close.tolist() == [10, 10, 10, 11]
    assert not frame.unsound.any()


def test_bars_of_the_exchange_are_believed() -> None:
    found = bars({0: [10], 2: [12], 4: [13]})
    columns = {name: getattr(found, name) for name in found.__slots__}
    theirs = Bars(**columns | {
        "complete": np.full(3, -1, dtype=np.int8), "source": np.zeros(3, dtype=np.int8),
        "first_id": np.full(3, -1), "last_id": np.full(3, -1),
    })  # fmt: skip
    assert unsound(theirs, until=6) == []
