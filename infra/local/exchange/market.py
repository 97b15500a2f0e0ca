"""What a market is to the servers: published trades by id and by time, and a feed of events."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from infra.local.exchange.trades import Instrument, Trades


@dataclass(frozen=True, slots=True)
class Event:
    """One message of a stream; without a stream's name it is never wrapped in the combined envelope."""

    symbol: str
    stream: str
    data: str
    trade_id: int | None = None
    to_all: bool = False
    """Sent to all who listen to anything of the symbol."""


class Feed(Protocol):
    """The live side of a market: what has become public since it was asked last."""

    def follow(self, symbol: str, now: int) -> None:
        """Begin at the present; what is public already is not sent."""

    def forget(self, symbol: str) -> None: ...

    def poll(self, symbol: str, kinds: Collection[str], now: int) -> list[Event]:
        """New events in order; ``kinds`` holds the wanted ones of ``trade`` and ``aggTrade``."""


class Market(Protocol):
    """Trades of several symbols. Ids of a symbol are contiguous, times do not fall with growing ids."""

    @property
    def instruments(self) -> Mapping[str, Instrument]: ...

    @property
    def immutable(self) -> bool:
        """Whether an hour that is over can be kept, since nothing is ever added to it."""

    def oldest(self, symbol: str) -> int:
        """The first id that there is."""

    def published(self, symbol: str, now: int) -> int:
        """The id after the last trade that is public at ``now`` (ms)."""

    def first_at(self, symbol: str, time: int) -> int:
        """The id of the first trade at ``time`` (ms) or later, or the id after the last."""

    def first_of_aggregate(self, symbol: str, aggregate: int) -> int:
        """The id of an aggregate's first trade; clipped to what there is."""

    def trades(self, symbol: str, first: int, stop: int) -> Trades:
        """The trades with ``first <= id < stop``, public or not."""

    def feed(self) -> Feed: ...
