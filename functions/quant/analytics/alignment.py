"""Bars of several symbols on one grid of time. What is missing is handled as the caller says, and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from quant.analytics.series import Floats, Ints
from quant.domain.bar import INCOMPLETE, UNKNOWN, Bars
from quant.errors import SeriesError

Fill = Literal["none", "previous", "strict"]
FILLS: tuple[Fill, ...] = ("none", "previous", "strict")


@dataclass(frozen=True, slots=True)
class Coverage:
    """What stands behind one symbol's series.

    Attributes
    ----------
    bars : int
        Bars that are there, of ``expected``.
    filled : int
        Points that stand at the previous close because no bar is there.
    incomplete : int
        Bars of which trades are known to be missing.
    unknown : int
        The exchange's own bars, which carry no ids to judge by.
    """

    expected: int
    bars: int
    filled: int
    incomplete: int
    unknown: int

    @property
    def is_complete(self) -> bool:
        """No bar is known to lack trades, and at most one point in a hundred is not a bar."""
        return self.incomplete == 0 and 100 * (self.expected - self.bars) <= self.expected


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """Closes of s symbols at n common times.

    Attributes
    ----------
    time : ndarray of int, shape (n,)
        Start of the bars, ms.
    closes : ndarray, shape (s, n)
    coverage : tuple of Coverage, length s
    dropped : int
        Times of the grid that were left out because some symbol has no bar there.
    """

    time: Ints
    closes: Floats
    coverage: tuple[Coverage, ...]
    dropped: int


def closes_of(bars: Bars) -> Floats:
    """Closes as floats: each is the double nearest to the exact decimal."""
    closes: Floats = bars.close / 10**bars.price_decimals
    return closes


def align(bars: Sequence[Bars], fill: Fill, start: int, end: int) -> Aligned:
    """Closes of all symbols at the times ``start <= time < end`` of their interval's grid.

    Parameters
    ----------
    bars : sequence of Bars, length s
        Of one interval; ascending.
    fill : {"none", "previous", "strict"}
        ``none`` leaves out every time at which some symbol has no bar; ``previous`` puts the last close there,
        beginning where all symbols have one; ``strict`` takes no missing bar.
    start, end : int
        ms; ``start`` is on the grid.

    Raises
    ------
    SeriesError
        ``missing_bars`` (strict); ``too_few``: no time is common to all.
    """
    interval = bars[0].interval
    if any(one.interval != interval for one in bars):
        raise SeriesError("bars", "unequal", "are of different intervals")
    inside = [one.between(start, end) for one in bars]
    grid = np.arange(start, end, interval, dtype=np.int64)
    has_bar = np.array([np.isin(grid, one.time, assume_unique=True) for one in inside]).reshape(len(bars), len(grid))
    if fill == "strict" and not bool(has_bar.all()):
        place, at = np.argwhere(~has_bar)[0]
        missing = int((~has_bar[place]).sum())
        raise SeriesError(
            "fill", "missing_bars", f"is strict and series {place + 1} lacks {missing} bars, the first at {grid[at]}"
        )
    if fill == "none":
        kept = has_bar.all(axis=0)
    else:
        kept = np.logical_and.reduce([np.logical_or.accumulate(row) for row in has_bar])
    time = grid[kept]
    if not len(time):
        raise SeriesError("bars", "too_few", "have no time in common")
    closes = np.array([closes_of(one)[np.searchsorted(one.time, time, side="right") - 1] for one in inside])
    coverage = tuple(
        Coverage(
            expected=len(grid),
            bars=len(one),
            filled=int((kept & ~row).sum()),
            incomplete=int((one.complete == INCOMPLETE).sum()),
            unknown=int((one.complete == UNKNOWN).sum()),
        )
        for one, row in zip(inside, has_bar, strict=True)
    )
    return Aligned(time, closes, coverage, len(grid) - len(time))
