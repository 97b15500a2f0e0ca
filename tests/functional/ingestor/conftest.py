"""An ingestor against the exchange simulator, storing to memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.server import ExchangeServer
from ingestor.exchanges.base import Exchange
from ingestor.exchanges.binance import Binance
from ingestor.journal import Journal
from ingestor.options import Codec, OldTradeStore, Options, Ports
from ingestor.service import Ingestor
from quant.domain.interval import HOUR, MINUTE
from quant.domain.market import Market
from quant.domain.trade import Trades
from quant.storage.codec import pack_all, unpack
from quant.storage.storage import Storage, memory_storage

BTC = Market("binance", "BTCUSDT")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def away_from_edges() -> None:
    """Wait, seldom and for some seconds, until the minute is neither new nor nearly over: a first start begins with the
    bar that is open, and a test has to know which one that is."""
    second = now_ms() % MINUTE / 1000
    if not 5 <= second <= 50:
        await asyncio.sleep((65 - second) % 60)


@dataclass
class Events:
    """A log that can be waited for."""

    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, event: str, level: str = "INFO", **facts: Any) -> None:
        self.seen.append((event, facts))
        self.changed.set()

    def named(self, event: str) -> list[dict[str, Any]]:
        return [facts for name, facts in self.seen if name == event]

    async def wait(self, event: str, times: int = 1, seconds: float = 10.0) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while len(self.named(event)) < times:
                self.changed.clear()
                await self.changed.wait()
        return self.named(event)[times - 1]


class Recorder:
    """The memory storage's ticks, with an event after each write."""

    def __init__(self, ticks: Any) -> None:
        self.ticks, self.written = ticks, asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.fail: Callable[[], None] = lambda: None
        self.marks: list[Any] = []

    def write(self, chunks: Any) -> None:
        self.fail()
        self.ticks.write(chunks)
        self.loop.call_soon_threadsafe(self.written.set)

    def mark_dirty(self, mark: Any) -> None:
        self.marks.append(mark)
        self.ticks.mark_dirty(mark)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ticks, name)


@dataclass
class Running:
    ingestor: Ingestor
    ticks: Recorder
    storage: Storage
    log: Events
    stop: asyncio.Event
    task: asyncio.Task[bool]
    journal: Journal

    def stored(self, market: Market = BTC) -> Trades:
        return self.ticks.read(market, now_ms() - 12 * HOUR, now_ms() + HOUR)

    async def until_stored(self, ids: Iterable[int], market: Market = BTC, seconds: float = 15.0) -> Trades:
        async with asyncio.timeout(seconds):
            while self.stored(market).ids.tolist() != list(ids):
                self.ticks.written.clear()
                if self.stored(market).ids.tolist() == list(ids):
                    break
                await self.ticks.written.wait()
        return self.stored(market)

    async def crash(self) -> None:
        """Nothing of it runs any further; only the disk and the storage stay as they are."""
        mine = [task for task in asyncio.all_tasks() if task.get_name().startswith("ingestor:")]
        for task in [self.task, *mine]:
            task.cancel()
        await asyncio.gather(self.task, *mine, return_exceptions=True)
        for feed in self.ingestor.feeds.all:
            for session in feed.sessions():
                session.abort("crash")
                await asyncio.wait({session.reader})
        self.journal.close()

    async def end(self) -> bool:
        self.stop.set()
        return await self.task


@asynccontextmanager
async def running(
    server: ExchangeServer[ScriptedMarket],
    folder: Path,
    *,
    storage: Storage | None = None,
    markets: tuple[Market, ...] = (BTC,),
    others: tuple[Exchange, ...] = (),
    old_trades: OldTradeStore | None = None,
    journal_bytes: int = 2**30,
    **options: Any,
) -> AsyncIterator[Running]:
    """An ingestor that is connected."""
    storage = storage or memory_storage(now_ms)
    log, stop, ticks = Events(), asyncio.Event(), Recorder(storage.ticks)
    given = Options(
        **{
            "flush_ms": 200,
            "history": False,
            "settle_seconds": 0.05,
            "absent_seconds": 0.5,
            "drain_seconds": 5.0,
            **options,
        }
    )
    journal = Journal(folder, max_bytes=journal_bytes)
    ingestor = Ingestor(
        [Binance(server.ws_url, server.rest_url), *others],
        markets,
        Ports(ticks, storage.bars, storage.heartbeats, storage.instruments, old_trades),
        journal,
        Codec(pack_all, unpack),
        now_ms,
        log,
        given,
    )
    task = asyncio.create_task(ingestor.run(stop))
    run = Running(ingestor, ticks, storage, log, stop, task, journal)
    try:
        await log.wait("connected", len(ingestor.feeds.all))
        await log.wait("resumed", len(markets))
        yield run
    finally:
        stop.set()
        await asyncio.wait({task}, timeout=20)


@pytest.fixture
async def server() -> AsyncIterator[ExchangeServer[ScriptedMarket]]:
    async with ExchangeServer(ScriptedMarket(first_id=100)) as server:
        yield server
