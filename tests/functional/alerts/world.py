"""A market in memory whose trades a test chooses second by second, and the monitor that watches it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from check_alerts.service import Monitor
from quant.alerting.rules import rule_from
from quant.domain.alert import AlertEvent, CheckReport, Rule, RuleState
from quant.domain.interval import DAY, MINUTE, SECOND, floor
from quant.domain.market import Instrument, Market
from quant.domain.ports import Heartbeat, MarketPulse
from quant.domain.trade import Trades
from quant.settings import Settings
from quant.storage import codec
from quant.storage.storage import Storage, memory_storage
from resample.service import Resampler

BTC, ETH = Market("binance", "BTCUSDT"), Market("binance", "ETHUSDT")
START = 1_795_348_800_000  # 2026-11-22T12:00:00 UTC
MAIL = {"type": "email", "target": "me@example.org"}


@dataclass
class AlertWorld:
    """Storage and clock. Time is given in seconds from START; one trade a second unless a test says otherwise."""

    source: str = "live"
    now: int = START
    storage: Storage = field(init=False)
    monitor: Monitor = field(init=False)
    _next_id: dict[Market, int] = field(default_factory=dict)
    _last: dict[Market, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.storage = memory_storage(lambda: self.now, Settings.load({}))
        self.monitor = self.new_monitor()

    def new_monitor(self, **changes: Any) -> Monitor:
        kept = self.storage
        monitor = Monitor(
            kept.rules, kept.alerts, kept.ticks, kept.bars, kept.heartbeats, kept.instruments, kept.cache,
            lambda: self.now + 40,
        )  # fmt: skip
        return replace(monitor, **changes)

    def follow(self, *markets: Market) -> None:
        """Markets that have been traded at 100 for an hour, and are resampled up to START."""
        self.storage.instruments.put([Instrument(one, one.symbol[:3], "USDT", 2, 5) for one in markets])
        for market in markets:
            self.trade(market, dict.fromkeys(range(-3_600, 0, 20), 100.0))
        self.at(0)
        self.resample()

    def trades(self, market: Market, prices: Mapping[int, float] | Sequence[float], first: int = 0) -> Trades:
        """Trades at the middle of seconds, with the next ids; prices by second, or one a second from ``first`` on."""
        by_second = dict(prices) if isinstance(prices, Mapping) else dict(enumerate(prices, first))
        n, start = len(by_second), self._next_id.get(market, 1_000)
        self._next_id[market] = start + n
        return Trades.of(
            np.arange(start, start + n),
            np.array([START + second * SECOND + 500 for second in by_second], dtype=np.int64),
            np.array([round(100 * price) for price in by_second.values()], dtype=np.int64),
            [50_000] * n,
            [False] * n,
            price_decimals=2,
            quantity_decimals=5,
        )

    def store(self, market: Market, trades: Trades) -> None:
        if not len(trades):
            return
        self.storage.ticks.write(codec.pack(market, trades))
        self._last[market] = max((trades.last_id, int(trades.times[-1])), self._last.get(market, (0, 0)))

    def trade(self, market: Market, prices: Mapping[int, float] | Sequence[float], first: int = 0) -> Trades:
        trades = self.trades(market, prices, first)
        self.store(market, trades)
        return trades

    def at(self, second: float) -> None:
        """Let it be that late, with a heartbeat that says what is stored."""
        self.now = START + int(second * SECOND)
        self.beat()

    def beat(self) -> None:
        pulses = tuple(
            MarketPulse(market, last, time, last, time, time, 5, "1.00") for market, (last, time) in self._last.items()
        )
        self.storage.heartbeats.put(Heartbeat("1/1", "test", self.now, self.source, pulses))

    def resample(self) -> None:
        Resampler(self.storage.ticks, self.storage.bars, self.storage.heartbeats, 7 * DAY).run(self.now)

    def rule(self, **fields: Any) -> Rule:
        """A stored rule of BTCUSDT, price above 110, one mail."""
        given = {"name": "high", "metric": "price", "symbol": "BTCUSDT", "operator": ">", "threshold": 110}
        given |= {"channels": [MAIL]} | fields
        rule_id = str(given.pop("id", None) or f"r{len(self.storage.rules.all()) + 1}")
        rule = rule_from(given, rule_id, given.pop("now", START - SECOND))
        self.storage.rules.put(rule, expected=0)
        return rule

    def check(self, second: float | None = None) -> CheckReport:
        if second is not None:
            self.at(second)
        return self.monitor.check(self.now)

    def events(self, rule_id: str = "") -> list[AlertEvent]:
        """In the order of time."""
        found = self.storage.alerts.events(0, self.now + DAY, rule_id=rule_id, limit=10_000, newest_first=False)
        return sorted(found, key=lambda event: event.time)

    def happened(self, rule_id: str = "") -> list[tuple[str, float]]:
        """What happened, and at which second."""
        return [(event.kind.value, (event.time - START) / SECOND) for event in self.events(rule_id)]

    def state(self, rule_id: str = "r1") -> RuleState:
        found = self.storage.alerts.state(rule_id)
        assert found is not None
        return found


def minute_of(second: float) -> int:
    return floor(START + int(second * SECOND), MINUTE)
