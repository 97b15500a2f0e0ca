"""Routes of what the analyse function has put into the cache, and of one symbol's statistics over any window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from api.chalicelib.results import Results
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
from quant.errors import UnknownSymbolError, ValidationError
from quant.http.answers import Answer
from quant.http.call import Call
from quant.http.routing import Routes
from quant.live_bars import LiveBars
from quant.storage.storage import Storage

NOT_YET = "not computed yet: the analyse function has published nothing during the last day"
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}
_KNOWN_FOR = 30 * SECOND


def add_analytics_routes(routes: Routes, analytics: Callable[[], Analytics]) -> None:
    """Register them; ``analytics`` is first called at the first request."""

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
    """Reads what the analyst has published, and computes what he has not."""

    storage: Storage
    results: Results
    _markets: frozenset[Market] = frozenset()
    _markets_read: int = 0

    def all_statistics(self, asked: StatsParameters, now: int) -> Answer:
        found = self.results.latest("stats", now)
        if found is None:
            return _missing({"symbols": []})
        rows = [row for row in found["symbols"] if asked.exchange in (None, row["exchange"])]
        return _answer({**found, "symbols": rows, "reason": None}, now, _tag(found, asked))

    def statistics(self, asked: StatsOfSymbolParameters, now: int) -> Answer:
        market = self._market(asked, now)
        if asked.window is None:
            kept = self._from_cache(market, asked, now)
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
        found = self.results.latest("scan", now)
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
        reason = found["reason"] or _why_none(found, symbol)
        body = {**found, "pairs_found": len(rows), "pairs": rows[: asked.limit], "reason": reason}
        return _answer(body, now, _tag(found, asked))

    def correlation(self, asked: CorrelationParameters, now: int) -> Answer:
        wanted = [name.upper() for name in asked.symbols or ()]
        found = self.results.latest("correlation", now)
        if found is None:
            return _missing({"symbols": [], "matrix": []})
        offered = [
            (place, row) for place, row in enumerate(found["symbols"]) if asked.exchange in (None, row["exchange"])
        ]
        names = [row["symbol"] for _, row in offered]
        for name in wanted:
            if name not in names:
                held = ", ".join(names)[:300] or "no symbol"
                raise ValidationError("symbols", f"must be in the matrix, {name!r} is not; it holds {held}")
        chosen = [place for place, row in offered if not wanted or row["symbol"] in wanted]
        matrix = [[found["matrix"][row][column] for column in chosen] for row in chosen] if found["matrix"] else []
        rows = [found["symbols"][place] for place in chosen]
        body = {**found, "symbols": rows, "matrix": matrix, "reason": found.get("reason")}
        return _answer(body, now, _tag(found, asked))

    def _from_cache(self, market: Market, asked: Struct, now: int) -> Answer | None:
        found = self.results.latest("stats", now)
        for row in found["symbols"] if found else ():
            if found and (row["exchange"], row["symbol"]) == market and row["summary"] is not None:
                told = {**row, "computed_at": found["computed_at"], "window": found["window"]}
                return _answer(told, now, _tag(found, asked))
        return None

    def _market(self, asked: StatsOfSymbolParameters, now: int) -> Market:
        market = Market(asked.exchange, asked.symbol.upper())
        if market not in self._markets or now - self._markets_read > _KNOWN_FOR:
            self._markets = frozenset(one.market for one in self.storage.instruments.all())
            self._markets_read = now
        if market not in self._markets:
            raise UnknownSymbolError(*market)
        return market


def _why_none(found: dict[str, Any], symbol: str | None) -> str | None:
    """Why a scan holds no pair of a symbol; None where it holds some, or all are asked for."""
    if symbol is None:
        return None
    out = {(row["exchange"], row["symbol"]): row["reason"] for row in found["excluded"] if row["symbol"] == symbol}
    if any(row["symbol"] == symbol and (row["exchange"], symbol) not in out for row in found["symbols"]):
        return None
    return f"{symbol} takes no part: it {next(iter(out.values()))}" if out else f"{symbol} is not followed"


def _window(text: str) -> int:
    return int(text[:-1]) * _UNITS[text[-1]]


def _answer(body: dict[str, Any], now: int, tag: str | None = None) -> Answer:
    return Answer.of({**body, "age_ms": max(now - body["computed_at"], 0)}, tag=tag)


def _tag(found: dict[str, Any], asked: Struct) -> str:
    """An answer changes with the run that computed it; its age alone makes no new one."""
    return f"{found['run_id']} {asked}"


def _missing(empty: dict[str, Any]) -> Answer:
    return Answer.of({"computed_at": None, "age_ms": None, **empty, "reason": NOT_YET})
