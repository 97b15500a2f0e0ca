"""Binance spot: combined trade streams, and the REST requests that heal and fill.

Source: github.com/binance/binance-spot-api-docs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np

from ingestor.exchanges import binance_rest as rest
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
    Request,
    as_bytes,
    in_order,
)
from ingestor.exchanges.binance_messages import TradeMessage, read_messages
from ingestor.exchanges.columns import MAX_DIGITS, MAX_TEMPLATES, MIN_ROWS, Rows, groups, scaled
from ingestor.exchanges.printed import columns_of
from quant.domain.bar import Bars
from quant.domain.interval import Interval
from quant.domain.market import Instrument, Market
from quant.domain.trade import Ints, Trades

NAME = "binance"
_URL_STREAMS = 100

# What spot prints today; whatever else is a trade takes the general way.
_SPOT = re.compile(
    rb'\{"stream":"[a-z0-9]+@trade","data":\{"e":"trade","E":(\d+),"s":"([A-Z0-9]{2,30})","t":(\d+),'
    rb'"p":"(\d+)\.(\d+)","q":"(\d+)\.(\d+)",(?:"b":(\d+),"a":(\d+),)?"T":(\d+),"m":(true|false),"M":(?:true|false)\}\}'
)
_EVENT_TIME, _SYMBOL, _ID, _PRICE, _PRICE_REST, _QUANTITY, _QUANTITY_REST, _BUYER, _SELLER, _TIME, _MAKER = range(1, 12)
_WHOLE = (_EVENT_TIME, _ID, _BUYER, _SELLER, _TIME)
_NUMBERS = (*_WHOLE, _PRICE, _PRICE_REST, _QUANTITY, _QUANTITY_REST)


Parts = dict[str, list[tuple[Ints, Trades]]]


class Binance:
    """The adapter; ``learn`` gives it the decimals of its instruments."""

    name = NAME
    limits = Limits(
        streams_per_connection=1024,
        messages_per_second=4,
        connection_life_seconds=24 * 3600,
        attempts_per_five_minutes=100,
    )
    used_weight_header = "X-MBX-USED-WEIGHT-1M"

    def __init__(self, ws_url: str, rest_url: str) -> None:
        self._ws_url, self._rest_url = ws_url.rstrip("/"), rest_url.rstrip("/")
        self._decimals: dict[str, tuple[int, int]] = {}

    def learn(self, instruments: Iterable[Instrument]) -> None:
        for instrument in instruments:
            if instrument.market.exchange == NAME:
                known = self._decimals.get(instrument.market.symbol, (0, 0))
                decimals = max(known[0], instrument.price_decimals), max(known[1], instrument.quantity_decimals)
                self._decimals[instrument.market.symbol] = decimals

    def opening(self, symbols: Sequence[str]) -> Opening:
        streams = [f"{symbol.lower()}@trade" for symbol in symbols]
        first, more = streams[:_URL_STREAMS], streams[_URL_STREAMS:]
        groups = [more[i : i + _URL_STREAMS] for i in range(0, len(more), _URL_STREAMS)]
        return Opening(
            f"{self._ws_url}/stream?streams={'/'.join(first)}",
            tuple(
                msgspec.json.encode({"method": "SUBSCRIBE", "params": group, "id": number}).decode()
                for number, group in enumerate(groups, 1)
            ),
        )

    def parse(self, frames: Sequence[Frame]) -> ParsedFrames:
        raw = as_bytes(frames)
        parts: Parts = {}
        done = np.zeros(len(raw), np.bool_)
        if len(raw) >= MIN_ROWS:
            for positions, rows in groups(raw):
                for symbol, picked, trades in self._alike(positions, rows):
                    done[picked] = True
                    parts.setdefault(symbol, []).append((picked, trades))
        events: list[Event] = []
        rejected: list[Rejected] = []
        ignored = 0
        singles: dict[str, list[tuple[int, TradeMessage]]] = {}
        left = np.flatnonzero(~done)
        for position, message in zip(left.tolist(), read_messages([raw[i] for i in left]), strict=True):
            match message:
                case TradeMessage():
                    singles.setdefault(message.s, []).append((position, message))
                case Rejected():
                    rejected.append(message)
                case None:
                    ignored += 1
                case _:
                    events.append(message)
        for symbol, found in singles.items():
            part, refused = columns_of(found, self.decimals(symbol))
            parts.setdefault(symbol, []).append(part)
            rejected.extend(Rejected("decimals", raw[position]) for position in refused)
        joined = ((symbol, *in_order(found)) for symbol, found in parts.items())
        arrivals = tuple(Arrivals(Market(NAME, symbol), trades, at) for symbol, at, trades in joined if len(trades))
        return ParsedFrames(arrivals, tuple(events), tuple(rejected), ignored)

    def _alike(self, positions: Ints, rows: Rows) -> Iterator[tuple[str, Ints, Trades]]:
        for _ in range(MAX_TEMPLATES):
            match = _SPOT.fullmatch(rows.text(0)) if len(rows) >= MIN_ROWS else None
            if match is None:
                return
            numbers = [match.span(group) for group in _NUMBERS if match.start(group) >= 0]
            if any(end - start > MAX_DIGITS for start, end in numbers):
                return
            same = rows.like_first(numbers, [match.span(group) for group in _WHOLE if match.start(group) >= 0])
            same[0] = True
            chosen = positions, rows
            if not same.all():
                chosen = positions[same], rows.take(same)
            found = self._read_alike(match, *chosen)
            if found is not None:
                yield found
            positions, rows = positions[~same], rows.take(~same)

    def _read_alike(self, match: re.Match[bytes], positions: Ints, rows: Rows) -> tuple[str, Ints, Trades] | None:
        symbol = match[_SYMBOL].decode()
        price_decimals, quantity_decimals = self.decimals(symbol)
        longest = max(len(match[_PRICE]) + price_decimals, len(match[_QUANTITY]) + quantity_decimals)
        if longest > MAX_DIGITS:
            return None
        prices, price_fits = scaled(rows, match.span(_PRICE), match.span(_PRICE_REST), price_decimals)
        quantities, quantity_fits = scaled(rows, match.span(_QUANTITY), match.span(_QUANTITY_REST), quantity_decimals)
        trades = Trades.of(
            rows.integer(match.span(_ID)),
            rows.integer(match.span(_TIME)),
            prices,
            quantities,
            np.full(len(rows), match[_MAKER] == b"true"),
            price_decimals=price_decimals,
            quantity_decimals=quantity_decimals,
        )
        for fits in (price_fits, quantity_fits):
            if fits is not None and not fits.all():
                both = np.ones(len(rows), np.bool_)
                for mask in (price_fits, quantity_fits):
                    both &= True if mask is None else mask
                return symbol, positions[both], trades.take(both)
        return symbol, positions, trades

    def listing(self, symbols: Sequence[str]) -> Request:
        return rest.listing(self._rest_url, symbols)

    def read_listing(self, body: bytes, symbols: Sequence[str]) -> Listing:
        return rest.read_listing(body, NAME, symbols)

    def trades_from(self, symbol: str, first_id: int, limit: int) -> Request:
        return rest.trades_from(self._rest_url, symbol, first_id, limit)

    def newest_aggregate(self, symbol: str) -> Request:
        return rest.newest_aggregate(self._rest_url, symbol)

    def read_trades(self, body: bytes, symbol: str) -> Trades:
        return rest.read_trades(body, self.decimals(symbol))

    def aggregates_from_time(self, symbol: str, start: int, limit: int) -> Request:
        return rest.aggregates(self._rest_url, symbol, ("startTime", start), limit)

    def aggregates_from_page(self, symbol: str, page: int, limit: int) -> Request:
        return rest.aggregates(self._rest_url, symbol, ("fromId", page), limit)

    def read_aggregates(self, body: bytes, symbol: str) -> Aggregates:
        return rest.read_aggregates(body, self.decimals(symbol))

    def klines(self, symbol: str, interval: Interval, start: int, end: int, limit: int) -> Request:
        return rest.klines(self._rest_url, symbol, interval, start, end, limit)

    def read_klines(self, body: bytes, symbol: str, interval: Interval, closed_by: int) -> Bars:
        return rest.read_klines(body, interval, self.decimals(symbol), closed_by)

    def decimals(self, symbol: str) -> tuple[int, int]:
        """Decimals of price and quantity; none known is (0, 0), and the data widens them."""
        return self._decimals.get(symbol, (0, 0))
