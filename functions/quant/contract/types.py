"""The kinds of values that requests carry. Each is declared once, with its bounds, its words and an example.

``remedy`` in a type's ``extra`` is what an error says after the field's name; without it the sentence is made of the
bounds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

# 2100-01-01: later times are mistakes, most often microseconds.
LATEST = 4_102_444_800_000
TIME_REMEDY = "must be milliseconds since 1970 or ISO 8601, such as 2026-11-22T10:00:00Z"
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?([Zz]|[+ -][0-9]{2}:?[0-9]{2})?)?"


def _interval_pattern() -> str:
    """Every length that divides a day, in each unit."""
    kinds = []
    for unit, a_day in (("s", 86_400), ("m", 1_440), ("h", 24), ("d", 1)):
        counts = "|".join(str(count) for count in range(1, a_day + 1) if a_day % count == 0)
        kinds.append(f"({counts}){unit}")
    return f"^({'|'.join(kinds)})$"


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters, or no body."""


class Time(int):
    """Milliseconds since the epoch, UTC. Requests may write it as ISO 8601; without an offset that is UTC."""

    @classmethod
    def read(cls, text: str) -> Time:
        """
        Raises:
            ValueError: no time, or none between 1970 and 2100.
        """
        found = int(text) if re.fullmatch(r"[0-9]{1,18}", text) else _iso(text)
        if not 0 <= found <= LATEST:
            raise ValueError(TIME_REMEDY)
        return cls(found)


TIME_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "integer", "minimum": 0, "maximum": LATEST}, {"type": "string", "format": "date-time"}]
}

Symbol = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{1,29}$",
        description="The exchange's own name of the instrument, in upper or lower case.",
        examples=["BTCUSDT"],
        extra={"remedy": "must be 2 to 30 letters, digits or dashes, such as BTCUSDT"},
    ),
]
MarketName = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z][A-Za-z0-9]{1,19}:)?[A-Za-z0-9][A-Za-z0-9-]{1,29}$",
        description="A symbol, with its exchange before a colon where it is not that of `exchange`.",
        extra={"remedy": "must be given: 2 to 30 letters, digits or dashes, such as BTCUSDT or coinbase:BTC-USD"},
    ),
]
Exchange = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9]{1,19}$",
        description="Which exchange.",
        extra={"remedy": "must be 2 to 20 lower-case letters or digits, such as binance"},
    ),
]
IntervalName = Annotated[
    str,
    Meta(
        pattern=_interval_pattern(),
        description="Length of a bar: any number of s, m, h or d that divides a day.",
        examples=["1m"],
        extra={"remedy": "must be 1s, 1m, 5m or a multiple that divides a day, such as 15m, 4h or 1d"},
    ),
]
Start = Annotated[Time, Meta(description="From this time on: ms since 1970, or ISO 8601.")]
End = Annotated[Time, Meta(description="Up to but without this time: ms since 1970, or ISO 8601.")]
Cursor = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,400}$",
        description="`next_cursor` of the page before, with the other parameters as they were.",
        extra={"remedy": "is not one that this route gave for these parameters; start again without it"},
    ),
]
Order = Literal["asc", "desc"]


def _iso(text: str) -> int:
    if not re.fullmatch(_ISO, text):
        raise ValueError(TIME_REMEDY)
    try:
        # A plus sign that was not escaped arrives as a space.
        moment = datetime.fromisoformat(text[:11].upper().replace(" ", "T") + text[11:].upper().replace(" ", "+"))
    except ValueError as exc:
        raise ValueError(TIME_REMEDY) from exc
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
