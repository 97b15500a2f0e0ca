"""Routes of what the analyse function has put into the cache, and of one symbol's statistics over any window."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from quant.analytics.summary import summarise
from quant.contract.analytics import (
    CORRELATION,
    SCAN,
    STATS,
    STATS_OF_SYMBOL,
    CorrelationParameters,
    ScanParameters,
    StatsOfSymbolParameters,
    StatsParameters,
)
from quant.contract.types import Nothing
from quant.domain.interval import DAY, HOUR, M1, M5, MINUTE, SECOND, floor
from quant.domain.market import Market
from quant.domain.results import Result
from quant.errors import UnknownSymbolError, ValidationError
from quant.http.answers import Answer
from quant.http.call import Call
from quant.http.routing import Routes
from quant.live_bars import LiveBars
from quant.storage.storage import Storage

MAX_WINDOW = 30 * DAY
NOT_YET = "not computed yet: the analyse function has published nothing during the last day"
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}
_KNOWN_FOR = 30 * SECOND


def add_analytics_routes(routes: Routes, storage: Callable[[], Storage]) -> None:
    """Register them; ``storage`` is first called at the first request."""
    made: list[Analytics] = []

    def analytics() -> Analytics:
        if not made:
            made.append(Analytics(storage()))
        return made[0]

    @routes.serve(STATS)
    def stats(call: Call[StatsParameters, Nothing]) -> Answer:
        return analytics().all_statistics(call.parameters, call.now)

    @routes.serve(STATS_OF_SYMBOL)
    def stats_of_symbol(call: Call[StatsOfSymbolParameters, Nothing]) -> Answer:
        return analytics().statistics(call.parameters, call.now)

    @routes.serve(SCAN)
    def pairs_scan(call: Call[ScanParameters, Nothing]) -> Answer:
        return analytics().scan(call.parameters, call.now)

    @routes.serve(CORRELATION)
    def pairs_correlation(call: Call[CorrelationParameters, Nothing]) -> Answer:
        return analytics().correlation(call.parameters, call.now)


@dataclass(slots=True)
class Analytics:
    """Reads the cache; a result that was decoded is kept until another one is the latest."""

    storage: Storage
    _decoded: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    _markets: frozenset[Market] = frozenset()
    _markets_read: int = 0

    def all_statistics(self, asked: StatsParameters, now: int) -> Answer:
        found = self._latest("stats")
        if found is None:
            return _missing({"symbols": []})
        rows = [row for row in found["symbols"] if asked.exchange in (None, row["exchange"])]
        return _answer({**found, "symbols": rows, "reason": None}, now)

    def statistics(self, asked: StatsOfSymbolParameters, now: int) -> Answer:
        market = self._market(asked, now)
        if asked.window is None:
            kept = self._from_cache(market, now)
            if kept is not None:
                return kept
        window = _window(asked.window or "24h")
        interval = M1 if window <= DAY else M5
        live = LiveBars(self.storage.ticks, self.storage.bars)
        tail = live.tail(market, now)
        # Up to now: the open bar counts, and the first one is the first that begins inside the window.
        end = floor(now, interval.ms) + interval.ms
        start = end - floor(window, interval.ms)
        summary = summarise(live.read(market, interval, start, end, tail), start, end)
        body = {
            "exchange": market.exchange,
            "symbol": market.symbol,
            "computed_at": now,
            "window": {"start": start, "end": end, "interval": interval.name},
            "summary": summary,
            "reason": None,
        }
        return _answer(body, now)

    def scan(self, asked: ScanParameters, now: int) -> Answer:
        found = self._latest("scan")
        if found is None:
            return _missing({"pairs": []})
        symbol = asked.symbol.upper() if asked.symbol else None
        rows = [
            row
            for row in found["pairs"]
            if asked.admitted in (None, row["admitted"])
            and (asked.exchange in (None, row["exchange"], row["x_exchange"]))
            and (symbol in (None, row["y"], row["x"]))
            and (asked.max_p_value >= 1 or (row["p_value"] is not None and row["p_value"] <= asked.max_p_value))
        ]
        return _answer({**found, "pairs_found": len(rows), "pairs": rows[: asked.limit]}, now)

    def correlation(self, asked: CorrelationParameters, now: int) -> Answer:
        wanted = [name.upper() for name in asked.symbols]
        found = self._latest("correlation")
        if found is None:
            return _missing({"symbols": [], "matrix": []})
        names = [row["symbol"] for row in found["symbols"]]
        for name in wanted:
            if name not in names:
                raise ValidationError("symbols", f"{name!r} is not in the matrix; it holds {', '.join(names)[:300]}")
        chosen = [
            place
            for place, row in enumerate(found["symbols"])
            if asked.exchange in (None, row["exchange"]) and (not wanted or row["symbol"] in wanted)
        ]
        matrix = [[found["matrix"][row][column] for column in chosen] for row in chosen] if found["matrix"] else []
        rows = [found["symbols"][place] for place in chosen]
        return _answer({**found, "symbols": rows, "matrix": matrix, "reason": None}, now)

    def _from_cache(self, market: Market, now: int) -> Answer | None:
        found = self._latest("stats")
        for row in found["symbols"] if found else ():
            if found and (row["exchange"], row["symbol"]) == market and row["summary"] is not None:
                return _answer({**row, "computed_at": found["computed_at"], "window": found["window"]}, now)
        return None

    def _latest(self, name: str) -> dict[str, Any] | None:
        result: Result | None = self.storage.cache.latest(name)
        if result is None:
            return None
        kept = self._decoded.get(name)
        if kept is None or kept[0] != result.run_id:
            kept = self._decoded[name] = (result.run_id, msgspec.json.decode(result.body))
        return kept[1]

    def _market(self, asked: StatsOfSymbolParameters, now: int) -> Market:
        market = Market(asked.exchange, asked.symbol.upper())
        if market not in self._markets or now - self._markets_read > _KNOWN_FOR:
            self._markets = frozenset(one.market for one in self.storage.instruments.all())
            self._markets_read = now
        if market not in self._markets:
            raise UnknownSymbolError(*market)
        return market


def _window(text: str) -> int:
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    window = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 5 * MINUTE <= window <= MAX_WINDOW:
        raise ValidationError("window", "must be a length from 5m to 30d, such as 15m, 4h or 7d")
    return window


def _answer(body: dict[str, Any], now: int) -> Answer:
    return Answer.of({**body, "age_ms": max(now - body["computed_at"], 0)})


def _missing(empty: dict[str, Any]) -> Answer:
    return Answer.of({"computed_at": None, "age_ms": None, **empty, "reason": NOT_YET})
