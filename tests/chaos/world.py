"""All around the ingestors under test: the exchange, the emulator's tables behind a faulty door, the processes."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import boto3
import psutil

from infra.local.children import Child
from infra.local.emulator import Emulator
from infra.local.environment import aws_environment, program_environment
from infra.local.exchange.faults import Faults
from infra.local.exchange.server import ExchangeServer
from infra.local.exchange.simulated import SimulatedMarket
from infra.local.exchange.weights import Weights
from infra.local.ports import choose
from quant.domain.interval import M5, floor
from quant.domain.market import Market
from quant.settings import DEFAULT_SYMBOLS, Settings
from tests.chaos.faulty_storage import FaultyStorage
from tests.chaos.ledger import Ledger

ROOT = Path(__file__).parents[2]
SYMBOLS = tuple(DEFAULT_SYMBOLS.split(","))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class World:
    """What a scenario plays in. ``ledger`` is of the first prefix's ticks, which alone lie behind the faults."""

    folder: Path
    market: SimulatedMarket
    server: ExchangeServer[SimulatedMarket]
    emulator: Emulator
    storage: FaultyStorage
    ledger: Ledger
    settings: Settings
    peak_rss: int = 0
    ingestors: list[Child] = field(default_factory=list)

    @property
    def markets(self) -> list[Market]:
        return [Market("binance", symbol) for symbol in self.market.instruments]

    def ingestor(self, name: str = "a", prefix: str = "", endpoint: str = "", **settings: str) -> Child:
        """A process that is not started yet; ``name`` has a journal and a log of its own."""
        env = program_environment(
            ROOT,
            **aws_environment(endpoint or self.storage.url),
            **{
                "BINANCE_WS_URL": self.server.ws_url,
                "BINANCE_REST_URL": self.server.rest_url,
                "SYMBOLS": ",".join(self.market.instruments),
                "PREFIX": prefix or self.settings.prefix,
                "MARKET": "simulated",
                "FLUSH_SECONDS": "1",
                "JOURNAL_DIR": str(self.folder / f"journal-{name}"),
                "STREAMS_PER_CONNECTION": "4",
                "OPENBLAS_NUM_THREADS": "1",
                **settings,
            },
        )
        child = Child(
            name=f"ingestor {name}",
            command=[sys.executable, "-m", "ingestor"],
            env=env,
            log_path=self.folder / f"ingestor-{name}.log",
            cwd=ROOT,
        )
        self.ingestors.append(child)
        return child

    def published(self, delay: float = 0.0) -> dict[Market, int]:
        """The last public id of each market, ``delay`` seconds from now."""
        now = now_ms() + int(delay * 1000)
        return {market: self.market.published(market.symbol, now) - 1 for market in self.markets}

    def first_ids(self, start: int) -> dict[Market, int]:
        """Where a first start at ``start`` begins: with the 5m bar, and the trade before it."""
        return {market: self.market.first_at(market.symbol, floor(start, M5.ms)) - 1 for market in self.markets}

    async def watch_memory(self) -> None:
        """Note the ingestors' greatest resident size; cancel to end."""
        while True:
            for child in self.ingestors:
                with suppress(psutil.Error):
                    if child.pid:
                        self.peak_rss = max(self.peak_rss, psutil.Process(child.pid).memory_info().rss)
            await asyncio.sleep(0.25)


@asynccontextmanager
async def world(
    folder: Path,
    *,
    symbols: Iterable[str] = SYMBOLS,
    seed: int = 7,
    per_second: float | Mapping[str, float] = 5.0,
    struck: Callable[[object], None] = lambda fault: None,
    prefixes: Iterable[str] = ("chaos",),
    weights: Weights | None = None,
) -> AsyncIterator[World]:
    """Started, with empty tables; this process's AWS clients lead to the emulator, past the faults."""
    settings = Settings.load({"PREFIX": "chaos", "SYMBOLS": ",".join(symbols)})
    port = choose(0, "EMULATOR_PORT")
    emulator = Emulator.of(settings, folder, port)
    os.environ.update(aws_environment(emulator.url))
    market = SimulatedMarket(list(symbols), seed=seed, trades_per_second=per_second)
    ledger = Ledger()
    storage = FaultyStorage(emulator.url, "chaos-tick_data", ledger.note, Random(seed), struck)
    await emulator.start()
    try:
        await asyncio.to_thread(_create_tables, prefixes)
        await storage.start()
        faults = Faults(struck=struck)
        async with ExchangeServer(market, faults=faults, weights=weights) as server:
            made = World(folder, market, server, emulator, storage, ledger, settings)
            helpers = [asyncio.create_task(work) for work in (ledger.pulse(), made.watch_memory())]
            try:
                await _past_the_edge()
                yield made
            finally:
                for helper in helpers:
                    helper.cancel()
                for child in made.ingestors:
                    child.kill()
                    await child.wait()
    finally:
        await storage.stop()
        await emulator.child.stop(10)


async def _past_the_edge() -> None:
    """A first start begins with the 5m bar that is open; just before its end that might be either of two."""
    left = M5.ms - now_ms() % M5.ms
    if left < 20_000:
        await asyncio.sleep(left / 1000)


def _create_tables(prefixes: Iterable[str]) -> None:
    client = boto3.client("dynamodb")
    for prefix in prefixes:
        for name in ("tick_data", "ohlc_data"):
            client.create_table(
                TableName=f"{prefix}-{name}",
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            )
