"""Bars up to now: what is stored, joined with bars made on the fly of the trades that are not resampled yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quant.analytics.resample import bars_of_trades, coarser
from quant.domain.bar import COMPLETE, UNKNOWN, Bars, merge
from quant.domain.interval import HOUR, M1, M5, MINUTE, S1, SECOND, Interval, floor
from quant.domain.market import Market
from quant.domain.ports import BarRepository, TickRepository, Watermark
from quant.domain.trade import Trades

# An exchange's clock may run ahead of ours, by seconds; more is not looked for.
AHEAD = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class Tail:
    """1s bars of what is not resampled yet, and from when on a bar may still change.

    Attributes:
        open_from: a bar that ends after it is not closed.
        now: when it was read, ms.
    """

    seconds: Bars
    start: int
    open_from: int
    now: int = 0


@dataclass(frozen=True, slots=True)
class LiveBars:
    """Reads bars of any served interval from the two repositories."""

    ticks: TickRepository
    bars: BarRepository

    def tail(self, market: Market, now: int, until: int | None = None) -> Tail:
        """What is not resampled yet; nothing where bars are wanted only ``until`` a time that has been resampled."""
        mark = self.bars.watermark(market) or Watermark(market, floor(now - HOUR, MINUTE), 0, -1, 0, True, now)
        if until is not None and until <= mark.time:
            return Tail(Bars.empty(S1.ms), mark.time, mark.time, now)
        trades = self.ticks.read(market, mark.time - MINUTE, now + AHEAD, first_id=mark.resume_id, aligned=True)
        seconds = bars_of_trades(
            trades, S1.ms, previous_id=mark.last_id if mark.last_id >= 0 else None, open_end=True
        ).between(mark.time, now + AHEAD)
        return Tail(seconds, mark.time, max(mark.time, _newest_second(trades)), now)

    def read(self, market: Market, interval: Interval, start: int, end: int, tail: Tail) -> Bars:
        """Bars with ``start <= time < end``; ``start`` is a whole interval."""
        stored = self._stored(market, interval.base, start, end, tail)
        return coarser(stored, interval.ms).between(start, end)

    def read_newest(self, market: Market, interval: Interval, end: int, limit: int, tail: Tail) -> Bars:
        """The newest ``limit`` bars before ``end``: where they are if nothing is missing, else through ever longer
        stretches."""
        found = self._read_recent(market, interval, end, limit, tail)
        if len(found) >= limit:
            return found.take(slice(-limit, None))
        newest = self.bars.latest(market, interval.base, end)
        times = [*tail.seconds.time[tail.seconds.time < end][-1:].tolist(), *([] if newest is None else [newest])]
        found = Bars.empty(interval.ms)
        start = high = floor(max(times, default=-interval.ms), interval.ms) + interval.ms
        length = limit * interval.ms
        while start > 0 and len(found) < limit:
            start = max(high - length, 0)
            found = self.read(market, interval, start, high, tail)
            length *= 2
        return found.take(slice(-limit, None))

    def read_oldest(self, market: Market, interval: Interval, start: int, end: int, limit: int, tail: Tail) -> Bars:
        """The first ``limit`` bars of start…end, both whole intervals; stretches without bars are jumped over."""
        found, length = Bars.empty(interval.ms), limit * interval.ms
        while start < end:
            high = min(start + length, end)
            more = self.read(market, interval, start, high, tail)
            found = merge([found, more]) if len(found) else more
            if len(found) >= limit:
                break
            start, length = self._next_bar(market, interval, high, end, tail), length * 2
        return found.take(slice(limit))

    def _next_bar(self, market: Market, interval: Interval, start: int, end: int, tail: Tail) -> int:
        """Where to go on: the interval of the first bar at or after ``start``, or ``end``."""
        if start >= end:
            return end
        stored = self.bars.earliest(market, interval.base, start)
        fresh = tail.seconds.time[tail.seconds.time >= start][:1].tolist()
        return max(start, floor(min([*fresh, *([] if stored is None else [stored])], default=end), interval.ms))

    def _read_recent(self, market: Market, interval: Interval, end: int, limit: int, tail: Tail) -> Bars:
        """Bars of the last ``limit`` intervals and a minute more, without asking where the newest one is."""
        last = max([min(end - 1, tail.now), *tail.seconds.time[tail.seconds.time < end][-1:].tolist()])
        high = floor(last, interval.ms) + interval.ms
        start = high - (limit + max(MINUTE // interval.ms, 1)) * interval.ms
        return self.read(market, interval, max(start, 0), min(high, end), tail)

    def _stored(self, market: Market, base: Interval, start: int, end: int, tail: Tail) -> Bars:
        parts = [self.bars.read(market, base, start, end)]
        fresh_from = max(start, floor(tail.start, base.ms))
        if end > fresh_from:
            fresh = tail.seconds
            if base is not S1:
                fresh = coarser(fresh, M1.ms)
            if base is M5:
                minutes = self.bars.read(market, M1, fresh_from, tail.start)
                fresh = coarser(merge([minutes, fresh]) if len(minutes) else fresh, M5.ms)
            parts.append(fresh.between(fresh_from, end))
        return merge(parts)


def is_closed(bars: Bars, tail: Tail) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """For each bar, whether it can change no more but by a healed trade."""
    closed: np.ndarray[tuple[int], np.dtype[np.bool_]] = bars.time + bars.interval <= tail.open_from
    return closed


def filled(bars: Bars, start: int, end: int, before: Bars) -> Bars:
    """The bars of start…end with an empty one at the previous close wherever none is.

    An empty bar has no trades, no volume and no ids. It is complete where its neighbours join and so prove that nothing
    was traded; unknown else. ``before`` may hold the last bar before ``start``; without it nothing is filled until the
    first bar.
    """
    known = merge([before, bars]) if len(before) else bars
    if not len(known):
        return bars
    grid = np.arange(max(start, int(known.time[0])), end, bars.interval, dtype=np.int64)
    at = np.searchsorted(known.time, grid, side="right") - 1
    spread = known.take(at)
    empty = spread.time != grid
    neighbour = np.minimum(at + 1, len(known) - 1)
    proven = (spread.complete == COMPLETE) & (known.first_id[neighbour] == spread.last_id + 1)
    columns: dict[str, Any] = {name: np.where(empty, 0, getattr(spread, name)) for name in _NOTHING_TRADED}
    columns |= {name: np.where(empty, spread.close, getattr(spread, name)) for name in ("open", "high", "low")}
    columns |= {name: np.where(empty, -1, getattr(spread, name)) for name in ("first_id", "last_id")}
    judged = np.where(empty, np.where(proven, COMPLETE, UNKNOWN), spread.complete).astype(np.int8)
    return replace(spread, time=grid, complete=judged, **columns)


_NOTHING_TRADED = ("volume", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume", "trades")


def _newest_second(trades: Trades) -> int:
    return floor(int(trades.times.max()), SECOND) if len(trades) else 0
