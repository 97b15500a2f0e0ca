"""Storing bars of trades: 1s bars, the 1m bars made of them, and out of what is then stored the 5m bars around them."""

from __future__ import annotations

from dataclasses import dataclass

from quant.analytics.resample import coarser
from quant.domain.bar import INCOMPLETE, Bars
from quant.domain.interval import M1, M5, ceil, floor
from quant.domain.market import Market
from quant.domain.ports import BarRepository


@dataclass(frozen=True, slots=True)
class Stored:
    """What was stored.

    Attributes:
        bars: how many bars of any interval were made.
        items_written: how many items they changed.
        incomplete: minutes that hold a bar whose trades are not all there.
    """

    bars: int
    items_written: int
    incomplete: frozenset[int]


def store_bars(
    bars: BarRepository, market: Market, seconds: Bars, start: int, end: int, closed_until: int, *, with_1s: bool = True
) -> Stored:
    """Merge bars of start…end.

    Args:
        seconds: all 1s bars of these whole minutes.
        closed_until: 5m bars that end later are left to whoever closes them.
        with_1s: false where 1s bars are too old to be kept.
    """
    minutes = coarser(seconds, M1.ms)
    parts = [part for part in ((seconds, minutes) if with_1s else (minutes,)) if len(part)]
    written = sum(bars.merge(market, part) for part in parts)
    low, high = floor(start, M5.ms), min(ceil(end, M5.ms), floor(closed_until, M5.ms))
    fives = coarser(bars.read(market, M1, low, high), M5.ms)
    written += bars.merge(market, fives) if len(fives) else 0
    broken = frozenset(minutes.time[minutes.complete == INCOMPLETE].tolist())
    return Stored(len(seconds) + len(minutes) + len(fives), written, broken)
