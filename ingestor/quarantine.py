"""The last frames that could not be used, and how many there were for each reason."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

KEPT_BYTES = 200


@dataclass(frozen=True, slots=True)
class Specimen:
    """One frame's beginning, when it came (ms) and what is wrong with it."""

    time: int
    reason: str
    frame: bytes


class Quarantine:
    """Counts for ever, keeps the newest ``capacity`` specimens."""

    def __init__(self, capacity: int = 256) -> None:
        self.counts: Counter[str] = Counter()
        self._kept: deque[Specimen] = deque(maxlen=capacity)

    def add(self, now: int, reason: str, frame: bytes | str) -> Specimen:
        raw = frame[:KEPT_BYTES].encode() if isinstance(frame, str) else frame
        specimen = Specimen(now, reason, bytes(raw[:KEPT_BYTES]))
        self.counts[reason] += 1
        self._kept.append(specimen)
        return specimen

    @property
    def total(self) -> int:
        return self.counts.total()

    def specimens(self) -> tuple[Specimen, ...]:
        """Oldest first."""
        return tuple(self._kept)
