"""An exchange without a network: a frame is a list of ids, a REST answer repeats its request, all ids are published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from ingestor.budget import WeightBudget
from ingestor.exchanges.base import Aggregates, Arrivals, Frame, Limits, Listing, Opening, ParsedFrames, Request
from quant.domain.market import Instrument, Market
from quant.domain.trade import Trades
from quant.errors import ExchangeError, UnsupportedError
from tests.unit.ingestor.trades import trades

MARKET = Market("test", "AAABBB")


@dataclass
class ScriptedExchange:
    """Publishes ids first…last, one a second from ``start`` on."""

    first: int
    last: int
    start: int
    name: str = MARKET.exchange
    limits: Limits = field(default_factory=lambda: Limits(10, 1, 86_400, 100, page=7))
    used_weight_header: str = ""

    def published(self, ids: Iterable[int]) -> Trades:
        known = [number for number in ids if self.first <= number <= self.last]
        return trades(known, [self.start + 1_000 * (number - self.first) for number in known])

    def opening(self, symbols: Sequence[str]) -> Opening:
        return Opening("ws://nowhere.invalid")

    def learn(self, instruments: Iterable[Instrument]) -> None:
        return

    def parse(self, frames: Sequence[Frame]) -> ParsedFrames:
        found = self.published(number for frame in frames for number in msgspec.json.decode(frame))
        return ParsedFrames((Arrivals(MARKET, found, np.zeros(len(found), np.int64)),))

    def listing(self, symbols: Sequence[str]) -> Request:
        return Request("listing", "")

    def read_listing(self, body: bytes, symbols: Sequence[str]) -> Listing:
        return Listing((Instrument(MARKET, "AAA", "BBB", 2, 5),), None, 6_000)

    def trades_from(self, symbol: str, first_id: int, limit: int) -> Request:
        return Request("trades", "", (("first", str(first_id)), ("limit", str(limit))))

    def read_trades(self, body: bytes, symbol: str) -> Trades:
        asked = msgspec.json.decode(body)
        return self.published(range(int(asked["first"]), int(asked["first"]) + int(asked["limit"])))

    def newest_aggregate(self, symbol: str) -> Request:
        return Request("newest", "", (("first", str(self.last)), ("limit", "1")))

    def aggregates_from_time(self, symbol: str, start: int, limit: int) -> Request:
        first = max(self.first - (self.start - start) // 1_000, self.first)
        return Request("since", "", (("first", str(first)), ("limit", str(limit))))

    def read_aggregates(self, body: bytes, symbol: str) -> Aggregates:
        return Aggregates(self.read_trades(body, symbol), -1)

    def aggregates_from_page(self, symbol: str, page: int, limit: int) -> Request:
        raise UnsupportedError("aggregates")

    def klines(self, *asked: Any) -> Request:
        raise UnsupportedError("bars")

    def read_klines(self, *asked: Any) -> Any:
        raise UnsupportedError("bars")


class DirectClient:
    """Gives the request back as its answer; fails, or cuts the page short, when told."""

    def __init__(self) -> None:
        self.budget = WeightBudget()
        self.fails, self.rows = False, 1_000

    async def call(self, request: Request) -> bytes:
        if self.fails:
            raise ExchangeError(request.name, "away")
        asked = dict(request.params)
        if "limit" in asked:
            asked["limit"] = str(min(int(asked["limit"]), self.rows))
        return msgspec.json.encode(asked)

    async def fetch(self, request: Request, *, attempts: int | None = None) -> bytes:
        return await self.call(request)
