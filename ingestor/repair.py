"""``python -m ingestor.repair``: rebuild the chunks that cannot be read, from the archive or else from the exchange.

The use case is :func:`repair`; below it the composition root.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ingestor.exchanges.base import Exchange
from ingestor.threads import in_thread
from quant.domain.chunk import Chunk
from quant.domain.market import Market
from quant.domain.ports import ArchiveRepository, DamagedChunk, DirtyMark, TickRepository
from quant.domain.trade import Trades, merge
from quant.errors import QuantError

FetchTrades = Callable[[Market, int, int], Awaitable[Trades]]
"""Trades of a market by first and last id, from the exchange."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What became of one damaged chunk: ``found`` trades of ``wanted``; discarded when they are all there."""

    damaged: DamagedChunk
    found: int
    wanted: int
    source: str

    @property
    def is_whole(self) -> bool:
        return self.found >= self.wanted


async def repair(
    damaged: DamagedChunk,
    ticks: TickRepository,
    archive: ArchiveRepository | None,
    fetch: FetchTrades,
    pack: Callable[[Market, Trades], list[Chunk]],
) -> Repaired:
    """Store the trades of a damaged chunk anew, announced by dirty marks, and then discard it."""
    market, first, last = damaged.market, damaged.first_id, damaged.last_id
    archived = await in_thread(archive.read, market, damaged.hour) if archive else None
    found = _between(archived, first, last) if archived is not None else Trades.empty()
    source = "archive"
    if _ids(found) < last - first + 1:
        found, source = merge([found, _between(await fetch(market, first, last), first, last)]), "exchange"
    for chunk in pack(market, found):
        mark = DirtyMark(market, chunk.hour, chunk.first_id, chunk.last_id, chunk.count)
        await in_thread(ticks.mark_dirty, mark)
        await in_thread(ticks.write, [chunk])
    done = Repaired(damaged, _ids(found), last - first + 1, source)
    if done.is_whole:
        await in_thread(ticks.discard, damaged)
    return done


def _between(trades: Trades, first: int, last: int) -> Trades:
    return trades.take((trades.ids >= first) & (trades.last_ids <= last))


def _ids(trades: Trades) -> int:
    return int((trades.last_ids - trades.ids + 1).sum())


def fetching(exchanges: Sequence[Exchange], clients: dict[str, Callable[..., Awaitable[bytes]]]) -> FetchTrades:
    """Pages of trades by id, as the exchange gives them."""
    adapters = {exchange.name: exchange for exchange in exchanges}

    async def fetch(market: Market, first: int, last: int) -> Trades:
        exchange, pages, at = adapters[market.exchange], [], first
        while at <= last:
            request = exchange.trades_from(market.symbol, at, min(exchange.limits.page, last - at + 1))
            page = merge([exchange.read_trades(await clients[exchange.name](request), market.symbol)])
            if not len(page) or page.last_id < at:
                break
            pages.append(page)
            at = page.last_id + 1
        return merge(pages)

    return fetch


def main() -> int:
    from ingestor.__main__ import exchanges_of, now_ms
    from ingestor.budget import WeightBudget
    from ingestor.logging_json import JsonLog
    from ingestor.rest import RestClient
    from quant.settings import Settings
    from quant.storage.archive import TradeArchive
    from quant.storage.codec import pack
    from quant.storage.objects import S3Objects
    from quant.storage.storage import open_storage

    async def run() -> int:
        settings = Settings.load()
        log = JsonLog(level=settings.log_level)
        ticks = open_storage(settings, now_ms).ticks
        archive = TradeArchive(S3Objects(settings.archive_bucket)) if settings.archive_bucket else None
        damaged = ticks.damaged()
        exchanges = exchanges_of([one.market for one in damaged], settings)
        fetches = {one.name: RestClient(WeightBudget(), log, used_header=one.used_weight_header) for one in exchanges}
        fetch = fetching(exchanges, {name: client.fetch for name, client in fetches.items()})
        failed = 0
        for one in damaged:
            done = await repair(one, ticks, archive, fetch, pack)
            failed += not done.is_whole
            ids = f"{one.market} {one.first_id}…{one.last_id}"
            say(f"{ids}: {done.found} of {done.wanted} trades from the {done.source}")
        say(f"{len(damaged) - failed} of {len(damaged)} damaged chunks repaired; bars follow within a minute")
        return 1 if failed else 0

    def say(line: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {line}")

    try:
        return asyncio.run(run())
    except QuantError as exc:
        print(exc, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
