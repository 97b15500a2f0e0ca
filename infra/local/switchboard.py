"""A switchboard of faults: what goes wrong, when, and how often. Each simulated peer brings its own kinds.

A fault is a value. ``Switchboard.add`` arms it; the peer takes it at the place where it strikes. Unless it says
otherwise a fault strikes once; ``times`` makes it strike more often, ``seconds`` for as long as that, and with
``after`` it waits first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Generic, TypeVar, get_type_hints

from quant.errors import ValidationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What every fault says."""

    times: int = 1
    seconds: float = 0.0

    def concerns(self, subject: str | None) -> bool:
        """Whether it strikes there; None where the place is nobody's in particular."""
        return True


F = TypeVar("F", bound=Fault)
K = TypeVar("K", bound=Fault)


@dataclass(slots=True)
class _Armed(Generic[K]):
    fault: K
    begins: float
    ends: float | None
    left: int


class Switchboard(Generic[K]):
    """The armed faults of one peer."""

    def __init__(
        self,
        *faults: K,
        clock: Callable[[], float] = time.monotonic,
        struck: Callable[[K], None] = lambda fault: None,
    ) -> None:
        """``struck`` is told each time that a fault strikes."""
        self._clock, self._struck = clock, struck
        self._armed: list[_Armed[K]] = []
        for fault in faults:
            self.add(fault)

    def add(self, fault: K, *, after: float = 0.0) -> None:
        """Arm a fault; it can strike ``after`` seconds from now."""
        begins = self._clock() + after
        ends = begins + fault.seconds if fault.seconds > 0 else None
        self._armed.append(_Armed(fault, begins, ends, fault.times))

    def clear(self) -> None:
        self._armed.clear()

    def take(self, kind: type[F], subject: str | None = None, fits: Callable[[F], bool] = lambda _: True) -> F | None:
        """The first armed fault of this kind that may strike now, counted as having struck."""
        for armed in self._live(kind):
            fault = armed.fault
            if isinstance(fault, kind) and fault.concerns(subject) and fits(fault):
                self._strike(armed)
                return fault
        return None

    def active(self, kind: type[F], subject: str | None = None) -> F | None:
        """The same without counting it."""
        found = (armed.fault for armed in self._live(kind))
        return next((fault for fault in found if isinstance(fault, kind) and fault.concerns(subject)), None)

    def any(self, *kinds: type[Fault]) -> bool:
        return bool(self._armed) and any(self._live(kind) for kind in kinds)

    def describe(self) -> list[dict[str, object]]:
        """The armed faults, for the control route."""
        return [described(replace(one.fault, times=one.left)) for one in self._armed]

    def _live(self, kind: type[Fault]) -> list[_Armed[K]]:
        if not self._armed:
            return []
        now = self._clock()
        self._armed = [armed for armed in self._armed if armed.ends is None or now < armed.ends]
        return [armed for armed in self._armed if armed.begins <= now and isinstance(armed.fault, kind)]

    def _strike(self, armed: _Armed[K]) -> None:
        self._struck(armed.fault)
        if armed.ends is None:
            armed.left -= 1
            if armed.left <= 0:
                self._armed.remove(armed)


def described(fault: Fault) -> dict[str, object]:
    """A fault as :func:`parse` reads it."""
    return {"fault": type(fault).__name__, **asdict(fault)}


def parse(value: Mapping[str, Any], kinds: Mapping[str, type[K]]) -> tuple[K, float]:
    """A fault and its delay from ``{"fault": "Close", "code": 1001, "after": 2}``.

    Raises:
        ValidationError: there is no such fault, or it has no such field.
    """
    values = dict(value)
    kind = kinds.get(str(values.pop("fault", "")))
    if kind is None:
        raise ValidationError("fault", f"must be one of {', '.join(kinds)}")
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
