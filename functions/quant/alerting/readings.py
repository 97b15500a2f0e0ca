"""A metric's values bar by bar, and what is known of each: what the state machine reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quant.alerting.conditions import View
from quant.domain.interval import MINUTE

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

HEAL_WAIT = 2 * MINUTE
"""How long an incomplete bar, or one that does not come, is waited for."""


class Seen(NamedTuple):
    """Values in an operator's view, and the largest and smallest of those that are known."""

    seen: list[float]
    value: list[float]
    largest: float
    smallest: float


@dataclass(slots=True, eq=False)
class Readings:
    """A grid of bars without a gap; n may be 0.

    Attributes:
        interval: ms from one to the next.
        time: start of each bar, ms, shape (n,).
        value: at its close; NaN where there is no such figure, as of a constant window.
        low, high: the extremes within the bar; the value itself where a metric has none.
        hole: 0 where all that the value was computed of is known to be complete; else when the newest bar that is not
            ended, ms.
        until: end of what is known, ms: time[-1] + interval, or where the grid would begin.
        start: bars before it only say what was before, ms.
        reason: of holes.
        late_reason: why nothing is known after ``until``.
        is_gone: whether nothing will ever come again.
    """

    interval: int
    time: Ints
    value: Floats
    low: Floats
    high: Floats
    hole: Ints
    until: int
    start: int = 0
    reason: str = ""
    late_reason: str = ""
    is_gone: bool = False
    _views: dict[tuple[View, bool], Seen] = field(default_factory=dict)

    @classmethod
    def none(cls, interval: int, until: int, reason: str, *, is_gone: bool = False) -> Readings:
        """Nothing is known up to ``until``, ms."""
        floats = np.zeros(0)
        ints = np.zeros(0, dtype=np.int64)
        return cls(interval, ints, floats, floats, floats, ints, until, late_reason=reason, is_gone=is_gone)

    @classmethod
    def single(cls, interval: int, time: int, value: float | None, reason: str = "") -> Readings:
        """One reading; not known where ``value`` is None, for the reason given."""
        figure = np.array([np.nan if value is None else value])
        end = time + interval
        hole = np.array([end if value is None else 0], dtype=np.int64)
        return cls(
            interval,
            np.array([time], dtype=np.int64),
            figure,
            figure,
            figure,
            hole,
            end,
            reason=reason,
            late_reason=reason,
        )

    @property
    def is_whole(self) -> bool:
        return not self.hole.any()

    def is_overdue(self, now: int) -> bool:
        """Whether the next reading should have been here long ago."""
        return self.is_gone or now - (self.until + self.interval) > HEAL_WAIT

    def readable_until(self, now: int) -> int:
        """Where evaluation ends: at the first bar that is still waited for."""
        waited = np.flatnonzero((self.hole > 0) & (now - self.hole <= HEAL_WAIT))
        return int(self.time[waited[0]]) if len(waited) else self.until

    def view(self, view: View, touches: bool) -> Seen:
        """The values as an operator sees them; kept, since many rules share them."""
        found = self._views.get((view, touches))
        if found is None:
            found = self._views[view, touches] = self._look(view, touches)
        return found

    def _look(self, view: View, touches: bool) -> Seen:
        value = self.value
        if touches:
            value = self.high if view == "up" else self.low if view == "down" else value
        seen = {"up": value, "down": -value, "far": np.abs(value), "near": -np.abs(value)}[view]
        known = seen[(self.hole == 0) & ~np.isnan(seen)]
        largest = float(known.max()) if len(known) else -np.inf
        smallest = float(known.min()) if len(known) else np.inf
        return Seen(seen.tolist(), value.tolist(), largest, smallest)

    def at(self, time: int) -> dict[str, Any] | None:
        """What was read of one bar, as an event keeps it; None where it is not among these."""
        place = (time - int(self.time[0])) // self.interval if len(self.time) else -1
        if not 0 <= place < len(self.time):
            return None
        return {
            "start": time,
            "end": time + self.interval,
            "value": float(self.value[place]),
            "low": float(self.low[place]),
            "high": float(self.high[place]),
            "complete": not self.hole[place],
        }
