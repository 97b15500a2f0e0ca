"""A market in memory whose 1m closes a test chooses."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from quant.analytics.resample import coarser
from quant.domain.bar import COMPLETE, FROM_TRADES, INCOMPLETE, Bars
from quant.domain.interval import DAY, M1, M5, MINUTE
from quant.domain.market import Instrument, Market
from quant.domain.ports import Watermark
from quant.settings import Settings
from quant.storage.storage import Storage, storage_on
from quant.storage.table import MemoryTable

NOW = 1_795_348_800_000 + 7_000  # 2026-11-22T12:00:07 UTC
END = NOW - NOW % MINUTE
N = 1_440

Floats = NDArray[np.float64]


def market(symbol: str) -> Market:
    return Market("binance", symbol)


def minute_bars(closes: Floats, end: int = END, decimals: int = 4) -> Bars:
    """One bar per close, the last one ending at ``end``, all complete, opens at the close before."""
    n = len(closes)
    close = np.rint(closes * 10**decimals).astype(np.int64)
    opened = np.concatenate([close[:1], close[:-1]])
    ids = np.arange(n, dtype=np.int64) * 10
    volume = np.full(n, 500, dtype=np.int64)
    return Bars(
        interval=MINUTE,
        price_decimals=decimals,
        quantity_decimals=2,
        time=end - MINUTE * np.arange(n, 0, -1, dtype=np.int64),
        open=opened,
        high=np.maximum(opened, close),
        low=np.minimum(opened, close),
        close=close,
        volume=volume,
        quote_volume=volume * close,
        taker_buy_volume=volume // 2,
        taker_buy_quote_volume=volume // 2 * close,
        trades=np.full(n, 10, dtype=np.int64),
        first_id=ids,
        last_id=ids + 9,
        complete=np.full(n, COMPLETE, dtype=np.int8),
        source=np.full(n, FROM_TRADES, dtype=np.int8),
    )


def without(bars: Bars, places: list[int]) -> Bars:
    """The bars but those; their neighbours are incomplete, as a hole leaves them."""
    complete = bars.complete.copy()
    for place in places:
        complete[[place - 1, place + 1]] = INCOMPLETE
    changed = Bars(**{name: getattr(bars, name) for name in bars.__slots__} | {"complete": complete})
    return changed.take(np.delete(np.arange(len(bars)), places))


@dataclass
class AnalysedMarket:
    """Storage and clock of a test."""

    now: int = NOW
    tables: list[MemoryTable] = field(default_factory=lambda: [MemoryTable(), MemoryTable(), MemoryTable()])
    storage: Storage = field(init=False)

    def __post_init__(self) -> None:
        ticks, bars, results = self.tables
        self.storage = storage_on(ticks, bars, Settings.load({}), lambda: self.now, results)

    def put(self, symbol: str, bars: Bars) -> None:
        """Follow a symbol and store its 1m and 5m bars, resampled up to their end."""
        decimals = bars.price_decimals
        self.storage.instruments.put([Instrument(market(symbol), symbol.removesuffix("USDT"), "USDT", decimals, 2)])
        if not len(bars):
            return
        for part in (bars, coarser(bars, M5.ms)):
            self.storage.bars.merge(market(symbol), part)
        last, end = int(bars.last_id[-1]), int(bars.time[-1]) + MINUTE
        self.storage.bars.advance(Watermark(market(symbol), end, last + 1, last, end - 1, True, self.now))

    def bars(self, symbol: str) -> Bars:
        return self.storage.bars.read(market(symbol), M1, END - 2 * DAY, END)


def walks(count: int, n: int = N, seed: int = 1) -> Floats:
    """Independent random walks."""
    steps = np.random.default_rng(seed).standard_normal((count, n))
    walked: Floats = 100 * np.exp(0.0008 * steps.cumsum(axis=1))
    return walked


def tied(x: Floats, half_life: float = 20, deviation: float = 0.003, seed: int = 5) -> Floats:
    """A series whose logarithm is 0.8 that of x and a spread that comes back."""
    rng = np.random.default_rng(seed)
    decay = 0.5 ** (1 / half_life)
    spread = np.zeros(len(x))
    for t in range(1, len(x)):
        spread[t] = decay * spread[t - 1] + deviation * np.sqrt(1 - decay**2) * rng.standard_normal()
    return x**0.8 * np.exp(spread)
