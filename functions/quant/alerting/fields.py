"""Reading a rule's fields out of JSON: each value is bounded, and an error names the field and the remedy."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from quant.domain.alert import Channel, ChannelType
from quant.errors import ValidationError

MAX_CHANNELS = 10
LARGEST = 1e15
_TARGETS = {
    ChannelType.EMAIL: (
        r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9.-]{1,180}\.[A-Za-z]{2,20}",
        "an address such as me@example.org",
    ),
    ChannelType.SNS: (r"arn:aws[a-z-]{0,10}:sns:[a-z0-9-]{1,30}:[0-9]{12}:[A-Za-z0-9_-]{1,250}", "a topic's ARN"),
    ChannelType.TELEGRAM: (r"-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{4,31}", "a chat's id or a channel's @name"),
    ChannelType.WEBHOOK: (r"https?://[!-~]{3,1000}", "a URL that begins with https://"),
}


class Fields:
    """A JSON object whose values are taken one by one; what is null counts as left out."""

    def __init__(self, given: Mapping[str, Any], allowed: Sequence[str], prefix: str = "") -> None:
        if not isinstance(given, Mapping):
            raise ValidationError(prefix.rstrip(".") or "body", "must be a JSON object")
        self._given = {name: value for name, value in given.items() if value is not None}
        self._prefix = prefix
        for name in sorted(set(map(str, self._given)) - set(allowed)):
            raise ValidationError(f"{prefix}{name[:40]}", f"is not a field here; there are {', '.join(allowed)}")

    def has(self, name: str) -> bool:
        return name in self._given

    def text(self, name: str, longest: int, default: str | None = None, *, lines: bool = False) -> str:
        value = self._given.get(name, default)
        if value is None:
            raise ValidationError(self._prefix + name, "must be given")
        if not isinstance(value, str) or len(value) > longest:
            raise ValidationError(self._prefix + name, f"must be a text of at most {longest} characters")
        if not all(letter.isprintable() or (lines and letter == "\n") for letter in value):
            raise ValidationError(self._prefix + name, "must hold no control characters")
        return value.strip()

    def choice(self, name: str, allowed: Sequence[str], default: str | None = None) -> str:
        value = self.text(name, 60, default)
        if value not in allowed:
            raise ValidationError(self._prefix + name, f"must be one of {', '.join(allowed)}")
        return value

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        value = self._given.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValidationError(self._prefix + name, f"must be a whole number from {low} to {high}")
        return value

    def number(self, name: str) -> float | None:
        """Between -LARGEST and LARGEST, or None where it is left out."""
        value = self._given.get(name)
        if value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or abs(value) > LARGEST:
            raise ValidationError(self._prefix + name, f"must be a number from {-LARGEST:g} to {LARGEST:g}")
        return float(value)

    def switch(self, name: str, default: bool) -> bool:
        value = self._given.get(name, default)
        if not isinstance(value, bool):
            raise ValidationError(self._prefix + name, "must be true or false")
        return value

    def many(self, name: str, longest: int, default: Sequence[Any] = ()) -> list[Any]:
        value = self._given.get(name, list(default))
        if not isinstance(value, list | tuple) or len(value) > longest:
            raise ValidationError(self._prefix + name, f"must be a list of at most {longest}")
        return list(value)


def channels_of(given: list[Any]) -> tuple[Channel, ...]:
    """
    Raises:
        ValidationError: names ``channels[N].target`` and what it must be.
    """
    found = []
    for place, one in enumerate(given):
        fields = Fields(one, ("type", "target"), f"channels[{place}].")
        kind = ChannelType(fields.choice("type", [member.value for member in ChannelType]))
        target = fields.text("target", 1_000)
        pattern, words = _TARGETS[kind]
        if not re.fullmatch(pattern, target):
            raise ValidationError(f"channels[{place}].target", f"must be {words}")
        channel = Channel(kind, target)
        if channel in found:
            raise ValidationError(f"channels[{place}]", f"names {kind.value} {target[:60]} a second time; leave it out")
        found.append(channel)
    return tuple(found)
