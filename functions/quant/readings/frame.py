"""One market's bars on a grid of time without a gap, each point with the verdict whether all of it is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from quant.analytics.alignment import closes_of
from quant.domain.bar import INCOMPLETE, Bars

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Points at ``start``, ``start + interval`` … before ``until``; floats, since metrics are.

    Attributes:
        close, high, low: where nothing was traded, the close before.
        volume, quote: zero where nothing was traded.
        unsound: where trades are known or must be feared to be missing.
        known_from: time of the first bar that there is, ms; ``until`` where there is none.
    """

    interval: int
    start: int
    until: int
    close: Floats
    high: Floats
    low: Floats
    volume: Floats
    quote: Floats
    unsound: Bools
    known_from: int

    def __len__(self) -> int:
        return len(self.close)

    @property
    def time(self) -> Ints:
        return self.start + self.interval * np.arange(len(self), dtype=np.int64)

    def since(self, start: int) -> Frame:
        """The points from ``start``, a point of the grid, on."""
        at = max((start - self.start) // self.interval, 0)
        if not at:
            return self
        columns = {name: getattr(self, name)[at:] for name in _COLUMNS}
        return replace(self, start=self.start + at * self.interval, **columns)


_COLUMNS = ("close", "high", "low", "volume", "quote", "unsound")


def frame_of(bars: Bars, start: int, until: int) -> Frame:
    """The frame of ``start <= time < until``, both on the grid.

    Args:
        bars: ascending; with the bar before ``start``, if there is one, and with those that are still open.
    """
    interval = bars.interval
    grid = np.arange(start, max(until, start), interval, dtype=np.int64)
    if not len(bars) or not len(grid):
        return _nothing(interval, start, until, len(grid))
    at = np.searchsorted(bars.time, grid, side="right") - 1
    is_known, place = at >= 0, np.maximum(at, 0)
    is_there = is_known & (bars.time[place] == grid)
    close = closes_of(bars)[place]
    scale = 10**bars.price_decimals
    sound, joined = _verdicts(bars)
    return Frame(
        interval=interval,
        start=start,
        until=until,
        close=close,
        high=np.where(is_there, bars.high[place] / scale, close),
        low=np.where(is_there, bars.low[place] / scale, close),
        volume=np.where(is_there, _floats(bars.volume[place], bars.quantity_decimals), 0.0),
        quote=np.where(is_there, _floats(bars.quote_volume[place], bars.quantity_decimals + bars.price_decimals), 0.0),
        unsound=~np.where(is_there, sound[place], is_known & joined[place]),
        known_from=int(bars.time[0]),
    )


def _verdicts(bars: Bars) -> tuple[Bools, Bools]:
    """For each bar whether all of its trades are there, and whether nothing was traded between it and the next.

    A bar's certificate is given when it is stored, before its right neighbour is known where the market falls silent:
    so ids are asked too. After the newest bar nothing is known to be missing; whoever reads says how far that holds.
    """
    own = bars.first_id >= 0
    joins = own[1:] & (bars.first_id[1:] == bars.last_id[:-1] + 1)
    left, right = np.concatenate(([False], joins)), np.concatenate((joins, [True]))
    has_all = own & (bars.last_id - bars.first_id + 1 == bars.trades)
    sound = (bars.complete != INCOMPLETE) | (has_all & left & right)
    silent = np.concatenate((joins | (sound[1:] & sound[:-1]), [True]))
    return sound, silent


def _floats(values: NDArray[np.int64], decimals: int) -> Floats:
    floats: Floats = values.astype(np.float64) / 10.0**decimals
    return floats


def _nothing(interval: int, start: int, until: int, n: int) -> Frame:
    ones, zeros = np.ones(n), np.zeros(n)
    return Frame(interval, start, until, ones, ones, ones, zeros, zeros, np.ones(n, dtype=np.bool_), until)
