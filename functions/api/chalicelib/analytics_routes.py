"""Routes of what the analyse function has put into the cache, and of one symbol's statistics over any window."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from quant.analytics.summary import summarise
from quant.domain.interval import DAY, HOUR, M1, M5, MINUTE, SECOND, floor
from quant.domain.market import DEFAULT_EXCHANGE, Market
from quant.domain.ports import Clock
from quant.domain.results import Result
from quant.errors import UnknownSymbolError, ValidationError
from quant.http.answers import Answer, to_json
from quant.http.parameters import Query
from quant.http.routing import Routes
from quant.live_bars import LiveBars
from quant.storage.storage import Storage

MAX_WINDOW = 30 * DAY
MAX_PAIRS = 1_000
NOT_YET = "not computed yet: the analyse function has published nothing during the last day"
_FRESH = {"Cache-Control": "no-cache"}
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}
_KNOWN_FOR = 30 * SECOND


def add_analytics_routes(routes: Routes, storage: Callable[[], Storage], clock: Clock) -> None:
    """Register them; ``storage`` is first called at the first request."""
    made: list[Analytics] = []

    def analytics() -> Analytics:
        if not made:
            made.append(Analytics(storage()))
        return made[0]

    @routes.get("/stats", "exchange")
    def stats(query: Query) -> Answer:
        return analytics().all_statistics(query, clock())

    @routes.get("/stats/{symbol}", "exchange", "window")
    def stats_of_symbol(query: Query, symbol: str) -> Answer:
        return analytics().statistics(symbol, query, clock())

    @routes.get("/pairs/scan", "exchange", "symbol", "admitted", "max_p_value", "limit")
    def pairs_scan(query: Query) -> Answer:
        return analytics().scan(query, clock())

    @routes.get("/pairs/correlation", "exchange", "symbols")
    def pairs_correlation(query: Query) -> Answer:
        return analytics().correlation(query, clock())


@dataclass(slots=True)
class Analytics:
    """Reads the cache; a result that was decoded is kept until another one is the latest."""

    storage: Storage
    _decoded: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    _markets: frozenset[Market] = frozenset()
    _markets_read: int = 0

    def all_statistics(self, query: Query, now: int) -> Answer:
        exchange = query.text("exchange")
        found = self._latest("stats")
        if found is None:
            return _missing({"symbols": []})
        rows = [row for row in found["symbols"] if exchange in ("", row["exchange"])]
        return _answer({**found, "symbols": rows, "reason": None}, now)

    def statistics(self, symbol: str, query: Query, now: int) -> Answer:
        market = self._market(symbol, query, now)
        text = query.text("window")
        if not text:
            kept = self._from_cache(market, now)
            if kept is not None:
                return kept
        window = _window(text or "24h")
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

    def scan(self, query: Query, now: int) -> Answer:
        limit = query.whole("limit", 1, MAX_PAIRS, 100)
        admitted = query.choice("admitted", ("", "true", "false"), "")
        highest = query.number("max_p_value", 0, 1, 1)
        exchange, symbol = query.text("exchange"), query.text("symbol").upper()
        found = self._latest("scan")
        if found is None:
            return _missing({"pairs": []})
        rows = [
            row
            for row in found["pairs"]
            if (not admitted or row["admitted"] == (admitted == "true"))
            and (exchange in ("", row["exchange"], row["x_exchange"]))
            and (not symbol or symbol in (row["y"], row["x"]))
            and (highest >= 1 or (row["p_value"] is not None and row["p_value"] <= highest))
        ]
        return _answer({**found, "pairs_found": len(rows), "pairs": rows[:limit]}, now)

    def correlation(self, query: Query, now: int) -> Answer:
        exchange = query.text("exchange")
        wanted = [part.strip().upper() for part in query.text("symbols").split(",") if part.strip()]
        found = self._latest("correlation")
        if found is None:
            return _missing({"symbols": [], "matrix": []})
        names = [row["symbol"] for row in found["symbols"]]
        for name in wanted:
            if name not in names:
                raise ValidationError(
                    "symbols", f"{name[:30]!r} is not in the matrix; it holds {', '.join(names)[:300]}"
                )
        chosen = [
            place
            for place, row in enumerate(found["symbols"])
            if exchange in ("", row["exchange"]) and (not wanted or row["symbol"] in wanted)
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

    def _market(self, symbol: str, query: Query, now: int) -> Market:
        market = Market(query.text("exchange", DEFAULT_EXCHANGE), symbol)
        if market not in self._markets or now - self._markets_read > _KNOWN_FOR:
            self._markets = frozenset(one.market for one in self.storage.instruments.all())
            self._markets_read = now
        if market not in self._markets:
            raise UnknownSymbolError(market.exchange[:20], symbol[:30])
        return market


def _window(text: str) -> int:
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    window = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 5 * MINUTE <= window <= MAX_WINDOW:
        raise ValidationError("window", "must be a length from 5m to 30d, such as 15m, 4h or 7d")
    return window


def _answer(body: dict[str, Any], now: int) -> Answer:
    return Answer(to_json({**body, "age_ms": max(now - body["computed_at"], 0)}).decode(), headers=_FRESH)


def _missing(empty: dict[str, Any]) -> Answer:
    return Answer(to_json({"computed_at": None, "age_ms": None, **empty, "reason": NOT_YET}).decode(), headers=_FRESH)
