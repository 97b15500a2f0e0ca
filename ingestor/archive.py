"""Closed hours go to the archive: written once they are over, and anew when a trade of theirs is stored later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingestor.logging_json import Log
from quant.domain.chunk import Chunk
from quant.domain.interval import HOUR, MINUTE, floor
from quant.domain.market import Market
from quant.domain.ports import ArchiveRepository, Clock, TickRepository
from quant.errors import QuantError

# After the end of an hour: what is late in the ordinary way has come by then.
GRACE = 2 * MINUTE
# After the last late trade of an hour: healing stores many in a row.
SETTLE = MINUTE
PERIOD_SECONDS = 15.0


@dataclass(slots=True)
class Pending:
    """Which hours are to be archived, and since when nothing more has come for them. Without I/O and clocks."""

    _touched: dict[tuple[Market, int], int] = field(default_factory=dict)

    def note(self, market: Market, hour: int, now: int) -> None:
        self._touched[market, hour] = now

    def due(self, now: int) -> list[tuple[Market, int]]:
        """Hours that are over and at rest, oldest first."""
        ready = [
            (market, hour)
            for (market, hour), touched in self._touched.items()
            if now >= hour + HOUR + GRACE and now - touched >= SETTLE
        ]
        return sorted(ready, key=lambda one: (one[1], one[0]))

    def done(self, market: Market, hour: int, seen: int) -> None:
        """Forget an hour, unless it was touched again after ``seen``."""
        if self._touched.get((market, hour), 0) <= seen:
            self._touched.pop((market, hour), None)

    def __len__(self) -> int:
        return len(self._touched)


class Archiver:
    """Reads closed hours out of tick_data and merges them into the archive; ``run`` until it is cancelled."""

    def __init__(
        self,
        ticks: TickRepository,
        archive: ArchiveRepository,
        clock: Clock,
        log: Log,
        in_thread: Callable[..., Any],
        *,
        again: int,
        oldest: int,
    ) -> None:
        """``again``: how far back, ms, hours are merged anew at the start; ``oldest``: how far they are looked for."""
        self._ticks, self._archive, self._clock, self._log = ticks, archive, clock, log
        self._in_thread, self._again, self._oldest = in_thread, again, oldest
        self.pending = Pending()
        self.hours = 0

    def stored(self, chunks: Sequence[Chunk]) -> None:
        """Tell that these chunks were stored."""
        now = self._clock()
        for chunk in chunks:
            self.pending.note(chunk.market, chunk.hour, now)

    async def run(self, markets: Sequence[Market]) -> None:
        for market in markets:
            await self._patiently(self._look_back, market)
        while True:
            for market, hour in self.pending.due(self._clock()):
                await self._patiently(self._merge, market, hour)
            await asyncio.sleep(PERIOD_SECONDS)

    async def _patiently(self, step: Callable[..., Any], *arguments: Any) -> None:
        try:
            await self._in_thread(step, *arguments)
        except QuantError as exc:
            self._log("archive_failed", "WARNING", step=step.__name__, what=str(arguments[0]), reason=str(exc))
        except Exception as exc:
            # The archive can be made again out of tick_data: a defect here must not go unseen, nor end the ingestor.
            self._log("archive_defect", "ERROR", step=step.__name__, what=str(arguments[0]), reason=repr(exc))

    def _look_back(self, market: Market) -> None:
        """What an earlier life left undone: hours that are missing, and those that may have been healed since."""
        now = self._clock()
        there = set(self._archive.hours(market, now - self._oldest, now))
        for hour in range(floor(now - self._oldest, HOUR), floor(now, HOUR), HOUR):
            if hour not in there or hour >= now - self._again:
                self.pending.note(market, hour, 0)

    def _merge(self, market: Market, hour: int) -> None:
        seen = self._clock()
        trades = self._ticks.read(market, hour, hour + HOUR)
        if len(trades):
            merged = self._archive.merge(market, hour, trades)
            self.hours += 1
            self._log("archived", market=str(market), hour=hour, trades=len(merged))
        self.pending.done(market, hour, seen)


@dataclass(frozen=True, slots=True)
class ArchivedTicks:
    """A tick repository that tells an archiver what was stored; all else is passed on."""

    inner: TickRepository
    archiver: Archiver

    def write(self, chunks: Sequence[Chunk]) -> None:
        self.inner.write(chunks)
        self.archiver.stored(chunks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)
