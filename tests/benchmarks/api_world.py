"""The API over tables in memory that count: a day of twenty symbols and a thousand rules."""

from __future__ import annotations

from analyse.service import Analyst
from api.chalicelib.routes import create_app
from api.chalicelib.service import MarketData
from quant.analytics.resample import coarser
from quant.domain.alert import Rule
from quant.domain.interval import DAY, M1, M5, floor
from quant.domain.market import Instrument, Market
from quant.domain.ports import Heartbeat, MarketPulse, Watermark
from quant.http.answers import to_json
from quant.settings import Settings
from quant.storage import codec
from quant.storage.storage import storage_on
from tests.benchmarks.measure import unheard
from tests.benchmarks.metered import MeteredTable
from tests.functional.analyse.market import NOW, minute_bars, walks
from tests.functional.world import random_trades

SYMBOLS, RULES, TICKS = 20, 1_000, 3_000
# In the middle of an hour: around its end, trades are read from two partitions.
BEGIN = NOW + 30 * 60_000


class ApiWorld:
    """Storage, clock and app."""

    def __init__(self) -> None:
        self.now = BEGIN
        self._tables = [MeteredTable() for _ in range(5)]
        ticks, bars, results, rules, history = self._tables
        self.storage = storage_on(ticks, bars, Settings.load({}), lambda: self.now, results, (rules, history))
        self._follow()
        self._watch()
        data = MarketData(self.storage, {}, 7 * DAY, "1")
        self.api = unheard(create_app(lambda: data, lambda: self.now))
        Analyst(self.storage.bars, self.storage.instruments, self.storage.cache, to_json, lambda: self.now).run(
            self.now
        )

    @property
    def requests(self) -> int:
        return sum(table.meter.requests for table in self._tables)

    def _follow(self) -> None:
        end = floor(self.now, M1.ms)
        pulses = []
        for number, closes in enumerate(walks(SYMBOLS, 1_440)):
            market = Market("binance", f"SYM{number:04d}USDT")
            self.storage.instruments.put([Instrument(market, market.symbol[:-4], "USDT", 4, 2)])
            bars = minute_bars(closes, end)
            for part in (bars, coarser(bars, M5.ms)):
                self.storage.bars.merge(market, part)
            last = int(bars.last_id[-1])
            self.storage.bars.advance(Watermark(market, end, last + 1, last, end - 1, True, self.now))
            pulses.append(MarketPulse(market, last, end, last, end, end, 5, "100.0000"))
        first = Market("binance", "SYM0000USDT")
        trades = random_trades(TICKS, start=self.now - 5 * 60_000, mean_ms=90)
        for start in range(0, TICKS, 50):
            self.storage.ticks.write(codec.pack(first, trades.take(slice(start, start + 50))))
        self.storage.heartbeats.put(Heartbeat("1/1", "bench", self.now, "simulated", tuple(pulses), {"trades": TICKS}))

    def _watch(self) -> None:
        for number in range(RULES):
            market = Market("binance", f"SYM{number % SYMBOLS:04d}USDT")
            rule = Rule(f"rule-{number:04d}", 1, 1, f"rule {number}", "price", market, "1m", 60, ">", 100.0 + number)
            self.storage.rules.put(rule, expected=0)
