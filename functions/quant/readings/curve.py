"""A metric over time in few enough points to be drawn, without losing an extreme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quant.alerting.readings import Floats, Ints, Readings

MAX_POINTS = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """At most ``MAX_POINTS`` points, each of as many whole bars as any other but the last.

    Attributes:
        step: ms from one point to the next.
        time: start of each point's first bar, ms, shape (n,).
        value: at the last bar that is known; NaN where none is.
        low, high: the extremes of the bars that are known; NaN where none is.
    """

    step: int
    time: Ints
    value: Floats
    low: Floats
    high: Floats


def curve_of(readings: Readings) -> Curve:
    """The readings from their start on."""
    first = int(np.searchsorted(readings.time, readings.start))
    time, hole = readings.time[first:], readings.hole[first:]
    value, low, high = (
        np.where(hole > 0, np.nan, figure[first:]) for figure in (readings.value, readings.low, readings.high)
    )
    together = max(-(-len(time) // MAX_POINTS), 1)
    starts = np.arange(0, len(time), together)
    return Curve(
        step=together * readings.interval,
        time=time[starts],
        value=_last_known(value, starts),
        low=np.fmin.reduceat(low, starts),
        high=np.fmax.reduceat(high, starts),
    )


def _last_known(value: Floats, starts: Ints) -> Floats:
    places = np.maximum.reduceat(np.where(np.isnan(value), -1, np.arange(len(value))), starts)
    return np.where(places < 0, np.nan, value[places])
