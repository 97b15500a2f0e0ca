"""The switchboard: what goes wrong, when, and how often.

A fault is a value. ``Faults.add`` arms it; the servers take it at the place where it strikes. Unless it says otherwise
a fault strikes once; ``times`` makes it strike more often, ``seconds`` for as long as that, and with ``after`` it waits
first. Published truth never changes: trades that are not sent can be fetched, and garbage is sent besides them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar, get_type_hints

from infra.local.exchange.garbage import KINDS as GARBAGE
from quant.errors import ValidationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """``symbol`` limits it to that symbol, or to the connections that listen to it."""

    times: int = 1
    seconds: float = 0.0
    symbol: str | None = None


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

F = TypeVar("F", bound=Fault)


@dataclass(slots=True)
class _Armed:
    fault: Fault
    begins: float
    ends: float | None
    left: int


class Faults:
    """The armed faults of one server."""

    def __init__(
        self,
        *faults: Fault,
        clock: Callable[[], float] = time.monotonic,
        struck: Callable[[Fault], None] = lambda fault: None,
    ) -> None:
        """``struck`` is told each time that a fault strikes."""
        self._clock, self._struck = clock, struck
        self._armed: list[_Armed] = []
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault, *, after: float = 0.0) -> None:
        """Arm a fault; it can strike ``after`` seconds from now."""
        begins = self._clock() + after
        ends = begins + fault.seconds if fault.seconds > 0 else None
        self._armed.append(_Armed(fault, begins, ends, fault.times))

    def clear(self) -> None:
        self._armed.clear()

    def take(self, kind: type[F], symbol: str | None = None, fits: Callable[[F], bool] = lambda _: True) -> F | None:
        """The first armed fault of this kind that may strike now, counted as having struck."""
        for armed in self._live(kind):
            fault = armed.fault
            if isinstance(fault, kind) and _concerns(fault, symbol) and fits(fault):
                self._strike(armed)
                return fault
        return None

    def active(self, kind: type[F], symbol: str | None = None) -> F | None:
        """The same without counting it."""
        found = (armed.fault for armed in self._live(kind))
        return next((fault for fault in found if isinstance(fault, kind) and _concerns(fault, symbol)), None)

    def any(self, *kinds: type[Fault]) -> bool:
        return bool(self._armed) and any(self._live(kind) for kind in kinds)

    def describe(self) -> list[dict[str, object]]:
        """The armed faults, for the control route."""
        return [
            {"fault": type(one.fault).__name__, **asdict(replace(one.fault, times=one.left))} for one in self._armed
        ]

    def _live(self, kind: type[Fault]) -> list[_Armed]:
        if not self._armed:
            return []
        now = self._clock()
        self._armed = [armed for armed in self._armed if armed.ends is None or now < armed.ends]
        return [armed for armed in self._armed if armed.begins <= now and isinstance(armed.fault, kind)]

    def _strike(self, armed: _Armed) -> None:
        self._struck(armed.fault)
        if armed.ends is None:
            armed.left -= 1
            if armed.left <= 0:
                self._armed.remove(armed)


def parse(value: Mapping[str, Any]) -> tuple[Fault, float]:
    """A fault and its delay from ``{"fault": "Close", "code": 1001, "after": 2}``.

    Raises:
        ValidationError: there is no such fault, or it has no such field.
    """
    values = dict(value)
    kind = KINDS.get(str(values.pop("fault", "")))
    if kind is None:
        raise ValidationError("fault", f"must be one of {', '.join(KINDS)}")
    after = values.pop("after", 0.0)
    known = get_type_hints(kind)
    for name, given in values.items():
        if name not in {field.name for field in fields(kind)} or not _is(given, known[name]):
            raise ValidationError(name, f"is not a field of {kind.__name__} with such a value")
    if not _is(after, float):
        raise ValidationError("after", "must be a number of seconds")
    return kind(**values), float(after)


def _is(given: object, kind: Any) -> bool:
    if kind is float:
        kind = int | float
    return isinstance(given, kind) and not isinstance(given, bool)


def _concerns(fault: Fault, symbol: str | None) -> bool:
    return fault.symbol is None or symbol is None or fault.symbol == symbol
