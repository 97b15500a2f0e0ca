"""From the outbox to storage: marks first, then chunks, again and again until storage has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from ingestor.backoff import Backoff
from ingestor.idset import Span
from ingestor.journal import Journal
from ingestor.logging_json import Log
from ingestor.outbox import Entry, Outbox, marks_needed
from ingestor.threads import in_thread
from quant.domain.chunk import Chunk
from quant.domain.market import Market
from quant.domain.ports import TickRepository
from quant.errors import QuantError

BATCH = 100
# What storage refused for good is tried again this often: rights and tables can be mended from outside.
PARK_SECONDS = 60.0
# At the end, a storage that stores nothing for so long is left alone if the disk has all.
STUCK_SECONDS = 3.0

T = TypeVar("T")

Frontiers = Callable[[], dict[Market, int]]


def whole(chunk: Chunk) -> list[Span]:
    """The ids of a chunk, taken to have no break."""
    return [(chunk.first_id, chunk.last_id)]


class Writer:
    """One task that writes; ``submit`` keeps chunks in the journal and queues them.

    Attributes:
        frontier: highest trade time confirmed stored, per market.
        confirmed, confirmed_times: highest trade id and time that this process has stored, per market.
        parked: chunks that storage refused for good; they stay in the journal and are tried again seldom.
    """

    def __init__(
        self,
        ticks: TickRepository,
        journal: Journal,
        log: Log,
        *,
        outbox: Outbox | None = None,
        backoff: Backoff | None = None,
        frontiers: Frontiers = dict,
        runs: Callable[[Chunk], Sequence[Span]] = whole,
        park_seconds: float = PARK_SECONDS,
    ) -> None:
        self._park_seconds = park_seconds
        self._ticks, self._journal, self._log = ticks, journal, log
        self._outbox = Outbox() if outbox is None else outbox
        self._backoff = backoff or Backoff(base=0.1, cap=10.0)
        self._load_frontiers, self._runs = frontiers, runs
        self._disk = asyncio.Lock()
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._refused = asyncio.Event()
        self.frontier: dict[Market, int] = {}
        self.confirmed: dict[Market, int] = {}
        self.confirmed_times: dict[Market, int] = {}
        self.parked: list[Entry] = []
        self.chunks = self.trades = self.retries = self.refused_by_disk = 0

    @property
    def queued(self) -> int:
        return len(self._outbox)

    @property
    def journal_bytes(self) -> int:
        return self._journal.size

    def lowest_waiting(self) -> dict[Market, int]:
        """The lowest id that storage has not confirmed, per market."""
        lowest = self._outbox.lowest()
        for entry in self.parked:
            lowest[entry.market] = min(entry.first_id, lowest.get(entry.market, entry.first_id))
        return lowest

    async def replay(self) -> int:
        """Queue what an earlier run left in the journal; how many chunks."""
        serials = self._journal.waiting()
        for serial in serials:
            entry = Entry.of(await self._on_disk(self._journal.load, serial), serial)
            self._queue([entry], healed=False)
        return len(serials)

    async def submit(self, chunks: Sequence[Chunk], *, healed: bool = False) -> list[Entry]:
        """Keep them on disk and queue them; what can be kept nowhere comes back."""
        if not chunks:
            return []
        serials: Sequence[int | None]
        try:
            serials = await self._on_disk(self._journal.append, chunks)
        except OSError as exc:
            self.refused_by_disk += len(chunks)
            self._log("journal_refused", "ERROR", reason=str(exc), chunks=len(chunks), held_in_memory=self.queued)
            serials = [None] * len(chunks)
        return self._queue([Entry.of(c, s) for c, s in zip(chunks, serials, strict=True)], healed=healed)

    async def run(self) -> None:
        """Write for ever; cancel to end."""
        self.raise_frontiers(await self._until_stored("read the frontiers", self._load_frontiers))
        while True:
            await self._work.wait()
            self._work.clear()
            while batch := self._outbox.take(BATCH):
                await self._store(batch)
            self._idle.set()

    def raise_frontiers(self, known: Mapping[Market, int]) -> None:
        """Others have got so far: what lies below needs a mark from now on."""
        for market, time in known.items():
            self.frontier[market] = max(time, self.frontier.get(market, 0))

    async def drained(self) -> None:
        """Returns when all that was queued is stored."""
        await self._idle.wait()

    async def at_rest(self) -> None:
        """Returns when all is stored, or when the disk has all and storage refuses or is stuck."""
        drained = asyncio.create_task(self.drained())
        while not drained.done():
            refused, stored = asyncio.create_task(self._refused.wait()), self.chunks
            await asyncio.wait({drained, refused}, timeout=STUCK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            refused.cancel()
            if self._outbox.is_on_disk and (self._refused.is_set() or self.chunks == stored):
                break
            if self._refused.is_set():
                await asyncio.wait({drained}, timeout=0.1)
        drained.cancel()

    def _queue(self, entries: list[Entry], *, healed: bool) -> list[Entry]:
        lost = self._outbox.put(entries, healed=healed)
        self._idle.clear()
        self._work.set()
        return lost

    async def _store(self, batch: list[Entry]) -> None:
        chunks = [await self._chunk(entry) for entry in batch]
        try:
            await self._until_stored("write", self._write, batch, chunks)
        except QuantError as exc:
            await self._one_by_one(batch, chunks, exc)
            return
        await self._stored(batch)

    async def _chunk(self, entry: Entry) -> Chunk:
        if entry.chunk is not None:
            return entry.chunk
        assert entry.serial is not None, "a chunk is in memory, on disk or both"
        return await self._on_disk(self._journal.load, entry.serial)

    def _write(self, batch: Sequence[Entry], chunks: Sequence[Chunk]) -> None:
        by_entry = dict(zip(map(id, batch), chunks, strict=True))
        for mark in marks_needed(batch, self.frontier, lambda entry: self._runs(by_entry[id(entry)])):
            self._ticks.mark_dirty(mark)
        self._ticks.write(chunks)

    async def _one_by_one(self, batch: list[Entry], chunks: list[Chunk], first: QuantError) -> None:
        if len(batch) == 1:
            self._log("chunk_parked", "ERROR", chunk=chunks[0].key, reason=str(first))
            self._outbox.settle(batch)
            self._park(batch[0])
            return
        for entry, chunk in zip(batch, chunks, strict=True):
            try:
                await self._until_stored("write", self._write, [entry], [chunk])
            except QuantError as exc:
                await self._one_by_one([entry], [chunk], exc)
            else:
                await self._stored([entry])

    def _park(self, entry: Entry) -> None:
        if entry.serial is not None:
            entry.chunk = None
        if not self.parked:
            asyncio.get_running_loop().call_later(self._park_seconds, self._unpark)
        self.parked.append(entry)

    def _unpark(self) -> None:
        parked, self.parked = self.parked, []
        self._queue(parked, healed=True)

    async def _stored(self, batch: list[Entry]) -> None:
        for entry in batch:
            market = entry.market
            self.frontier[market] = max(entry.last_time, self.frontier.get(market, 0))
            self.confirmed[market] = max(entry.last_id, self.confirmed.get(market, 0))
            self.confirmed_times[market] = max(entry.last_time, self.confirmed_times.get(market, 0))
            self.chunks, self.trades = self.chunks + 1, self.trades + entry.count
        self._outbox.settle(batch)
        await self._on_disk(self._journal.confirm, [entry.serial for entry in batch if entry.serial is not None])

    async def _until_stored(self, what: str, call: Callable[..., T], *args: object) -> T:
        while True:
            try:
                result = await in_thread(call, *args)
            except QuantError as exc:
                if not exc.retryable:
                    raise
                pause = self._backoff.next()
                self.retries += 1
                self._refused.set()
                self._log("storage_retry", "WARNING", what=what, reason=str(exc), pause_s=round(pause, 3))
                await asyncio.sleep(pause)
            else:
                self._backoff.reset()
                self._refused.clear()
                return result

    async def _on_disk(self, call: Callable[..., T], *args: object) -> T:
        async with self._disk:
            return await in_thread(call, *args)
