"""Rules and readings of tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from quant.alerting.machine import Happening, advance, beginning
from quant.alerting.readings import Readings
from quant.domain.alert import EventKind, Rule, RuleState
from quant.domain.interval import DAY, SECOND
from quant.domain.market import Market

BTC, ETH = Market("binance", "BTCUSDT"), Market("binance", "ETHUSDT")
START = 1_795_348_800_000
ALL_KINDS = tuple(kind for kind in EventKind if kind not in (EventKind.TEST, EventKind.REMINDER))
LATE = START + DAY
PLAIN = Rule(
    id="r1", version=1, revision=1, name="high", metric="price", market=BTC, interval="1s", window=1, operator=">",
    threshold=100.0,
)  # fmt: skip


def rule(**changes: Any) -> Rule:
    return replace(PLAIN, **changes)


def readings(
    values: Sequence[float],
    holes: Sequence[int] = (),
    *,
    start: int = START,
    interval: int = SECOND,
    reason: str = "gap",
) -> Readings:
    """One bar per value; those at the places of ``holes`` are incomplete."""
    n = len(values)
    time = start + interval * np.arange(n, dtype=np.int64)
    value = np.array(values, dtype=np.float64)
    hole = np.zeros(n, dtype=np.int64)
    for place in holes:
        hole[place] = int(time[place]) + interval
    return Readings(interval, time, value, value, value, hole, start + n * interval, reason=reason, late_reason=reason)


def now_of(read: Readings) -> int:
    """A moment at which nothing is overdue, and holes are given up that are two minutes old."""
    return read.until + 5 * SECOND


def run(
    watched: Rule, read: Readings, state: RuleState | None = None, now: int | None = None
) -> tuple[RuleState, list[Happening]]:
    """Advance until nothing more happens."""
    found: list[Happening] = []
    state = beginning(watched, state)
    while True:
        moved, happenings = advance(watched, state, read, now_of(read) if now is None else now)
        if moved is state:
            return state, found
        found += happenings
        state = moved


def kinds(found: Sequence[Happening]) -> list[tuple[str, int]]:
    """What happened, and at which second from the start."""
    return [(one.kind.value, (one.time - START) // SECOND) for one in found]
