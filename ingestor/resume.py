"""Where each market goes on after a start: at what storage holds, whatever this machine's disk says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import numpy as np

from ingestor.backoff import Backoff
from ingestor.exchanges.base import Exchange
from ingestor.idset import Span
from ingestor.logging_json import Log
from ingestor.rest import RestClient
from ingestor.threads import in_thread
from ingestor.tracker import Tracker
from quant.domain.interval import HOUR, hours_between
from quant.domain.market import Market
from quant.domain.ports import BarRepository, Clock, Heartbeat, HeartbeatRepository, TickRepository
from quant.domain.trade import Ints
from quant.errors import QuantError

HEAL_MAX = 6 * HOUR
# Clocks differ, and another ingestor may store while this one looks.
_SKEW = 30_000

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


def contiguous_ids(beats: tuple[Heartbeat, ...]) -> dict[Market, int]:
    """The id up to which an ingestor has said that all is stored, as far back as healing goes."""
    known: dict[Market, int] = {}
    for beat in beats:
        for pulse in beat.pulses:
            said = pulse.counters.get("contiguous_id", -1)
            known[pulse.market] = max(said, known.get(pulse.market, -1))
    return known


def missing_between(ids: Ints, last_ids: Ints, first: int, last: int) -> list[Span]:
    """The ids of first…last that are in none of the ranges ids…last_ids, which ascend by id."""
    if not len(ids):
        return [(first, last)] if first <= last else []
    starts = np.concatenate([[first], np.maximum.accumulate(last_ids) + 1])
    ends = np.concatenate([ids - 1, [last]])
    return [(int(a), int(b)) for a, b in zip(starts, ends, strict=True) if a <= b]


class Resumer:
    """Anchors each tracker at what is stored, and looks for what an earlier run had left open."""

    def __init__(
        self,
        ticks: TickRepository,
        bars: BarRepository,
        clock: Clock,
        log: Log,
        known: Mapping[Market, int],
        heal_max: int = HEAL_MAX,
    ) -> None:
        self._ticks, self._bars, self._clock, self._log, self._known = ticks, bars, clock, log, known
        self._heal_max = heal_max

    async def resume(self, tracker: Tracker, exchange: Exchange, client: RestClient) -> None:
        """Anchor one market; then its holes, if any, are in its sequencer."""
        market, now = tracker.market, self._clock()
        start = now - self._heal_max
        last = await in_thread(self._ticks.last_id, market, start, now + HOUR)
        if last is None:
            await self._after_long(tracker, exchange, client, start, now)
        else:
            tracker.sequencer.anchor(last, start, now + _SKEW)
            tracker.note_hole(last + 1, start)
            await self._audit(tracker, last, start, now)
        tracker.resumed = True
        self._log("resumed", market=str(market), stored_id=last, missing=tracker.sequencer.holes.count())

    async def _audit(self, tracker: Tracker, last: int, start: int, now: int) -> None:
        known = self._known.get(tracker.market, -1)
        if known >= last:
            return
        ids: list[Ints] = []
        last_ids: list[Ints] = []
        for hour in hours_between(start, now + HOUR):
            window = max(hour, start), hour + HOUR
            trades = await in_thread(
                lambda w=window: self._ticks.read(tracker.market, *w, first_id=known + 1, last_id=last)
            )
            ids.append(trades.ids)
            last_ids.append(trades.last_ids)
        found, ends = np.concatenate(ids), np.concatenate(last_ids)
        order = np.argsort(found, kind="stable")
        if len(found):
            first = known + 1 if known >= 0 else int(found[order[0]])
            for low, high in missing_between(found[order], ends[order], first, last):
                tracker.sequencer.reopen(low, high)
                tracker.note_hole(low, start)

    async def _after_long(self, tracker: Tracker, exchange: Exchange, client: RestClient, start: int, now: int) -> None:
        market = tracker.market
        mark = await in_thread(self._bars.watermark, market)
        if mark is None or mark.last_id < 0:
            return
        request = exchange.aggregates_from_time(market.symbol, start, 1)
        first = exchange.read_aggregates(await client.call(request), market.symbol).trades
        if not len(first):
            return
        tracker.counters["gaps"] += 1
        tracker.counters["gap_ids"] += max(first.first_id - 1 - mark.last_id, 0)
        self._log("gap", "ERROR", market=str(market), first_id=mark.last_id + 1, last_id=first.first_id - 1,
                  reason="further back than is healed by itself")  # fmt: skip
        tracker.sequencer.anchor(first.first_id - 1, start, now + _SKEW)
        tracker.note_hole(first.first_id, start)
