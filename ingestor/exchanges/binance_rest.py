"""Binance's REST requests and answers as values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from ingestor.exchanges.base import Aggregates, Listing, Request
from quant.domain.bar import FROM_EXCHANGE, UNKNOWN, Bars, narrow
from quant.domain.decimals import decimals_needed, parse_scaled
from quant.domain.interval import Interval
from quant.domain.market import Instrument, Market
from quant.domain.trade import INT64_MAX, MAX_DECIMALS, Trades
from quant.errors import FrameError

Decimals = tuple[int, int]


class _Filter(msgspec.Struct):
    filterType: str
    tickSize: str = ""
    stepSize: str = ""


class _Symbol(msgspec.Struct):
    symbol: str
    baseAsset: str
    quoteAsset: str
    filters: list[_Filter] = []


class _RateLimit(msgspec.Struct):
    rateLimitType: str
    interval: str
    intervalNum: int
    limit: int


class _ExchangeInfo(msgspec.Struct):
    serverTime: int
    rateLimits: list[_RateLimit]
    symbols: list[_Symbol]


class _Trade(msgspec.Struct):
    id: int
    price: str
    qty: str
    time: int
    isBuyerMaker: bool


class _Aggregate(msgspec.Struct):
    a: int
    p: str
    q: str
    f: int
    l: int  # noqa: E741
    T: int
    m: bool


def _get(base: str, name: str, weight: int, **params: object) -> Request:
    texts = tuple((key, str(value)) for key, value in params.items())
    return Request(name, f"{base}/api/v3/{name}", texts, weight)


def listing(base: str, symbols: Sequence[str]) -> Request:
    names = msgspec.json.encode(list(symbols)).decode()
    return _get(base, "exchangeInfo", 20, **({"symbols": names} if symbols else {}))


def trades_from(base: str, symbol: str, first_id: int, limit: int) -> Request:
    return _get(base, "historicalTrades", 25, symbol=symbol, fromId=first_id, limit=limit)


def newest_aggregate(base: str, symbol: str) -> Request:
    return _get(base, "aggTrades", 4, symbol=symbol, limit=1)


def aggregates(base: str, symbol: str, start: tuple[str, int], limit: int) -> Request:
    return _get(base, "aggTrades", 4, symbol=symbol, **{start[0]: start[1]}, limit=limit)


def klines(base: str, symbol: str, interval: Interval, start: int, end: int, limit: int) -> Request:
    return _get(base, "klines", 2, symbol=symbol, interval=interval.name, startTime=start, endTime=end - 1, limit=limit)


def _read(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise FrameError(f"the exchange's answer is not what its documentation promises: {exc}", body) from exc


def read_listing(body: bytes, exchange: str, symbols: Sequence[str]) -> Listing:
    info = _read(body, _ExchangeInfo)
    limits = [limit.limit for limit in info.rateLimits if limit.rateLimitType == "REQUEST_WEIGHT"]
    return Listing(
        tuple(_instrument(item, exchange) for item in info.symbols if not symbols or item.symbol in symbols),
        info.serverTime,
        min(limits, default=1200),
    )


def _instrument(item: _Symbol, exchange: str) -> Instrument:
    ticks = [each.tickSize for each in item.filters if each.filterType == "PRICE_FILTER"]
    steps = [each.stepSize for each in item.filters if each.filterType == "LOT_SIZE"]
    price, quantity = (max(map(decimals_needed, sizes), default=0) for sizes in (ticks, steps))
    market = Market(exchange, item.symbol)
    return Instrument(market, item.baseAsset, item.quoteAsset, min(price, MAX_DECIMALS), min(quantity, MAX_DECIMALS))


def _scaled(texts: Sequence[str], decimals: int) -> list[int]:
    try:
        return [parse_scaled(text, decimals) for text in texts]
    except ValueError as exc:
        raise FrameError(str(exc)) from exc


def _widest(texts: Sequence[str], decimals: int) -> int:
    return max(decimals, max(map(decimals_needed, texts), default=0))


def read_trades(body: bytes, decimals: Decimals) -> Trades:
    rows = _read(body, list[_Trade])
    return _trades(rows, [r.id for r in rows], [r.price for r in rows], [r.qty for r in rows], [r.time for r in rows],
                   [r.isBuyerMaker for r in rows], decimals)  # fmt: skip


def read_aggregates(body: bytes, decimals: Decimals) -> Aggregates:
    # An aggregate without trades (f = l = -1) was seen in old data; it stands for nothing.
    rows = _read(body, list[_Aggregate])
    real = [row for row in rows if 0 <= row.f <= row.l]
    trades = _trades(real, [r.f for r in real], [r.p for r in real], [r.q for r in real], [r.T for r in real],
                     [r.m for r in real], decimals, [r.l for r in real])  # fmt: skip
    return Aggregates(trades, rows[-1].a + 1 if rows else -1)


def _trades(
    rows: Sequence[object],
    ids: list[int],
    prices: list[str],
    quantities: list[str],
    times: list[int],
    makers: list[bool],
    decimals: Decimals,
    last_ids: list[int] | None = None,
) -> Trades:
    price_decimals, quantity_decimals = _widest(prices, decimals[0]), _widest(quantities, decimals[1])
    columns = _scaled(prices, price_decimals), _scaled(quantities, quantity_decimals)
    if any(max(map(abs, column), default=0) > INT64_MAX for column in columns):
        raise FrameError("a price or quantity exceeds 64 bits")
    return Trades.of(
        ids,
        times,
        *columns,
        makers,
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
        last_ids=last_ids if last_ids != ids else None,
    )


def read_klines(body: bytes, interval: Interval, decimals: Decimals, closed_by: int) -> Bars:
    rows = [row for row in _read(body, list[tuple[int, str, str, str, str, str, int, str, int, str, str, Any]])
            if row[8] > 0 and row[0] + interval.ms <= closed_by]  # fmt: skip
    columns = list(zip(*rows, strict=True)) if rows else [()] * 12
    price_decimals = max(_widest(columns[k], decimals[0]) for k in (1, 2, 3, 4))
    quantity_decimals = max(_widest(columns[k], decimals[1]) for k in (5, 9))
    sums = max(_widest(columns[k], price_decimals + quantity_decimals) for k in (7, 10))
    quantity_decimals = sums - price_decimals
    none = np.full(len(rows), -1, np.int64)
    prices = [np.array(_scaled(columns[k], price_decimals), np.int64) for k in (1, 2, 3, 4)]
    volume, taker_volume = (_sums(columns[k], quantity_decimals) for k in (5, 9))
    quote, taker_quote = (_sums(columns[k], sums) for k in (7, 10))
    return Bars(
        interval.ms,
        price_decimals,
        quantity_decimals,
        time=np.array(columns[0], np.int64),
        open=prices[0],
        high=prices[1],
        low=prices[2],
        close=prices[3],
        volume=volume,
        quote_volume=quote,
        taker_buy_volume=taker_volume,
        taker_buy_quote_volume=taker_quote,
        trades=np.array(columns[8], np.int64),
        first_id=none,
        last_id=none,
        complete=np.full(len(rows), UNKNOWN, np.int8),
        source=np.full(len(rows), FROM_EXCHANGE, np.int8),
    )


def _sums(texts: Sequence[str], decimals: int) -> Any:
    return narrow(np.array(_scaled(texts, decimals), dtype=object))
