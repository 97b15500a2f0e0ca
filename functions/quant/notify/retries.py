"""How long a receiver asks to be left alone."""

from __future__ import annotations

LONGEST = 3_600_000


def retry_after(seconds: str | float) -> int:
    """Milliseconds of a ``Retry-After`` in seconds, at most an hour; 0 where it says nothing that can be read."""
    try:
        asked = float(seconds)
    except (TypeError, ValueError):
        return 0
    return min(int(asked * 1_000), LONGEST) if 0 < asked < float("inf") else 0
