"""Ticks and bars: functions of ports and of the request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import msgspec
import numpy as np

from api.chalicelib import rendering
from api.chalicelib.analytics_routes import Analytics
from api.chalicelib.health import Health
from api.chalicelib.results import Results
from api.chalicelib.symbols import SymbolList
from quant.contract.market import OhlcParameters, TicksParameters
from quant.contract.types import Nothing
from quant.domain.bar import COMPLETE, Bars
from quant.domain.interval import HOUR, SECOND, Interval, ceil, floor
from quant.domain.market import Instrument, Market
from quant.domain.trade import Trades
from quant.errors import UnknownSymbolError, ValidationError
from quant.http.answers import Answer
from quant.http.call import Call
from quant.live_bars import LiveBars, Tail, filled, is_closed
from quant.storage.storage import Storage

HEAL_MAX = 6 * HOUR
CSV = "text/csv; charset=utf-8"
_KNOWN_FOR = 30 * SECOND


@dataclass
class MarketData:
    """What one process keeps between requests.

    Attributes:
        storage: all repositories.
        checks: by name, what raises a StorageError when that part cannot be used; beside the tables.
        tick_ttl: how far back ticks are kept, ms.
        version: of this deployment.
        heal_max: what is older than this is not healed by itself any more, ms.
    """

    storage: Storage
    checks: Mapping[str, Callable[[], object]]
    tick_ttl: int
    version: str
    heal_max: int = HEAL_MAX
    _instruments: dict[Market, Instrument] = field(default_factory=dict)
    _instruments_read: int = 0

    @cached_property
    def results(self) -> Results:
        return Results(self.storage.cache)

    @cached_property
    def analytics(self) -> Analytics:
        return Analytics(self.storage, self.results)

    @cached_property
    def _health(self) -> Health:
        return Health(self.storage, self.checks, self.version)

    @cached_property
    def _symbols(self) -> SymbolList:
        return SymbolList(self.storage, self.results)

    def health(self, now: int) -> Answer:
        found = self._health.look(now)
        return Answer.of(found, status=503 if found.status == "down" else 200)

    def symbols(self, now: int) -> Answer:
        return Answer(self._symbols.body(now))

    def ticks(self, call: Call[TicksParameters, Nothing]) -> Answer:
        asked, now = call.parameters, call.now
        market = self._market(asked.symbol, asked.exchange, now)
        start, end = ordered(asked.start, asked.end)
        cursor = call.position() or {}
        newest_first = (asked.order or ("desc" if start is None else "asc")) == "desc"
        trades = self.storage.ticks.read(
            market,
            max(start or 0, now - self.tick_ttl),
            _until(end, now),
            first_id=cursor.get("from", 0),
            last_id=cursor.get("to"),
            limit=asked.limit + 1,
            newest_first=newest_first,
        )
        more = len(trades) > asked.limit
        trades = trades.take(slice(-asked.limit, None) if newest_first else slice(asked.limit))
        next_cursor = None
        if more:
            further = {"to": trades.first_id - 1} if newest_first else {"from": trades.last_id + 1}
            next_cursor = call.next_cursor(**further)
        settled = self._is_settled(_ticks_end(trades), start, end, now, next_cursor) and _is_whole(trades)
        if newest_first:
            trades = trades.take(slice(None, None, -1))
        if asked.format == "csv":
            return _csv(rendering.ticks_csv(trades), next_cursor, settled)
        head = {"exchange": market.exchange, "symbol": market.symbol}
        return _page_of(head, "ticks", rendering.ticks_json(trades), next_cursor, settled)

    def ohlc(self, call: Call[OhlcParameters, Nothing]) -> Answer:
        asked, now = call.parameters, call.now
        market = self._market(asked.symbol, asked.exchange, now)
        interval = Interval.parse(asked.interval)
        start, end = ordered(asked.start, asked.end)
        begin = (call.position() or {}).get("time", start)
        live = LiveBars(self.storage.ticks, self.storage.bars)
        tail = live.tail(market, now, end)
        fill = asked.fill == "previous"
        bars, next_time = _page(live, tail, market, interval, begin, end, asked.limit, fill, now)
        instrument = self._instruments[market]
        bars = bars.rescaled(
            max(bars.price_decimals, instrument.price_decimals),
            max(bars.quantity_decimals, instrument.quantity_decimals),
        )
        closed = is_closed(bars, tail).tolist()
        next_cursor = None if next_time is None else call.next_cursor(time=next_time)
        settled = self._is_settled(_bars_end(bars), start, end, now, next_cursor) and bool(
            np.all(bars.complete == COMPLETE)
        )
        if asked.format == "csv":
            return _csv(rendering.bars_csv(bars, closed), next_cursor, settled)
        head = {
            "exchange": market.exchange,
            "symbol": market.symbol,
            "interval": interval.name,
            "price_decimals": bars.price_decimals,
            "quantity_decimals": bars.quantity_decimals,
        }
        return _page_of(head, "bars", rendering.bars_json(bars, closed), next_cursor, settled)

    def _is_settled(self, newest: int | None, start: int | None, end: int | None, now: int, more: str | None) -> bool:
        """Whether neither a new nor a healed trade can change this page: it lies in the past at both of its ends."""
        if newest is None or start is None:
            return False
        old = now - self.heal_max
        return newest <= old and (more is not None or (end is not None and end <= old))

    def _market(self, symbol: str, exchange: str, now: int) -> Market:
        market = Market(exchange, symbol.upper())
        if now - self._instruments_read > _KNOWN_FOR or market not in self._instruments:
            self._instruments = {one.market: one for one in self.storage.instruments.all()}
            self._instruments_read = now
        if market not in self._instruments:
            raise UnknownSymbolError(exchange, symbol)
        return market


def ordered(start: int | None, end: int | None) -> tuple[int | None, int | None]:
    """Both times.

    Raises:
        ValidationError: the end is not after the start.
    """
    if start is not None and end is not None and end <= start:
        raise ValidationError("end", "must be after start")
    return start, end


def _until(end: int | None, now: int) -> int:
    """Clocks of exchanges may run ahead of ours, never by an hour."""
    return now + HOUR if end is None else min(end, now + HOUR)


def _page(
    live: LiveBars,
    tail: Tail,
    market: Market,
    interval: Interval,
    start: int | None,
    end: int | None,
    limit: int,
    fill: bool,
    now: int,
) -> tuple[Bars, int | None]:
    """The bars asked for, and where the next page begins."""
    high = ceil(_until(end, now), interval.ms)
    if start is None:
        bars = live.read_newest(market, interval, high, limit, tail)
        if fill and len(bars):
            newest = int(bars.time[-1]) + interval.ms
            bars = filled(bars, int(bars.time[0]), newest, Bars.empty(interval.ms)).take(slice(-limit, None))
        return bars, None
    low = ceil(start, interval.ms)
    if fill:
        last = min(high, floor(max(tail.open_from, low), interval.ms) + interval.ms)
        stop = min(last, low + limit * interval.ms)
        bars = live.read(market, interval, low, stop, tail)
        before = live.read_newest(market, interval, low, 1, tail)
        return filled(bars, low, stop, before), stop if stop < last else None
    bars = live.read_oldest(market, interval, low, high, limit + 1, tail)
    if len(bars) <= limit:
        return bars, None
    return bars.take(slice(limit)), int(bars.time[limit])


def _ticks_end(trades: Trades) -> int | None:
    return int(trades.times.max()) if len(trades) else None


def _bars_end(bars: Bars) -> int | None:
    return int(bars.time[-1]) + bars.interval if len(bars) else None


def _is_whole(trades: Trades) -> bool:
    """Whether no id between the first and the last is missing."""
    return bool(np.all(trades.ids[1:] == trades.last_ids[:-1] + 1))


def _page_of(head: Mapping[str, object], name: str, rows: str, next_cursor: str | None, settled: bool) -> Answer:
    """The page with its rows, which are JSON already."""
    told = {**head, name: msgspec.Raw(rows.encode()), "next_cursor": next_cursor}
    return Answer.of(told, settled=settled)


def _csv(text: str, next_cursor: str | None, settled: bool) -> Answer:
    """A page of rows; a header says where the next one begins."""
    headers = {"X-Next-Cursor": next_cursor} if next_cursor else {}
    return Answer(text.encode(), CSV, headers=headers, settled=settled)
