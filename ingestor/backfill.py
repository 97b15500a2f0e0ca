"""Trades of a past range, on request: what is missing is fetched, stored and announced; nothing else is touched.

What is stored already is not fetched again, so an interrupted run goes on where it was. Trades that are older than
ticks are kept go to the archive and to bars; how far these have come is kept in a file, since the table cannot tell.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from ingestor.exchanges.base import Exchange
from ingestor.gaps import missing_between
from ingestor.idset import Span
from ingestor.locate import first_id_at
from ingestor.options import Codec, Ports
from ingestor.outbox import Entry, marks_needed
from ingestor.pipeline import TTL_MARGIN
from ingestor.rest import RestClient
from ingestor.threads import in_thread
from ingestor.validation import faults
from quant.domain.chunk import Chunk
from quant.domain.interval import hours_between
from quant.domain.market import Market
from quant.domain.ports import Clock
from quant.domain.trade import Ints, Trades, concatenate, merge
from quant.errors import ExchangeError

# The running ingestor heals with the same address: this much of the budget is left to it.
SHARE = 0.5
# The archive rewrites whole hours, so its trades are gathered.
GATHERED = 50_000
_ALL = 2**62

Patiently = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` of ``total`` trades, or bars, of a market are stored."""

    market: Market
    done: int
    total: int
    unit: str = "trades"


class Checkpoint:
    """Up to which id old trades of a market and range have been stored."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._reached = msgspec.json.decode(path.read_bytes(), type=dict[str, int])
        except (OSError, msgspec.DecodeError):
            self._reached = {}

    def reached(self, market: Market, first: int) -> int:
        return self._reached.get(f"{market}/{first}", first - 1)

    def reach(self, market: Market, first: int, last: int) -> None:
        self._reached[f"{market}/{first}"] = last
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(self._reached))
        new.replace(self._path)


@dataclass(frozen=True, slots=True)
class Backfill:
    """The use case.

    Attributes:
        tick_ttl: how long ticks stay in the table, ms.
        patiently: calls until storage answers.
    """

    ports: Ports
    codec: Codec
    clock: Clock
    tick_ttl: int
    checkpoint: Checkpoint
    patiently: Patiently

    async def trades(
        self,
        exchange: Exchange,
        client: RestClient,
        market: Market,
        start: int,
        end: int,
        said: Callable[[Progress], None],
    ) -> int:
        """All trades of ``start <= time < end`` that are not stored yet; how many were fetched.

        Raises:
            ExchangeError, FrameError: the exchange does not serve them.
        """
        first = await first_id_at(exchange, client, market.symbol, start)
        last = await first_id_at(exchange, client, market.symbol, end) - 1
        total, fetched = last - first + 1, 0
        missing = await self._missing(exchange, client, market, first, last, start, end)
        done = total - sum(high - low + 1 for low, high in missing)
        said(Progress(market, done, total))
        gathered: list[Trades] = []
        for low, high in missing:
            at = low
            while at <= high:
                page = await self._page(exchange, client, market, at, high)
                gathered.append(page)
                at, is_old = page.last_id + 1, int(page.times[-1]) < self._oldest()
                fetched, done = fetched + len(page), done + at - page.first_id
                if not is_old or at > high or sum(map(len, gathered)) >= GATHERED:
                    await self._store(market, first, concatenate(gathered))
                    gathered = []
                said(Progress(market, done, total))
        return fetched

    def _oldest(self) -> int:
        return self.clock() - self.tick_ttl + TTL_MARGIN

    async def _missing(
        self, exchange: Exchange, client: RestClient, market: Market, first: int, last: int, start: int, end: int
    ) -> list[Span]:
        oldest, spans = self._oldest(), list[Span]()
        if start < oldest and self.ports.old_trades is not None:
            edge = await first_id_at(exchange, client, market.symbol, min(oldest, end))
            low = self.checkpoint.reached(market, first) + 1
            spans += [(low, edge - 1)] if low < edge else []
            first = max(first, edge)
        ids: list[Ints] = [np.empty(0, np.int64)]
        last_ids: list[Ints] = [np.empty(0, np.int64)]
        # A trade may be stamped a little earlier than one with a lower id: a minute more on both sides.
        for hour in hours_between(start - 60_000, end + 60_000):
            found = await in_thread(lambda h=hour: self.ports.ticks.read(market, h, h + 3_600_000))
            inside = (found.last_ids >= first) & (found.ids <= last)
            ids.append(found.ids[inside])
            last_ids.append(found.last_ids[inside])
        known, ends = np.concatenate(ids), np.concatenate(last_ids)
        order = np.argsort(known, kind="stable")
        return spans + missing_between(known[order], ends[order], first, last)

    async def _page(self, exchange: Exchange, client: RestClient, market: Market, low: int, high: int) -> Trades:
        request = exchange.trades_from(market.symbol, low, min(exchange.limits.page, high - low + 1))
        page = merge([exchange.read_trades(await client.fetch(request), market.symbol)])
        page = page.take((page.ids >= low) & (page.ids <= high))
        for _, rows in faults(page, self.clock()):
            raise ExchangeError(
                "trades by id", f"{int(rows.sum())} trades from {low} on cannot be used", retryable=False
            )
        if not len(page) or page.first_id != low:
            raise ExchangeError("trades by id", f"it has no trade {low} of {market}", retryable=False)
        return page

    async def _store(self, market: Market, first: int, trades: Trades) -> None:
        old = trades.take(trades.times < self._oldest()) if self.ports.old_trades else trades.take(slice(0))
        if self.ports.old_trades is not None and len(old):
            await self.patiently(lambda: in_thread(_nothing(self.ports.old_trades.store), market, old))  # type: ignore[union-attr]
            self.checkpoint.reach(market, first, old.last_id)
        recent = trades.take(trades.ids > old.last_id) if len(old) else trades
        if len(recent):
            await self.patiently(lambda: in_thread(self._write, market, self.codec.pack([(market, recent)])))

    def _write(self, market: Market, chunks: list[Chunk]) -> None:
        entries = [Entry.of(chunk, None) for chunk in chunks]
        for mark in marks_needed(entries, {market: _ALL}, lambda entry: list(self._runs(entry))):
            self.ports.ticks.mark_dirty(mark)
        self.ports.ticks.write(chunks)

    def _runs(self, entry: Entry) -> Iterator[Span]:
        assert entry.chunk is not None
        yield from self.codec.runs(entry.chunk)


def _nothing(call: Callable[[Market, Trades], object]) -> Callable[[Market, Trades], None]:
    def called(market: Market, trades: Trades) -> None:
        call(market, trades)

    return called
