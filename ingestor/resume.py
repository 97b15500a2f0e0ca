"""Where each market goes on after a start: at what storage holds, whatever this machine's disk says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ingestor.backoff import Backoff
from ingestor.exchanges.base import Exchange
from ingestor.gaps import Gap, Gaps, missing_between
from ingestor.locate import first_id_at, newest_trade
from ingestor.logging_json import Log
from ingestor.rest import RestClient
from ingestor.threads import in_thread
from ingestor.tracker import Tracker
from quant.domain.interval import DAY, HOUR, M1, M5, MINUTE, floor, hours_between
from quant.domain.market import Market
from quant.domain.ports import BarRepository, Clock, Heartbeat, HeartbeatRepository, TickRepository
from quant.domain.trade import Ints
from quant.errors import QuantError

HEAL_MAX = 6 * HOUR
# Clocks differ, and another ingestor may store while this one looks.
_SKEW = 30_000
# Bars of our own further back than this do not say that a market was followed.
_MEMORY = 7 * DAY

T = TypeVar("T")


async def patiently(what: str, log: Log, call: Callable[[], Awaitable[T]]) -> T:
    """Try until it works; a failure that no retry mends is tried again seldom, since the outside may be mended."""
    backoff = Backoff(base=0.5, cap=30.0)
    while True:
        try:
            return await call()
        except QuantError as exc:
            pause = max(backoff.next(), 0.0 if exc.retryable else 30.0)
            log("start_retry", "WARNING", what=what, reason=str(exc), pause_s=round(pause, 3))
            await asyncio.sleep(pause)


def frontiers(heartbeats: HeartbeatRepository, bars: BarRepository) -> dict[Market, int]:
    """How far anybody may have been told that trades are complete, or marked: below it, writes need a mark."""
    known = {market: mark.time for market, mark in bars.watermarks().items()}
    for beat in heartbeats.all():
        for pulse in beat.pulses:
            known[pulse.market] = max(pulse.frontier, known.get(pulse.market, 0))
    return known


@dataclass(frozen=True, slots=True)
class Reached:
    """All ids up to ``id`` are stored, as far back as healing goes; that was said of a trade of ``time``, ms."""

    id: int = -1
    time: int = 0


def contiguous_ids(beats: tuple[Heartbeat, ...]) -> dict[Market, Reached]:
    """What ingestors have said of themselves: the furthest of them counts."""
    known: dict[Market, Reached] = {}
    for pulse in (pulse for beat in beats for pulse in beat.pulses):
        said = pulse.counters.get("contiguous_id", -1)
        if said > known.get(pulse.market, Reached()).id:
            known[pulse.market] = Reached(said, pulse.confirmed_time)
    return known


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far back things reach, ms; and what the first start may ask for.

    Attributes:
        heal_max: what lies further back is not healed but recorded.
        tick_ttl: ticks further back are not in the table any more.
        first_pages: pages of trades per market that complete its first bar.
    """

    heal_max: int = HEAL_MAX
    tick_ttl: int = 7 * DAY
    first_pages: int = 30


@dataclass(frozen=True, slots=True)
class _Stored:
    """What storage holds of a market, below what the stream has brought since the start; ascending by id."""

    ids: Ints
    last_ids: Ints
    times: Ints

    @property
    def first_time(self) -> int:
        return int(self.times[0])


class Resumer:
    """Anchors each tracker at what is stored, and looks for what an earlier run had left open."""

    def __init__(
        self,
        ticks: TickRepository,
        bars: BarRepository,
        clock: Clock,
        log: Log,
        known: Mapping[Market, Reached],
        gaps: Gaps,
        horizon: Horizon,
    ) -> None:
        """``clock`` is the exchange's; ``known`` tells up to which id somebody has seen all stored."""
        self._ticks, self._bars, self._clock, self._log, self._known = ticks, bars, clock, log, known
        self._gaps, self._horizon = gaps, horizon

    async def resume(self, tracker: Tracker, exchange: Exchange, client: RestClient) -> None:
        """Anchor one market; then its holes, if any, are in its sequencer."""
        market, now = tracker.market, self._clock()
        known = self._known.get(market, Reached())
        stored = await self._stored(tracker, known.id + 1, now)
        own = known if known.id >= 0 else await self._last_own(market, stored, now)
        if own.id < 0:
            await self._begin(tracker, exchange, client, stored, now)
        else:
            await self._go_on(tracker, exchange, client, stored, own, now)
        tracker.resumed = True
        self._log(
            "resumed", market=str(market), stored_id=_last(stored, own.id), missing=tracker.sequencer.holes.count()
        )

    async def _go_on(
        self, tracker: Tracker, exchange: Exchange, client: RestClient, stored: _Stored, own: Reached, now: int
    ) -> None:
        start, begin = now - self._horizon.heal_max, own.id + 1
        if own.time < start and (not len(stored.ids) or int(stored.ids[0]) != begin):
            # Stored trades end too long ago: what is healed begins with the horizon, the rest is said.
            own = await self._last_tick(tracker.market, own)
            begin = own.id + 1
            begin = max(await first_id_at(exchange, client, tracker.market.symbol, start), begin)
            if begin > own.id + 1:
                self._gap(tracker, own, begin - 1, start)
        self._anchor(tracker, stored, begin, start, now)

    async def _begin(self, tracker: Tracker, exchange: Exchange, client: RestClient, stored: _Stored, now: int) -> None:
        """Nobody has said how far it is whole: from the beginning of a bar, and the trade before it, which proves the
        join. The bar that is open, or that of the first trade which an earlier first start has left behind."""
        symbol = tracker.market.symbol
        if len(stored.ids):
            time, end = stored.first_time, int(stored.ids[0])
        else:
            newest = await newest_trade(exchange, client, symbol)
            time, end = now, newest.last_id + 1 if len(newest) else -1
        for start in (floor(time, M5.ms), floor(time, MINUTE)) if end >= 0 else ():
            first = await first_id_at(exchange, client, symbol, start)
            if end - first + 1 <= self._horizon.first_pages * exchange.limits.page:
                self._anchor(tracker, stored, max(first - 1, 1), start - MINUTE, now)
                return
        self._log("begins_with_the_stream", market=str(tracker.market))
        if len(stored.ids):
            self._anchor(tracker, stored, end, time, now)

    def _anchor(self, tracker: Tracker, stored: _Stored, begin: int, start: int, now: int) -> None:
        """All from ``begin`` on that is not stored is a hole, and none of it is older than ``start``."""
        last = max(_last(stored, -1), begin - 1)
        for low, high in missing_between(stored.ids, stored.last_ids, begin, last):
            tracker.sequencer.reopen(low, high)
            tracker.note_hole(low, start)
        tracker.sequencer.anchor(last, start, now + _SKEW)
        tracker.note_hole(last + 1, start)

    async def _stored(self, tracker: Tracker, first: int, now: int) -> _Stored:
        start = now - min(self._horizon.heal_max, self._horizon.tick_ttl)
        pages: list[tuple[Ints, Ints, Ints]] = []
        for hour in hours_between(start, now + HOUR):
            window = max(hour, start), hour + HOUR
            trades = await in_thread(lambda w=window: self._ticks.read(tracker.market, *w, first_id=first))
            pages.append((trades.ids, trades.last_ids, trades.times))
        found, ends, times = map(np.concatenate, zip(*pages, strict=True))
        # The stream goes on meanwhile: what it has brought and stored during these reads is not of an earlier run.
        live = tracker.sequencer.first_id
        earlier = found < live if live is not None else np.ones(len(found), bool)
        order = np.argsort(found[earlier], kind="stable")
        return _Stored(found[earlier][order], ends[earlier][order], times[earlier][order])

    async def _last_own(self, market: Market, stored: _Stored, now: int) -> Reached:
        """The last trade in bars of our own before the stored trades begin; id -1 where the market was not followed."""
        mark = await in_thread(self._bars.watermark, market)
        if mark is None:
            return Reached()
        first = int(stored.ids[0]) if len(stored.ids) else mark.last_id + 1
        if mark.last_id < first:
            return Reached(mark.last_id, mark.last_time)
        bars = await in_thread(self._bars.read, market, M1, now - _MEMORY, now)
        own = bars.take((bars.first_id >= 0) & (bars.first_id < first))
        return Reached(min(int(own.last_id.max()), first - 1), int(own.time.max())) if len(own) else Reached()

    async def _last_tick(self, market: Market, own: Reached) -> Reached:
        """Ticks may reach a little further than the bars that were made of them."""
        later = await in_thread(
            lambda: self._ticks.read(market, own.time - MINUTE, own.time + HOUR, first_id=own.id + 1)
        )
        whole = later.ids - np.arange(len(later)) == own.id + 1
        row = int(np.argmin(whole)) - 1 if not whole.all() else len(later) - 1
        return Reached(int(later.last_ids[row]), int(later.times[row])) if row >= 0 else own

    def _gap(self, tracker: Tracker, own: Reached, last: int, end: int) -> None:
        market, first = tracker.market, own.id + 1
        tracker.counters["gaps"] += 1
        tracker.counters["gap_ids"] += last - first + 1
        reason = "further back than is healed by itself"
        self._gaps.record([Gap(market.exchange, market.symbol, first, last, own.time, end, reason)])
        self._log("gap", "ERROR", market=str(market), first_id=first, last_id=last, reason=reason)


def _last(stored: _Stored, own: int) -> int:
    return max(int(stored.last_ids.max()), own) if len(stored.ids) else own
