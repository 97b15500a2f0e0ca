"""The resampling use case: new and healed trades become 1s, 1m and 5m bars.

Any order of arrival, repetition or concurrent run gives the same bars, because a bar is a pure function of the stored
trades, stored trades are only ever added, and the bar repository keeps the better of two versions of a bar. So the
steps are ordered only for crashes: bars first, then the watermark or the mark that asked for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from quant.analytics.resample import bars_of_trades
from quant.bar_store import store_bars
from quant.domain.bar import COMPLETE, Bars
from quant.domain.interval import HOUR, M1, M5, MINUTE, S1, ceil, floor
from quant.domain.market import Market
from quant.domain.ports import BarRepository, DirtyMark, HeartbeatRepository, TickRepository, Watermark
from quant.domain.trade import Trades, merge

# Trades of the near future are read too: clocks of exchanges and readers differ.
AHEAD = HOUR
# How far a neighbour of a rewritten minute is looked for: an ingestor heals no hole that is longer.
NEIGHBOURHOOD = 6 * HOUR


@dataclass(frozen=True, slots=True)
class Report:
    """What one run did."""

    markets: int = 0
    bars: int = 0
    items_written: int = 0
    marks_cleared: int = 0
    marks_waiting: int = 0
    unfinished: int = 0
    damaged: int = 0

    def __add__(self, other: Report) -> Report:
        return Report(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Resampler:
    """The ports of the use case.

    Attributes:
        oldest: how far back from now a market without a watermark is looked for, ms.
    """

    ticks: TickRepository
    bars: BarRepository
    heartbeats: HeartbeatRepository
    oldest: int

    def run(self, now: int, has_time: Callable[[], bool] = lambda: True) -> Report:
        """Bring every market up to date. When the time is over it stops between two steps; the next run goes on."""
        frontiers, watermarks = self._frontiers(), self.bars.watermarks()
        markets = sorted(frontiers.keys() | watermarks.keys())
        report = Report(markets=len(markets))
        for market in markets:
            report += self._catch_up(market, watermarks.get(market), frontiers.get(market, 0), now, has_time)
        # Marks come last: a healed trade may lie in a minute that was closed just now, below the id where it began.
        for mark in self.ticks.dirty_marks():
            report += self.heal(mark) if has_time() else Report(unfinished=1)
        for market, minute in self.bars.incomplete():
            if is_due(minute, now):
                report += self.look_again(market, minute) if has_time() else Report(unfinished=1)
        return report + Report(damaged=self.ticks.note_damage())

    def heal(self, mark: DirtyMark) -> Report:
        """Rewrite the bars that the marked trades touch.

        The mark stays until all of its trades are there and the 5m bars around them are closed: what this run leaves
        open another one may just now be closing on an older reading.
        """
        watermark = self.bars.watermark(mark.market)
        if watermark is None:
            return Report(marks_waiting=1)
        touched = self.ticks.read(
            mark.market,
            mark.hour - NEIGHBOURHOOD,
            mark.hour + HOUR + NEIGHBOURHOOD,
            first_id=mark.first_id - 1,
            last_id=mark.last_id + 1,
        )
        report = Report()
        for minute in np.unique(touched.times // MINUTE).tolist():
            report += self._rewrite(watermark, minute * MINUTE)
        inside = touched.take((touched.ids >= mark.first_id) & (touched.last_ids <= mark.last_id))
        is_there = int((inside.last_ids - inside.ids + 1).sum()) >= mark.count
        if not is_there or ceil(int(touched.times.max()) + 1, M5.ms) > watermark.time:
            return report + Report(marks_waiting=1)
        self.ticks.clear_mark(mark)
        return report + Report(marks_cleared=1)

    def look_again(self, market: Market, minute: int) -> Report:
        """Make the bars of an incomplete minute anew: what was missing may have come without a mark.

        So it is where one ingestor saw a hole, another one held its trades, and the first died before healing.
        """
        watermark = self.bars.watermark(market)
        if watermark is None:
            return Report()
        report = self._rewrite(watermark, minute)
        stored = self.bars.read(market, M1, minute, minute + MINUTE)
        if len(stored) and int(stored.complete[0]) == COMPLETE:
            self.bars.clear_incomplete(market, minute)
        return report

    def _frontiers(self) -> dict[Market, int]:
        """How far each market is published: the promise of the ingestor that is furthest."""
        frontiers: dict[Market, int] = {}
        for pulse in (pulse for heartbeat in self.heartbeats.all() for pulse in heartbeat.pulses):
            if pulse.confirmed_id:
                frontiers[pulse.market] = max(frontiers.get(pulse.market, 0), pulse.frontier)
        return frontiers

    def _catch_up(
        self, market: Market, watermark: Watermark | None, frontier: int, now: int, has_time: Callable[[], bool]
    ) -> Report:
        report, mark = Report(), watermark or self._beginning(market, now)
        while mark is not None:
            if not has_time():
                return report + Report(unfinished=1)
            step, mark = self._advance(mark, frontier, now)
            report += step
        return report

    def _beginning(self, market: Market, now: int) -> Watermark | None:
        first = self.ticks.read(market, now - self.oldest, now + AHEAD, limit=1)
        if not len(first):
            return None
        time = floor(int(first.times[0]), MINUTE)
        return Watermark(market, time, first.first_id, -1, time, joined=True, written_at=now)

    def _advance(self, mark: Watermark, frontier: int, now: int) -> tuple[Report, Watermark | None]:
        """At most an hour of trades, so that memory is bounded however long the pause was.

        Returns what was done and the watermark to go on from, or None where nothing is left to do.
        """
        end = floor(now + AHEAD, MINUTE)
        horizon = min(mark.time + HOUR, end)
        trades = self._trades_from(mark, horizon, end)
        newest = int(trades.times.max()) if len(trades) else 0
        target = min(floor(max(newest, frontier), MINUTE), horizon)
        if target <= mark.time:
            return Report(), None
        report = self._join(mark, trades) + self._store(mark, trades, target)
        moved = _moved(mark, trades, target, now)
        self.bars.advance(moved)
        return report, moved if horizon < end else None

    def _trades_from(self, mark: Watermark, horizon: int, end: int) -> Trades:
        """Trades that are not resampled yet up to the horizon, and the first one behind it where it is needed.

        They begin a minute early: a trade may be stamped earlier than one with a lower id.
        """
        trades = self.ticks.read(mark.market, mark.time - MINUTE, horizon, first_id=mark.resume_id, aligned=True)
        if horizon == end or (len(trades) and int(trades.times.max()) >= mark.time + MINUTE):
            return trades
        return merge([trades, self.ticks.read(mark.market, horizon, end, first_id=mark.resume_id, limit=1)])

    def _join(self, mark: Watermark, trades: Trades) -> Report:
        """The last stored bar was closed before its right neighbour was known: it is judged anew."""
        if mark.joined or not len(trades):
            return Report()
        return self._rewrite(mark, floor(mark.last_time, MINUTE))

    def _store(self, mark: Watermark, trades: Trades, target: int) -> Report:
        previous_id = mark.last_id if mark.last_id >= 0 else None
        seconds = bars_of_trades(trades, S1.ms, previous_id=previous_id).between(mark.time, target)
        return self._merge_all(mark.market, seconds, mark.time, target, target)

    def _rewrite(self, watermark: Watermark, minute: int) -> Report:
        """Make the bars of one stored minute anew; one that is not stored yet comes with its time."""
        if minute >= watermark.time:
            return Report()
        market = watermark.market
        trades = self.ticks.read(market, minute, minute + MINUTE)
        if not len(trades):
            return Report()
        around = self.ticks.read(
            market, minute - MINUTE, minute + 2 * MINUTE, first_id=trades.first_id - 1, last_id=trades.last_id + 1
        )
        seconds = bars_of_trades(
            around,
            S1.ms,
            previous_id=self._id_before(market, minute, around.first_id),
            next_id=self._id_after(market, minute, around.last_id),
        ).between(minute, minute + MINUTE)
        return self._merge_all(market, seconds, minute, minute + MINUTE, watermark.time)

    def _id_before(self, market: Market, minute: int, trade_id: int) -> int | None:
        found = self.ticks.read(
            market, minute - NEIGHBOURHOOD, minute + MINUTE, last_id=trade_id - 1, limit=1, newest_first=True
        )
        return found.last_id if len(found) else None

    def _id_after(self, market: Market, minute: int, trade_id: int) -> int | None:
        found = self.ticks.read(market, minute, minute + NEIGHBOURHOOD, first_id=trade_id + 1, limit=1)
        return found.first_id if len(found) else None

    def _merge_all(self, market: Market, seconds: Bars, start: int, end: int, closed_until: int) -> Report:
        stored = store_bars(self.bars, market, seconds, start, end, closed_until)
        for minute in stored.incomplete:
            self.bars.note_incomplete(market, minute)
        return Report(bars=stored.bars, items_written=stored.items_written)


def is_due(minute: int, now: int) -> bool:
    """Incomplete minutes are looked at in each of the first runs, then ever more seldom."""
    age = (now - minute) // MINUTE
    return age <= 15 or age % 10 == 0


def _moved(mark: Watermark, trades: Trades, target: int, now: int) -> Watermark:
    """The watermark at ``target``, after all ``trades`` before it are stored as bars."""
    closed, rest = trades.take(trades.times < target), trades.take(trades.times >= target)
    moved = replace(mark, time=target, written_at=now)
    if not len(closed):
        return replace(moved, joined=mark.joined or len(rest) > 0)
    last_time = max(mark.last_time, int(closed.times[-1]))
    if not len(rest):
        return replace(moved, resume_id=closed.last_id + 1, last_id=closed.last_id, last_time=last_time, joined=False)
    before = closed.take(closed.ids < rest.first_id)
    return replace(
        moved,
        resume_id=rest.first_id,
        last_id=before.last_id if len(before) else mark.last_id,
        last_time=last_time,
        joined=rest.last_id > closed.last_id,
    )
