"""What the ingestor needs of an exchange. An adapter does no I/O: bytes in, values out; the generic code names none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from quant.domain.bar import Bars
from quant.domain.interval import Interval
from quant.domain.market import Instrument, Market
from quant.domain.trade import Ints, Trades, concatenate

Frame = bytes | str


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Trades of one market in the order in which they arrived.

    Attributes:
        frames: for each trade, the position of its frame in the batch that was parsed.
    """

    market: Market
    trades: Trades
    frames: Ints


@dataclass(frozen=True, slots=True)
class ShutdownNotice:
    """The server is about to close this connection."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The server's answer to a subscription; ``error`` is empty where it was accepted."""

    request_id: str
    error: str = ""


Event = ShutdownNotice | Reply


@dataclass(frozen=True, slots=True)
class Rejected:
    """A frame that cannot be used, and why; the reason is one of few words, so that it can be counted."""

    reason: str
    frame: bytes


@dataclass(frozen=True, slots=True)
class ParsedFrames:
    """What one batch of frames held; ``ignored`` counts good frames of streams that nobody asked for."""

    arrivals: tuple[Arrivals, ...] = ()
    events: tuple[Event, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class Opening:
    """How a connection for some symbols begins: where to, and what to send, one frame per message."""

    url: str
    frames: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """A REST request as a value; ``weight`` is what it costs of the budget."""

    name: str
    url: str
    params: tuple[tuple[str, str], ...] = ()
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Listing:
    """What the exchange says of itself: instruments of those asked for, its clock (ms), its budget per minute.

    The clock is None where the listing does not tell it.
    """

    instruments: tuple[Instrument, ...]
    server_time: int | None
    weight_per_minute: int


@dataclass(frozen=True, slots=True)
class Aggregates:
    """Aggregated trades, and the aggregate id that a following page begins with."""

    trades: Trades
    next_page: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What the exchange allows a client."""

    streams_per_connection: int
    messages_per_second: float
    connection_life_seconds: float
    attempts_per_five_minutes: int
    page: int = 1000
    rest_per_second: float = float("inf")


class Exchange(Protocol):
    """One exchange, without I/O."""

    name: str
    limits: Limits
    used_weight_header: str

    def opening(self, symbols: Sequence[str]) -> Opening: ...

    def learn(self, instruments: Iterable[Instrument]) -> None:
        """Take over the decimals of these instruments; frames that show more widen them."""

    def parse(self, frames: Sequence[Frame]) -> ParsedFrames:
        """Read a batch; one bad frame never costs another."""

    def listing(self, symbols: Sequence[str]) -> Request: ...

    def read_listing(self, body: bytes, symbols: Sequence[str]) -> Listing: ...

    def trades_from(self, symbol: str, first_id: int, limit: int) -> Request:
        """Trades first_id … first_id + limit - 1; the answer may hold others too."""

    def newest_aggregate(self, symbol: str) -> Request:
        """The cheapest way to the id of the last trade; read by ``read_aggregates``."""

    def read_trades(self, body: bytes, symbol: str) -> Trades: ...

    def aggregates_from_time(self, symbol: str, start: int, limit: int) -> Request:
        """Raises UnsupportedError where trades cannot be asked for by time."""

    def aggregates_from_page(self, symbol: str, page: int, limit: int) -> Request: ...

    def read_aggregates(self, body: bytes, symbol: str) -> Aggregates: ...

    def klines(self, symbol: str, interval: Interval, start: int, end: int, limit: int) -> Request:
        """Bars that start in ``start <= time < end``.

        Raises UnsupportedError where the exchange's bars lack what ours have.
        """

    def read_klines(self, body: bytes, symbol: str, interval: Interval, closed_by: int) -> Bars:
        """Bars with trades that were closed at ``closed_by`` (ms)."""


def as_bytes(frames: Sequence[Frame]) -> list[bytes]:
    """Frames as they came over the wire; in the usual case they are that already, which one call finds out."""
    try:
        b"".join(frames)  # type: ignore[arg-type]
    except TypeError:
        return [frame.encode() if isinstance(frame, str) else frame for frame in frames]
    return list(frames)  # type: ignore[arg-type]


def in_order(parts: Sequence[tuple[Ints, Trades]]) -> tuple[Ints, Trades]:
    """Join parts of one market, each with the positions of its frames, in the order of the positions."""
    if len(parts) == 1:
        return parts[0]
    positions = np.concatenate([part[0] for part in parts])
    order = np.argsort(positions, kind="stable")
    return positions[order], concatenate([part[1] for part in parts]).take(order)
