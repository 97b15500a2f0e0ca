"""The exchange's weight budget: so much per minute of its clock, and pauses that it imposes. No clock inside."""

from __future__ import annotations

MINUTE_S = 60.0


class WeightBudget:
    """Spends at most ``share`` of ``per_minute`` in each whole minute."""

    def __init__(self, per_minute: int = 1200, share: float = 0.9) -> None:
        self.per_minute, self._share = per_minute, share
        self._minute = -1
        self._used = 0
        self._closed_until = 0.0

    def wait(self, weight: int, now: float) -> float:
        """Seconds until a request of this weight may be sent; ``now`` in seconds since the epoch."""
        self._turn(now)
        closed = self._closed_until - now
        if closed > 0:
            return closed
        # A request that exceeds the share alone is sent at the beginning of a minute.
        if self._used == 0 or self._used + weight <= self.per_minute * self._share:
            return 0.0
        return (self._minute + 1) * MINUTE_S - now + 0.05

    @property
    def allowed(self) -> int:
        """What may be spent in a minute."""
        return int(self.per_minute * self._share)

    def spend(self, weight: int, now: float) -> None:
        self._turn(now)
        self._used += weight

    def observe(self, used: int, now: float) -> None:
        """The exchange says how much this address has used in the current minute."""
        self._turn(now)
        self._used = max(self._used, used)

    def close(self, seconds: float, now: float) -> None:
        """The exchange asked for a pause."""
        self._closed_until = max(self._closed_until, now + seconds)

    def _turn(self, now: float) -> None:
        minute = int(now // MINUTE_S)
        if minute != self._minute:
            self._minute, self._used = minute, 0
