"""The exchange's faults. Published truth never changes: trades that are not sent can be fetched, and garbage is sent
besides them. How faults are armed and when they strike says :mod:`infra.local.switchboard`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.local import switchboard
from infra.local.exchange.garbage import KINDS as GARBAGE
from infra.local.switchboard import Switchboard
from quant.errors import ValidationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(switchboard.Fault):
    """``symbol`` limits it to that symbol, or to the connections that listen to it."""

    symbol: str | None = None

    def concerns(self, subject: str | None) -> bool:
        return self.symbol is None or subject is None or self.symbol == subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Fault):
    """Connections are closed with this code, after this many more bytes of data: within a message if so."""

    code: int = 1011
    reason: str = ""
    after_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort(Fault):
    """Connections are reset without a close frame, after this many more bytes of data: within a frame if so."""

    after_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfOpen(Fault):
    """Connections go silent for good: no data, no pong, no FIN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall(Fault):
    """Connections are silent for ``duration`` seconds, then all comes at once."""

    duration: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown(Fault):
    """``serverShutdown`` is announced, and the connections are closed ``notice`` seconds later."""

    notice: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inject(Fault):
    """An additional frame: one of :data:`infra.local.exchange.garbage.KINDS`."""

    what: str = "malformed"

    def __post_init__(self) -> None:
        if self.what not in GARBAGE:
            raise ValidationError("what", f"must be one of {', '.join(GARBAGE)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate(Fault):
    """A trade is sent twice; ``times`` trades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorder(Fault):
    """A trade is sent after the next one of its symbol; ``times`` pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip(Fault):
    """A trade is not sent; ``times`` trades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt(Fault):
    """Nothing is published for ``seconds``; ids go on where they were."""

    seconds: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseUpgrade(Fault):
    """The WebSocket handshake is answered with this status."""

    status: int = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseConnections(Fault):
    """Nobody listens on the WebSocket port for ``duration`` seconds; with ``cut`` all connections are reset then."""

    duration: float = 1.0
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowRest(Fault):
    """REST answers come ``delay`` seconds late."""

    delay: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestStatus(Fault):
    """REST requests are refused: 429 and 418 with Retry-After, 500, 503. ``path`` is a part of the path."""

    status: int = 503
    retry_after: int = 1
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TruncatedPages(Fault):
    """REST lists end after so many rows although there are more; a list that is no longer than that is left alone."""

    rows: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class NoHistoricalTrades(Fault):
    """``historicalTrades`` is unknown, as on data-api.binance.vision; until it is cleared."""

    seconds: float = float("inf")


KINDS: Mapping[str, type[Fault]] = {
    kind.__name__: kind
    for kind in (
        Close,
        Abort,
        HalfOpen,
        Stall,
        Shutdown,
        Inject,
        Duplicate,
        Reorder,
        Skip,
        Halt,
        RefuseUpgrade,
        RefuseConnections,
        SlowRest,
        RestStatus,
        TruncatedPages,
        NoHistoricalTrades,
    )
}


class Faults(Switchboard[Fault]):
    """The armed faults of one server."""


def parse(value: Mapping[str, Any]) -> tuple[Fault, float]:
    """A fault and its delay from ``{"fault": "Close", "code": 1001, "after": 2}``.

    Raises:
        ValidationError: there is no such fault, or it has no such field.
    """
    return switchboard.parse(value, KINDS)
