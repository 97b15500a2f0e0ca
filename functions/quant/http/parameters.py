"""Reading a request's query: every value is bounded and checked here, and an error names the field and the remedy."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from quant.errors import ValidationError

# 2100-01-01: later times are mistakes, most often microseconds.
LATEST = 4_102_444_800_000
_NUMBER = r"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,2})?"


class Query:
    """The parameters of one request."""

    def __init__(self, given: Mapping[str, str] | None, allowed: Sequence[str]) -> None:
        self._given = dict(given or {})
        for name in sorted(self._given.keys() - set(allowed)):
            raise ValidationError(name[:40], f"is not a parameter of this route; it takes {', '.join(allowed)}")

    def text(self, name: str, default: str = "") -> str:
        return self._given.get(name) or default

    def choice(self, name: str, allowed: Sequence[str], default: str) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise ValidationError(name, f"must be one of {', '.join(allowed)}")
        return value

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        text = self.text(name, str(default))
        if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ValidationError(name, f"must be a whole number from {low} to {high}")
        return int(text)

    def number(self, name: str, low: float, high: float, default: float) -> float:
        text = self.text(name, repr(default))
        if not re.fullmatch(_NUMBER, text) or not low <= float(text) <= high:
            raise ValidationError(name, f"must be a number from {low:g} to {high:g}")
        return float(text)

    def switch(self, name: str, default: bool) -> bool:
        return self.choice(name, ("true", "false"), "true" if default else "false") == "true"

    def time(self, name: str) -> int | None:
        """Milliseconds since the epoch, or ISO 8601; without an offset it is UTC."""
        text = self.text(name)
        if not text:
            return None
        milliseconds = int(text) if re.fullmatch(r"[0-9]{1,18}", text) else _iso(text)
        if milliseconds is None or not 0 <= milliseconds <= LATEST:
            raise ValidationError(name, "must be milliseconds since 1970 or ISO 8601, such as 2026-11-22T10:00:00Z")
        return milliseconds

    def range(self) -> tuple[int | None, int | None]:
        start, end = self.time("start"), self.time("end")
        if start is not None and end is not None and end <= start:
            raise ValidationError("end", "must be after start")
        return start, end

    def cursor(self) -> dict[str, int] | None:
        text = self.text("cursor")
        if not text:
            return None
        try:
            packed = base64.b64decode(text[:400] + "=" * (-len(text) % 4), b"-_", validate=True)
            return msgspec.json.decode(packed, type=dict[str, int])
        except (binascii.Error, ValueError, msgspec.MsgspecError) as exc:
            raise ValidationError("cursor", "is not one that this route gave; start again without it") from exc


def make_cursor(**position: int) -> str:
    """An opaque word for where the next page begins."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def _iso(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // _MILLISECOND


_MILLISECOND = timedelta(milliseconds=1)
