"""Which trades storage has confirmed, as it happens: what the faulty storage lets through is noted here."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping

from ingestor.idset import IdRanges
from quant.domain.chunk import Chunk
from quant.domain.market import Market
from quant.storage.codec import unpack


class Ledger:
    """Stored ids per market. ``covered`` waits for them."""

    def __init__(self) -> None:
        self._stored: dict[Market, IdRanges] = defaultdict(IdRanges)
        self._noted, self._changed = asyncio.Event(), asyncio.Event()
        self.rows: Counter[Market] = Counter()
        self.chunks = 0

    def note(self, chunk: Chunk) -> None:
        self.chunks += 1
        self.rows[chunk.market] += chunk.count
        stored = self._stored[chunk.market]
        if chunk.count == chunk.last_id - chunk.first_id + 1:
            stored.add(chunk.first_id, chunk.last_id)
        else:
            trades = unpack(chunk)
            for first, last in zip(trades.ids.tolist(), trades.last_ids.tolist(), strict=True):
                stored.add(first, last)
        self._noted.set()

    def missing(self, market: Market, first: int, last: int) -> int:
        """How many of the ids first…last are not stored."""
        found = self._stored[market].within(first, last)
        return last - first + 1 - sum(high - low + 1 for low, high in found)

    async def covered(self, firsts: Mapping[Market, int], lasts: Mapping[Market, int]) -> None:
        """Returns once all ids from ``firsts`` to ``lasts`` are stored."""
        left = dict(lasts)
        while left:
            changed = self._changed
            left = {market: last for market, last in left.items() if self.missing(market, firsts[market], last)}
            if left:
                await changed.wait()

    async def pulse(self, period: float = 0.1) -> None:
        """Wakes those who wait, at most every ``period`` seconds; cancel to end."""
        while True:
            await self._noted.wait()
            self._noted.clear()
            waiting, self._changed = self._changed, asyncio.Event()
            waiting.set()
            await asyncio.sleep(period)
