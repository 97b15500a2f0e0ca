"""One check of many rules over 20 symbols and their 190 pairs; storage in memory, one core.

The rules are of every metric that bars give, none of them fires. Reads are requests to the tables of market data; what
the pages of the rules themselves cost is counted apart.
"""

from __future__ import annotations

import itertools
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

from check_alerts.service import Monitor
from quant.alerting.rules import rule_from
from quant.domain.alert import Rule
from quant.domain.interval import SECOND
from quant.domain.market import Instrument, Market
from quant.domain.ports import Heartbeat, MarketPulse, Watermark
from quant.settings import Settings
from quant.storage import codec
from quant.storage.storage import Storage, storage_on
from tests.benchmarks.measure import one_core
from tests.benchmarks.metered import MeteredTable
from tests.benchmarks.row import Row
from tests.functional.analyse.market import Floats, minute_bars, walks
from tests.functional.world import random_trades

SYMBOLS, START = 20, 1_795_348_800_000
COUNTS = (100, 1_000, 10_000)
_SINGLE = ("price", "change", "volume", "volume_ratio", "volatility", "vwap_deviation")
_PAIR = ("pair_zscore", "spread", "correlation")


def run() -> list[Row]:
    with one_core():
        figures = {count: _measured(count) for count in COUNTS}
    most = figures[COUNTS[-1]]
    grown = ", ".join(f"{count:,}: {one.seconds:.3g} s, {one.reads} reads" for count, one in figures.items())
    about = f"20 symbols, 190 pairs; a run a minute, the second one. By rules: {grown}"
    return [
        Row("alerts.check_10000_s", most.seconds, "s", about, None, "≤ 5"),
        Row(
            "alerts.check_10000_reads",
            most.reads,
            "requests",
            f"of market data; {most.rule_reads} more for rules and states of {most.rule_kb:,.0f} KB",
            None,
            "grow with symbols",
        ),
        Row("alerts.check_100_s", figures[100].seconds, "s", "the same with 100 rules"),
        Row("alerts.check_1000_s", figures[1_000].seconds, "s", "the same with 1,000 rules"),
        Row(
            "alerts.check_10000_mb", most.peak_mb, "MB", f"peak of a run; with 100 rules {figures[100].peak_mb:.1f} MB"
        ),
    ]


class _Figures:
    def __init__(self, seconds: float, reads: int, rule_reads: int, rule_kb: float, peak_mb: float) -> None:
        self.seconds, self.reads, self.rule_reads = seconds, reads, rule_reads
        self.rule_kb, self.peak_mb = rule_kb, peak_mb


class _Market:
    """Twenty symbols with two days of 1m bars and a minute of trades that are not resampled yet."""

    def __init__(self, rules: int) -> None:
        self.now = START
        self.data = [MeteredTable(), MeteredTable(), MeteredTable()]
        self.kept = [MeteredTable(), MeteredTable()]
        ticks, bars, cache = self.data
        self.storage: Storage = storage_on(
            ticks, bars, Settings.load({}), lambda: self.now, cache, (self.kept[0], self.kept[1])
        )
        self.markets = [Market("binance", f"S{number:02}USDT") for number in range(SYMBOLS)]
        self.trades = {market: random_trades(600, 7, START, 300, 1_000_000) for market in self.markets}
        for market, closes in zip(self.markets, walks(SYMBOLS, 2_880), strict=True):
            self._follow(market, closes)
        self._write(0, 200)
        for rule in quiet_rules(self.markets, rules):
            self.storage.rules.put(rule, expected=0)

    def monitor(self) -> Monitor:
        one = self.storage
        return Monitor(
            one.rules, one.alerts, one.ticks, one.bars, one.heartbeats, one.instruments, one.cache, lambda: self.now
        )

    def minute_later(self) -> None:
        self._write(200, 400)

    def _follow(self, market: Market, closes: Floats) -> None:
        kept = self.storage
        kept.instruments.put([Instrument(market, market.symbol[:3], "USDT", 2, 5)])
        bars = minute_bars(closes, START, decimals=2)
        kept.bars.merge(market, bars)
        kept.bars.advance(Watermark(market, START, 1_000_000, 999_999, START - 1, True, START))

    def _write(self, low: int, high: int) -> None:
        pulses = []
        for market, trades in self.trades.items():
            part = trades.take(slice(low, high))
            self.storage.ticks.write(codec.pack(market, part))
            last, at = part.last_id, int(part.times[-1])
            pulses.append(MarketPulse(market, last, at, last, at, at, 5, "1.00"))
            self.now = max(self.now, at + SECOND)
        self.storage.heartbeats.put(Heartbeat("1/1", "bench", self.now, "live", tuple(pulses)))

    def requests(self) -> tuple[int, int]:
        """So far: to market data, and to rules and history."""
        data, kept = (sum(table.meter.requests for table in group) for group in (self.data, self.kept))
        return data, kept


def quiet_rules(markets: list[Market], count: int) -> Iterator[Rule]:
    """Spread over every metric and input, in windows of an hour and of two; none of them ever fires."""
    kinds: list[tuple[str, Market, Market | None]] = [(metric, y, None) for metric in _SINGLE for y in markets]
    kinds += [(metric, y, x) for metric in _PAIR for y, x in itertools.combinations(markets, 2)]
    for number in range(count):
        # 7 has no divisor in common with the 690 kinds: all of them take their turns.
        metric, y, x = kinds[7 * number % len(kinds)]
        given: dict[str, Any] = {"name": "never", "metric": metric, "symbol": y.symbol, "operator": ">"}
        given["threshold"] = 1 if metric == "correlation" else 1e12
        given |= {"x": x.symbol} if x else {}
        given |= {} if metric == "price" else {"window": (60, 120)[number // len(kinds) % 2]}
        yield rule_from(given, f"r{number:05d}", START)


def _measured(count: int) -> _Figures:
    market = _Market(count)
    monitor = market.monitor()
    report = monitor.check(market.now)
    assert (report.rules, report.unfinished, report.events, report.errors) == (count, 0, 0, {})
    market.minute_later()
    before, began = market.requests(), time.perf_counter()
    report = monitor.check(market.now)
    seconds, after = time.perf_counter() - began, market.requests()
    assert (report.evaluated, report.unfinished, report.events) == (count, 0, 0)
    tracemalloc.start()
    monitor.check(market.now)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    rule_kb = sum(len(item.payload) for item in market.kept[0].query("rule")) / 1024
    return _Figures(seconds, after[0] - before[0], after[1] - before[1], rule_kb, peak / 1e6)
