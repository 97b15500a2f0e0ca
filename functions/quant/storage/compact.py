"""Dataclasses as JSON that leaves out what has its usual value."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, cast

import msgspec


def encode(value: Any) -> bytes:
    """A flat dataclass, without the fields that are at their defaults: most rules say little."""
    usual = _defaults(cast("Hashable", type(value)))
    told = {one.name: getattr(value, one.name) for one in fields(value)}
    return msgspec.json.encode({name: one for name, one in told.items() if name not in usual or one != usual[name]})


@cache
def _defaults(kind: Any) -> dict[str, Any]:
    usual = {one.name: one.default for one in fields(kind) if one.default is not MISSING}
    return usual | {one.name: one.default_factory() for one in fields(kind) if one.default_factory is not MISSING}
