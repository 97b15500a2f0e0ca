"""REST answers as values: what each route says of the exchange."""

from __future__ import annotations

import asyncio

from infra.local.exchange.exchange import Exchange
from infra.local.exchange.paths import HOUR
from infra.local.exchange.queries import Query
from infra.local.exchange.rendering import Aggregate, aggregate_row, aggregates, kline_row, trade_rows
from infra.local.exchange.trades import SCALE, Instrument, text

_ORDER_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"]
Rows = list[dict[str, object]]


def exchange_info(exchange: Exchange, query: Query, weight_limit: int) -> dict[str, object]:
    known = exchange.market.instruments
    return {
        "timezone": "UTC",
        "serverTime": exchange.now(),
        "rateLimits": [
            _limit("REQUEST_WEIGHT", "MINUTE", 1, weight_limit),
            _limit("ORDERS", "SECOND", 10, 100),
            _limit("ORDERS", "DAY", 1, 200_000),
            _limit("RAW_REQUESTS", "MINUTE", 5, 61_000),
        ],
        "exchangeFilters": [],
        "symbols": [_symbol(known[name]) for name in query.symbols],
    }


def recent_trades(exchange: Exchange, query: Query) -> Rows:
    symbol, limit = query.symbol, query.limit
    stop = exchange.published(symbol)
    first = max(stop - limit, exchange.market.oldest(symbol))
    return trade_rows(exchange.market.trades(symbol, first, stop))


def historical_trades(exchange: Exchange, query: Query) -> Rows:
    symbol, limit, first = query.symbol, query.limit, query.number("fromId")
    if first is None:
        return recent_trades(exchange, query)
    first = max(first, exchange.market.oldest(symbol))
    stop = min(first + limit, exchange.published(symbol))
    return trade_rows(exchange.market.trades(symbol, first, stop)) if first < stop else []


def aggregate_trades(exchange: Exchange, query: Query) -> Rows:
    market, symbol, limit = exchange.market, query.symbol, query.limit
    aggregate, start, end = (query.number(name) for name in ("fromId", "startTime", "endTime"))
    stop = exchange.published(symbol)
    if end is not None:
        stop = min(stop, market.first_at(symbol, end + 1))
    if aggregate is not None:
        return _forward(exchange, symbol, market.first_of_aggregate(symbol, aggregate), stop, limit)
    if start is not None:
        return _forward(exchange, symbol, market.first_at(symbol, start), stop, limit)
    return _backward(exchange, symbol, stop, limit)


async def klines(exchange: Exchange, query: Query) -> list[list[object]]:
    symbol, interval, limit = query.symbol, query.interval, query.limit
    stop, now = exchange.published(symbol), exchange.now()
    start, end = query.number("startTime"), query.number("endTime")
    end = now + 1 if end is None else min(end + 1, now + 1)
    if start is None:
        start = (end - 1) // interval * interval - (limit - 1) * interval
    rows: list[list[object]] = []
    hour = 0
    for bar in exchange.klines.walk(symbol, interval, start, end, stop):
        rows.append(kline_row(bar, interval))
        if len(rows) == limit:
            break
        # Hundreds of hours may have to be made: the streams must go on meanwhile.
        if bar.time // HOUR != hour:
            hour = bar.time // HOUR
            await asyncio.sleep(0)
    return rows


def _forward(exchange: Exchange, symbol: str, first: int, stop: int, limit: int) -> Rows:
    first = max(first, exchange.market.oldest(symbol))
    found: list[Aggregate] = []
    while first < stop and len(found) <= limit:
        trades = exchange.market.trades(symbol, first, min(first + 2 * limit, stop))
        found = _joined(found, list(aggregates(trades)))
        first = trades.stop_id
    return [aggregate_row(one) for one in found[:limit]]


def _backward(exchange: Exchange, symbol: str, stop: int, limit: int) -> Rows:
    # An aggregate has few trades; further back where that was not enough. The first one may have been cut.
    oldest, back = exchange.market.oldest(symbol), 4 * limit
    while True:
        first = max(stop - back, oldest)
        found = list(aggregates(exchange.market.trades(symbol, first, stop)))
        found = found[1:] if first > oldest else found
        if first == oldest or len(found) >= limit:
            break
        back *= 2
    return [aggregate_row(one) for one in found[-limit:]]


def _joined(left: list[Aggregate], right: list[Aggregate]) -> list[Aggregate]:
    if not left or not right or left[-1].id != right[0].id:
        return left + right
    both = left[-1]._replace(quantity=left[-1].quantity + right[0].quantity, last=right[0].last)
    return [*left[:-1], both, *right[1:]]


def _limit(kind: str, interval: str, count: int, limit: int) -> dict[str, object]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}


def _symbol(instrument: Instrument) -> dict[str, object]:
    return {
        "symbol": instrument.symbol,
        "status": "TRADING",
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": _ORDER_TYPES,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [_price_filter(instrument), _lot_size(instrument)],
        "permissions": [],
        "permissionSets": [["SPOT"]],
    }


def _price_filter(instrument: Instrument) -> dict[str, object]:
    return {
        "filterType": "PRICE_FILTER",
        "minPrice": text(instrument.tick),
        "maxPrice": text(1_000_000 * SCALE),
        "tickSize": text(instrument.tick),
    }


def _lot_size(instrument: Instrument) -> dict[str, object]:
    return {
        "filterType": "LOT_SIZE",
        "minQty": text(instrument.step),
        "maxQty": text(9_000_000 * SCALE),
        "stepSize": text(instrument.step),
    }
