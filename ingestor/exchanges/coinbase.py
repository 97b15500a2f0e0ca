"""Coinbase Exchange: the ``matches`` channel, and the REST requests that heal.

Trades are numbered per product without gaps. REST pages go back from a cursor: ``after=N`` are the trades below N, the
newest first, so a range is asked for from its end. There is no search by time, and candles lack quote volume, taker
volumes and the number of trades: what is not told is not made up, so there is no history of bars.

Source: docs.cdp.coinbase.com/exchange (websocket-feed/channels, rest-api).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from ingestor.exchanges.base import (
    Aggregates,
    Arrivals,
    Event,
    Frame,
    Limits,
    Listing,
    Opening,
    ParsedFrames,
    Rejected,
    Reply,
    Request,
)
from ingestor.exchanges.printed import columns_of
from quant.domain.bar import Bars
from quant.domain.decimals import decimals_needed
from quant.domain.interval import Interval
from quant.domain.market import Instrument, Market
from quant.domain.trade import INT64_MAX, MAX_DECIMALS, Trades
from quant.errors import FrameError, UnsupportedError

NAME = "coinbase"
# REST allows 10 requests a second; a minute's budget of as many.
_PER_SECOND, _PER_MINUTE = 8, 480
_PLAIN = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?\Z", re.ASCII)
_PRODUCT = re.compile(r"[A-Z0-9]{1,15}-[A-Z0-9]{1,14}\Z")
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class _Trade(msgspec.Struct, gc=False):
    """A match of the feed, or a trade of REST: the same numbers; ``side`` is the maker's."""

    trade_id: int = -1
    price: str = ""
    size: str = ""
    side: str = ""
    time: str = ""


class _Row(NamedTuple):
    t: int
    p: str
    q: str
    T: int
    m: bool


class _Message(_Trade, gc=False):
    type: str = ""
    product_id: str = ""
    message: str = ""
    reason: str = ""


class _Product(msgspec.Struct):
    id: str
    base_currency: str
    quote_currency: str
    base_increment: str
    quote_increment: str


_DECODER = msgspec.json.Decoder(_Message)
_TRADES = msgspec.json.Decoder(list[_Trade])
_PRODUCTS = msgspec.json.Decoder(list[_Product])
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
Decimals = tuple[int, int]
Read = tuple[str, _Trade] | Event | Rejected | None


class Coinbase:
    """The adapter; ``learn`` gives it the decimals of its products."""

    name = NAME
    limits = Limits(
        streams_per_connection=100,
        messages_per_second=4,
        connection_life_seconds=24 * 3600,
        attempts_per_five_minutes=100,
        rest_per_second=_PER_SECOND,
    )
    used_weight_header = ""

    def __init__(self, ws_url: str, rest_url: str) -> None:
        self._ws_url, self._rest_url = ws_url.rstrip("/"), rest_url.rstrip("/")
        self._decimals: dict[str, Decimals] = {}

    def learn(self, instruments: Iterable[Instrument]) -> None:
        for one in instruments:
            if one.market.exchange == NAME:
                known = self._decimals.get(one.market.symbol, (0, 0))
                self._decimals[one.market.symbol] = (
                    max(known[0], one.price_decimals),
                    max(known[1], one.quantity_decimals),
                )

    def opening(self, symbols: Sequence[str]) -> Opening:
        wanted = {"type": "subscribe", "product_ids": list(symbols), "channels": ["matches"]}
        return Opening(f"{self._ws_url}/", (msgspec.json.encode(wanted).decode(),))

    def parse(self, frames: Sequence[Frame]) -> ParsedFrames:
        found: dict[str, list[tuple[int, _Row]]] = {}
        events: list[Event] = []
        rejected: list[Rejected] = []
        ignored = 0
        for position, frame in enumerate(frames):
            match _read(_bytes(frame)):
                case (str() as product, trade):
                    found.setdefault(product, []).append((position, _row(trade)))
                case Rejected() as refused:
                    rejected.append(refused)
                case None:
                    ignored += 1
                case event:
                    events.append(event)
        arrivals = []
        for product, rows in found.items():
            (positions, trades), refused_rows = columns_of(rows, self.decimals(product))
            arrivals.append(Arrivals(Market(NAME, product), trades, positions))
            rejected += [Rejected("decimals", _bytes(frames[at])) for at in refused_rows]
        return ParsedFrames(tuple(arrivals), tuple(events), tuple(rejected), ignored)

    def listing(self, symbols: Sequence[str]) -> Request:
        return Request("products", f"{self._rest_url}/products")

    def read_listing(self, body: bytes, symbols: Sequence[str]) -> Listing:
        try:
            products = _PRODUCTS.decode(body)
        except _BROKEN as exc:
            raise FrameError(f"the list of products cannot be read: {exc}", body) from exc
        wanted = [one for one in products if not symbols or one.id in symbols]
        return Listing(tuple(map(_instrument, wanted)), None, _PER_MINUTE)

    def trades_from(self, symbol: str, first_id: int, limit: int) -> Request:
        return self._trades(symbol, ("after", str(first_id + limit)), ("limit", str(limit)))

    def newest_aggregate(self, symbol: str) -> Request:
        return self._trades(symbol, ("limit", "1"))

    def read_trades(self, body: bytes, symbol: str) -> Trades:
        try:
            rows = _TRADES.decode(body)
        except _BROKEN as exc:
            raise FrameError(f"the list of trades cannot be read: {exc}", body) from exc
        wrong = next((row for row in rows if _wrong(row)), None)
        if wrong is not None:
            raise FrameError(f"a trade cannot be used: {_wrong(wrong)}", body)
        ascending = [(at, _row(row)) for at, row in enumerate(sorted(rows, key=lambda row: row.trade_id))]
        (_, trades), refused = columns_of(ascending, self.decimals(symbol))
        if refused:
            raise FrameError("a trade's numbers exceed 64 bits", body)
        return trades

    def aggregates_from_time(self, symbol: str, start: int, limit: int) -> Request:
        raise UnsupportedError("trades by time")

    def aggregates_from_page(self, symbol: str, page: int, limit: int) -> Request:
        raise UnsupportedError("aggregates")

    def read_aggregates(self, body: bytes, symbol: str) -> Aggregates:
        return Aggregates(self.read_trades(body, symbol), -1)

    def klines(self, symbol: str, interval: Interval, start: int, end: int, limit: int) -> Request:
        raise UnsupportedError("bars with quote volume")

    def read_klines(self, body: bytes, symbol: str, interval: Interval, closed_by: int) -> Bars:
        raise UnsupportedError("bars with quote volume")

    def decimals(self, symbol: str) -> Decimals:
        """Decimals of price and quantity; none known is (0, 0), and the data widens them."""
        return self._decimals.get(symbol, (0, 0))

    def _trades(self, symbol: str, *params: tuple[str, str]) -> Request:
        return Request("trades", f"{self._rest_url}/products/{symbol}/trades", params)


def _bytes(frame: Frame) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame


def _row(trade: _Trade) -> _Row:
    return _Row(trade.trade_id, trade.price, trade.size, _milliseconds(trade.time), trade.side == "buy")


def _read(frame: bytes) -> Read:
    try:
        message = _DECODER.decode(frame)
    except _BROKEN:
        return _unreadable(frame)
    match message.type:
        case "match" | "last_match":
            problem = _wrong(message) or ("" if _PRODUCT.match(message.product_id) else "symbol")
            return Rejected(problem, frame) if problem else (message.product_id, message)
        case "subscriptions":
            return Reply("subscribe")
        case "error":
            return Reply("subscribe", f"{message.message}: {message.reason}")
        case "":
            return Rejected("type", frame)
    return None


def _unreadable(frame: bytes) -> Read:
    try:
        message: Any = msgspec.json.decode(frame)
    except _BROKEN:
        return Rejected("json", frame)
    kind = message.get("type") if isinstance(message, dict) else None
    return None if isinstance(kind, str) and kind not in ("match", "last_match") else Rejected("type", frame)


def _wrong(trade: _Trade) -> str:
    """Why this is no trade; empty where it is one."""
    if not 0 <= trade.trade_id <= INT64_MAX or trade.side not in ("buy", "sell"):
        return "field"
    if not _PLAIN.match(trade.price) or not _PLAIN.match(trade.size):
        return "number"
    try:
        _milliseconds(trade.time)
    except ValueError:
        return "time"
    return ""


def _milliseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    elapsed = moment - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000


def _instrument(product: _Product) -> Instrument:
    price, quantity = map(decimals_needed, (product.quote_increment, product.base_increment))
    return Instrument(
        Market(NAME, product.id),
        product.base_currency,
        product.quote_currency,
        min(price, MAX_DECIMALS),
        min(quantity, MAX_DECIMALS),
    )
