"""A market in memory: trades are published, written like an ingestor writes them, resampled and read."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np

from quant.domain.interval import DAY, MINUTE, floor
from quant.domain.market import Instrument, Market
from quant.domain.ports import DirtyMark, Heartbeat, MarketPulse
from quant.domain.trade import Trades
from quant.settings import Settings
from quant.storage import codec
from quant.storage.storage import Storage, storage_on
from quant.storage.table import MemoryTable
from resample.service import Report, Resampler

MARKET = Market("binance", "BTCUSDT")
START = 1_723_158_000_000  # 2024-08-08T23:00 UTC
SETTINGS = Settings.load({})


@dataclass
class World:
    """Storage and clock of a test."""

    now: int = START
    tick_data: MemoryTable = field(default_factory=MemoryTable)
    ohlc_data: MemoryTable = field(default_factory=MemoryTable)

    @property
    def storage(self) -> Storage:
        return storage_on(self.tick_data, self.ohlc_data, SETTINGS, lambda: self.now)

    def resampler(self) -> Resampler:
        storage = self.storage
        return Resampler(storage.ticks, storage.bars, storage.heartbeats, 7 * DAY)

    def follow(self) -> None:
        self.storage.instruments.put([Instrument(MARKET, "BTC", "USDT", 2, 5)])

    def write(self, trades: Trades, size: int = 50) -> None:
        ticks = self.storage.ticks
        parts = (trades.take(slice(start, start + size)) for start in range(0, len(trades), size))
        for chunk in codec.pack_all((MARKET, part) for part in parts):
            ticks.write([chunk])

    def heal(self, trades: Trades) -> None:
        """Write below the frontier: the mark first, then the chunk."""
        for chunk in codec.pack(MARKET, trades):
            self.storage.ticks.mark_dirty(DirtyMark(MARKET, chunk.hour, chunk.first_id, chunk.last_id, chunk.count))
            self.storage.ticks.write([chunk])

    def beat(self, last: Trades, frontier: int | None = None) -> None:
        time = int(last.times[-1])
        pulse = MarketPulse(
            MARKET, last.last_id, time, last.last_id, time, time if frontier is None else frontier, 5, "60000.00"
        )
        self.storage.heartbeats.put(Heartbeat("1/1", "test", self.now, "simulated", (pulse,), {"trades": len(last)}))

    def resample(self) -> Report:
        return self.resampler().run(self.now)

    def stored_bars(self) -> dict[str, bytes]:
        """All items of bars by key, to be compared byte by byte."""
        items = (self.ohlc_data.query(f"{MARKET.key}#{name}") for name in ("1s", "1m", "5m"))
        return {f"{item.pk}/{item.sk}": item.payload for partition in items for item in partition}


def random_trades(count: int, seed: int = 7, start: int = START, mean_ms: int = 300, first_id: int = 1_000) -> Trades:
    """A seeded stretch of trades with contiguous ids."""
    chance = random.Random(seed)
    times = (start + np.cumsum([int(chance.expovariate(1 / mean_ms)) for _ in range(count)])).astype(np.int64)
    prices = 6_000_000 + np.cumsum([chance.randrange(-40, 41) for _ in range(count)])
    return Trades.of(
        np.arange(first_id, first_id + count),
        times,
        prices,
        [chance.randrange(1, 100_000) for _ in range(count)],
        [chance.random() < 0.5 for _ in range(count)],
        price_decimals=2,
        quantity_decimals=5,
    )


def undisturbed(trades: Trades) -> dict[str, bytes]:
    """The bars of one run over all trades, the last open minute apart."""
    world = World(now=int(trades.times[-1]) + 1)
    world.write(trades)
    world.beat(trades)
    world.resample()
    return world.stored_bars()


def last_minute(trades: Trades) -> int:
    return floor(int(trades.times[-1]), MINUTE)
