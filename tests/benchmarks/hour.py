"""An hour of N markets as it is in production, in metered tables: what is asked of DynamoDB, per market and minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from quant.analytics.resample import bars_of_trades
from quant.domain.interval import DAY, HOUR, M1, M5, MINUTE, SECOND
from quant.domain.market import Instrument, Market
from quant.domain.ports import Heartbeat, MarketPulse, Watermark
from quant.domain.trade import Trades
from quant.settings import Settings
from quant.storage import codec
from quant.storage.storage import Storage, storage_on
from quant.storage.table import Table
from resample.service import Report, Resampler
from tests.benchmarks.markets import lifelike
from tests.benchmarks.metered import Meter, MeteredTable
from tests.benchmarks.peers import START

NOON = START + 36 * HOUR
FLUSH = 5 * SECOND
PHASE = 30 * SECOND
"""When in its minute the resampler runs; EventBridge keeps to the second it began with."""


@dataclass
class Hour:
    """A day and a half is stored already; then ``minutes`` of trades come in, flush by flush.

    Attributes:
        work: what was asked of the five tables, by part: ingest, heartbeat, resample, analyse, ohlc …
        runs: processor time of each run of a part.
    """

    markets: list[Market]
    per_second: float
    tick_data: Table = field(default_factory=MeteredTable)
    ohlc_data: Table = field(default_factory=MeteredTable)
    analytics_cache: Table = field(default_factory=MeteredTable)
    alert_rules: Table = field(default_factory=MeteredTable)
    alert_history: Table = field(default_factory=MeteredTable)
    now: int = NOON
    work: dict[str, Meter] = field(default_factory=dict)
    runs: dict[str, list[float]] = field(default_factory=dict)
    chunks: int = 0
    chunk_bytes: int = 0
    trades: int = 0

    @property
    def storage(self) -> Storage:
        alerts = (self.alert_rules, self.alert_history)
        return storage_on(
            self.tick_data, self.ohlc_data, Settings.load({}), lambda: self.now, self.analytics_cache, alerts
        )

    def play(self, minutes: int) -> None:
        self._begin()
        streams = {one: self._stream(one, minutes) for one in self.markets}
        for end in range(NOON + FLUSH, NOON + minutes * MINUTE + 1, FLUSH):
            self.now = end
            self.part("ingest", lambda: self._flush(streams))
            if end % (2 * FLUSH) == 0:
                self.part("heartbeat", lambda: self._beat(streams))
            if end % MINUTE == PHASE:
                self.part("resample", self.resample)

    def part(self, name: str, work: Callable[[], object]) -> None:
        """Do it, on the account of ``name``."""
        meter = self.work.setdefault(name, Meter())
        for table in (self.tick_data, self.ohlc_data, self.analytics_cache, self.alert_rules, self.alert_history):
            if isinstance(table, MeteredTable):
                table.meter = meter
        began = time.process_time()
        work()
        self.runs.setdefault(name, []).append(time.process_time() - began)

    def resample(self) -> Report:
        storage = self.storage
        return Resampler(storage.ticks, storage.bars, storage.heartbeats, 7 * DAY).run(self.now)

    def _begin(self) -> None:
        storage = self.storage
        storage.instruments.put([Instrument(one, "SYM", "USDT", 2, 5) for one in self.markets])
        past = lifelike(START, 36 * 3600, min(self.per_second, 0.5), first_id=0)
        for market in self.markets:
            for interval in (M1, M5):
                storage.bars.merge(market, bars_of_trades(past, interval.ms, previous_id=-1))
            storage.bars.advance(Watermark(market, NOON, 10_000_000, 9_999_999, NOON - 1, True, NOON))

    def _stream(self, market: Market, minutes: int) -> Trades:
        seed = sum(map(ord, market.symbol))
        return lifelike(NOON, minutes * 60, self.per_second, seed, first_id=10_000_000)

    def _flush(self, streams: dict[Market, Trades]) -> None:
        edges = (self.now - FLUSH, self.now)
        chunks = codec.pack_all(
            (market, trades.take(slice(*np.searchsorted(trades.times, edges).tolist())))
            for market, trades in streams.items()
        )
        self.storage.ticks.write(chunks)
        self.chunks += len(chunks)
        self.trades += sum(chunk.count for chunk in chunks)
        self.chunk_bytes += sum(len(chunk.payload) for chunk in chunks)

    def _beat(self, streams: dict[Market, Trades]) -> None:
        pulses = tuple(self._pulse(one, self.now // SECOND + 7_919 * number) for number, one in enumerate(streams))
        figures = {name: (self.now // SECOND * (number + 3)) % 1_000_003 for number, name in enumerate(FIGURES)}
        self.storage.heartbeats.put(Heartbeat("1/1", "0123456789abcdef", self.now, "live", pulses, figures))

    def _pulse(self, market: Market, seed: int) -> MarketPulse:
        """With figures of its own: equal ones would be compressed as real ones are not."""
        last_id, at = seed * 48_271 % 4_000_000_007, self.now - seed % 251
        stored, until = last_id - seed % 199, at - seed % 4_999
        counters = {
            "trades": seed * 31 % 9_999_991, "duplicates": seed % 307, "filled": seed % 997, "holes_opened": seed % 13,
            "halts": seed % 7, "gaps": 0, "suspects": 0, "holes_open": 0, "missing_ids": 0, "contiguous_id": stored,
        }  # fmt: skip
        price = f"{seed * 7_907 % 9_999_999 / 100:.2f}"
        return MarketPulse(market, last_id, at, stored, until, self.now, 40 + seed % 97, price, counters)


FIGURES = ("trades_per_second", "trades", "stored_trades", "chunks", "connected", "connections", "reconnects",
           "handovers", "stale", "holes_open", "holes_healed", "ids_healed", "aggregates", "gaps", "halts",
           "duplicates", "quarantined", "ignored_frames", "dropped_chunks", "refused_by_disk", "journal_bytes",
           "queue_depth", "parked_chunks", "storage_retries", "uptime_s")  # fmt: skip
