"""When a rule would have fired: the state machine of the check, over stored bars."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from quant.alerting.machine import Happening, advance, beginning
from quant.alerting.metrics import METRICS
from quant.alerting.readings import Readings
from quant.domain.alert import EventKind, Rule
from quant.domain.interval import DAY, SECOND, ceil, floor
from quant.errors import ValidationError
from quant.readings.curve import Curve, curve_of
from quant.readings.feed import INTERVALS
from quant.readings.watched import Watched, markets_of

MAX_BARS = 50_000
_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Firing:
    """From one firing to its end; ``end`` is None where it lasts."""

    start: int
    end: int | None
    value: float | None


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a rule between ``start`` and ``end``, ms.

    Attributes:
        happened: as the rule is; the check would have recorded these.
        without_cooldown: how many notifications it would have been.
        curve: the metric, to be drawn.
    """

    start: int
    end: int
    bars: int
    unknown_bars: int
    happened: tuple[Happening, ...]
    notifications: int
    without_cooldown: int
    firings: tuple[Firing, ...]
    curve: Curve


def replay(rule: Rule, watched: Watched, start: int, end: int) -> Replay:
    """Walk the rule over the bars of ``start`` … ``end``, as far as they are known.

    Raises:
        ValidationError: the metric's past is not stored, or there are too many bars.
    """
    readings = past_readings(rule, watched, start, end)
    fresh = replace(rule, enabled=True, silenced_until=0, revised_at=0)
    happened = walked(fresh, readings)
    plain = walked(replace(fresh, cooldown_seconds=0), readings) if rule.cooldown_seconds else happened
    inside = readings.time >= readings.start
    return Replay(
        start=readings.start,
        end=readings.until,
        bars=int(inside.sum()),
        unknown_bars=int((readings.hole[inside] > 0).sum()),
        happened=happened,
        notifications=sum(one.notify for one in happened),
        without_cooldown=sum(one.notify for one in plain),
        firings=firings_of(happened),
        curve=curve_of(readings),
    )


def usual_start(rule: Rule, end: int) -> int:
    """A day before the end, or as far back as is allowed."""
    interval = INTERVALS[rule.interval].ms if rule.interval in INTERVALS else DAY
    return max(end - min(DAY, (MAX_BARS - 1) * interval), 0)


def past_readings(rule: Rule, watched: Watched, start: int, end: int) -> Readings:
    """Of the bars that start in ``start`` … ``end``; nothing of the past is waited for."""
    if not METRICS[rule.metric].can_be_replayed:
        raise ValidationError("metric", f"{rule.metric} is not kept: what it was in the past cannot be told")
    for name, market in zip(("symbol", "x"), markets_of(rule), strict=False):
        if market not in watched.followed:
            raise ValidationError(name, f"{market} is not followed; GET /api/symbols lists what is")
    interval = INTERVALS[rule.interval].ms
    start = ceil(start, interval)
    end = min(floor(end, interval), *(floor(watched.feed.known(one).until, interval) for one in markets_of(rule)))
    if end <= start:
        raise ValidationError("start", "must lie before the end, and before what is known of the symbol")
    if (end - start) // interval > MAX_BARS:
        most = MAX_BARS * interval // (3_600 * SECOND)
        raise ValidationError(
            "start", f"must lie at most {MAX_BARS:,} bars of {rule.interval} before the end: {most} h"
        )
    return watched.between(rule, start, end)


def walked(rule: Rule, readings: Readings) -> tuple[Happening, ...]:
    """All that happens to a rule that begins with these readings."""
    settled = given_up(readings)
    return advance(rule, beginning(rule, None), settled, settled.until, _AT_ONCE)[1]


def given_up(readings: Readings) -> Readings:
    """The same, with every hole long given up."""
    hole = np.where(readings.hole > 0, 1, 0).astype(np.int64)
    return Readings(
        readings.interval,
        readings.time,
        readings.value,
        readings.low,
        readings.high,
        hole,
        readings.until,
        readings.start,
        readings.reason,
        readings.late_reason,
    )


def firings_of(happened: tuple[Happening, ...]) -> tuple[Firing, ...]:
    """From each firing to what ended it."""
    found: list[Firing] = []
    for one in happened:
        if one.kind is EventKind.FIRED:
            found.append(Firing(one.time, None, one.value))
        elif one.kind is EventKind.RESOLVED and found:
            found[-1] = replace(found[-1], end=one.time)
    return tuple(found)
