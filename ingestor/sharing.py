"""An ingestor that looks every few seconds which symbols are its own, and changes over to them without a pause."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from ingestor.heartbeat import PERIOD
from ingestor.logging_json import Log
from ingestor.membership import heard_by_others, share
from ingestor.threads import in_thread
from quant.domain.market import Market
from quant.domain.ports import Clock, Heartbeat
from quant.errors import QuantError

AFTER_OUTAGE = 20_000
"""Two heartbeats in ms: when storage is back, everybody looks dead until they have told of themselves again."""
OVERLAP = 15.0
"""Seconds for which two follow the same: a look of the others, and the time to connect."""


@dataclass(slots=True)
class Crew:
    """One set of symbols being followed."""

    markets: frozenset[Market]
    stop: asyncio.Event
    work: asyncio.Future[bool]


@dataclass(slots=True)
class Sharing:
    """Runs one crew after another, each overlapping the one before.

    Args:
        beats: reads the heartbeats of all ingestors.
        leave: stores that this one ends.
        ingest: follows these symbols until the event is set; the number tells apart the two that overlap.
    """

    me: str
    markets: Sequence[Market]
    beats: Callable[[], Sequence[Heartbeat]]
    leave: Callable[[], None]
    ingest: Callable[[Sequence[Market], int, asyncio.Event], Awaitable[bool]]
    clock: Clock
    log: Log
    look_every: float = PERIOD
    overlap: float = OVERLAP
    _crew: Crew | None = field(default=None, init=False)
    _changes: int = field(default=0, init=False)
    _not_before: int = field(default=0, init=False)
    _others: bool = field(default=False, init=False)

    async def run(self, stop: asyncio.Event) -> bool:
        """Go on until ``stop`` is set; whether the end was an orderly one."""
        try:
            while not stop.is_set():
                await self._look(stop)
                assert self._crew is not None
                if await _first(stop, self._crew.work, timeout=self.look_every):
                    await self._hand_on(self._crew)
                    break
        finally:
            orderly = await _end(self._crew)
        return orderly

    async def _hand_on(self, crew: Crew) -> None:
        """Where there are others, say so and go on until they have looked and listen."""
        if crew.work.done() or crew.stop.is_set() or not self._others:
            return
        try:
            await in_thread(self.leave)
        except QuantError as exc:
            self.log("leaving_not_said", "WARNING", reason=str(exc))
            return
        await asyncio.wait({crew.work}, timeout=self.overlap)

    async def _look(self, stop: asyncio.Event) -> None:
        followed = self._crew.markets if self._crew else frozenset()
        try:
            beats = await in_thread(self.beats)
        except QuantError as exc:
            self.log("heartbeats_not_read", "WARNING", reason=str(exc))
            self._not_before = self.clock() + AFTER_OUTAGE
            if self._crew is None:  # better twice than not at all
                self._begin(frozenset(self.markets))
            return
        now = self.clock()
        self._others = bool(heard_by_others(self.me, beats, now))
        mine = share(self.markets, self.me, followed, beats, now)
        if self._crew is None or (mine != followed and now >= self._not_before):
            await self._change_to(mine, stop)

    async def _change_to(self, mine: frozenset[Market], stop: asyncio.Event) -> None:
        before, crew = self._crew, self._begin(mine)
        if before is None:
            return
        await _first(stop, before.work, timeout=self.overlap)
        if stop.is_set():
            await self._hand_on(crew)
            crew.stop.set()  # both drain at once
        await _end(before)

    def _begin(self, mine: frozenset[Market]) -> Crew:
        self.log("share", markets=sorted(map(str, mine)), change=self._changes)
        stop = asyncio.Event()
        ordered = [market for market in self.markets if market in mine]
        work = asyncio.ensure_future(self.ingest(ordered, self._changes % 2, stop))
        self._changes += 1
        self._crew = Crew(mine, stop, work)
        return self._crew


async def _first(stop: asyncio.Event, work: asyncio.Future[bool], *, timeout: float) -> bool:
    """Whether one of the two comes within ``timeout`` seconds."""
    stopped: asyncio.Future[bool] = asyncio.ensure_future(stop.wait())
    done, _ = await asyncio.wait({stopped, work}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    return bool(done)


async def _end(crew: Crew | None) -> bool:
    if crew is None:
        return True
    crew.stop.set()
    return await crew.work
