"""Lengths of bars and the grid of time that they start on. Time is integer milliseconds since the epoch, UTC."""

from __future__ import annotations

import re
from typing import NamedTuple, Self

from quant.errors import ValidationError

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_TEXT = re.compile(r"([1-9][0-9]{0,4})([smhd])\Z")


class Interval(NamedTuple):
    """The length of a bar, by its usual name and in milliseconds."""

    name: str
    ms: int

    def __str__(self) -> str:
        return self.name

    @classmethod
    def parse(cls, text: str, field: str = "interval") -> Self:
        """Read ``1s``, ``15m``, ``4h`` or ``1d``: any length that divides a day.

        Raises:
            ValidationError: not such a length.
        """
        match = _TEXT.match(text)
        ms = int(match[1]) * _UNITS[match[2]] if match else 0
        if not ms or DAY % ms:
            raise ValidationError(field, "must be 1s, 1m, 5m or a multiple that divides a day, such as 15m, 4h or 1d")
        return cls(text, ms)

    @property
    def base(self) -> Interval:
        """The coarsest stored interval that this one is a multiple of."""
        return next(stored for stored in (M5, M1, S1) if self.ms % stored.ms == 0)


S1 = Interval("1s", SECOND)
M1 = Interval("1m", MINUTE)
M5 = Interval("5m", 5 * MINUTE)
STORED = (S1, M1, M5)


def floor(time: int, step: int) -> int:
    """The start of the interval of length ``step`` that ``time`` lies in."""
    return time - time % step


def ceil(time: int, step: int) -> int:
    """The first start of an interval at or after ``time``."""
    return -(-time // step) * step


def hours_between(start: int, end: int) -> range:
    """The hours, as epoch milliseconds of their start, that hold times from ``start`` up to but without ``end``."""
    return range(floor(start, HOUR), max(end, start), HOUR)
