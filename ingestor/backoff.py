"""How long to wait before trying again, and how often one may try at all. No clock inside."""

from __future__ import annotations

from collections import deque
from random import Random


class Backoff:
    """Exponential with full jitter: uniform between 0 and ``base * 2**n``, at most ``cap`` seconds."""

    def __init__(self, base: float = 0.25, cap: float = 30.0, random: Random | None = None) -> None:
        self._base, self._cap, self._random = base, cap, random or Random()
        self.failures = 0

    def next(self) -> float:
        """The pause after one more failure, in seconds."""
        limit = min(self._cap, self._base * 2 ** min(self.failures, 30))
        self.failures += 1
        return self._random.uniform(0, limit)

    def reset(self) -> None:
        self.failures = 0


class AttemptLimit:
    """At most ``most`` attempts within ``window`` seconds."""

    def __init__(self, most: int, window: float = 300.0) -> None:
        self._most, self._window = most, window
        self._times: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Seconds until the next attempt is allowed."""
        while self._times and self._times[0] <= now - self._window:
            self._times.popleft()
        return max(0.0, self._times[0] + self._window - now) if len(self._times) >= self._most else 0.0

    def made(self, now: float) -> None:
        self._times.append(now)
