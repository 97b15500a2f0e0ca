"""Results that are computed now and then and read often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Result:
    """One result of one run.

    Attributes:
        name: ``stats``, ``correlation`` or ``scan``.
        run_id: which run computed it.
        computed_at: ms.
        body: JSON, UTF-8.
    """

    name: str
    run_id: str
    computed_at: int
    body: bytes


class ResultRepository(Protocol):
    """The latest of each result. A reader never sees a part of one."""

    def publish(self, result: Result) -> bool:
        """Make it the latest, unless a later one is; whether it is now."""

    def computed_at(self, name: str) -> int | None:
        """When the latest was computed, or None where there is none."""

    def latest(self, name: str) -> Result | None:
        """The latest, if it is not older than a day."""
