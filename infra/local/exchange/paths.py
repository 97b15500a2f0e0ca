"""Log prices as functions of time that can be entered anywhere.

A process gives its values at the 3,601 full seconds of an hour. A Brownian motion is a cumulative sum of daily steps
with a bridge of minutes inside the day and a bridge of seconds inside the minute. That is a true Brownian motion, and
costs the same for any hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import accumulate
from typing import Protocol

import numpy as np

from infra.local.exchange.randomness import generator
from infra.local.exchange.trades import Floats

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
LISTED_DAY = date(2020, 1, 1).toordinal() - _EPOCH
"""The first day of trading, in days since the epoch. Ids begin at 0 there."""

_ANCHOR = date(2026, 1, 1).toordinal() - _EPOCH - LISTED_DAY
"""Every Brownian motion is 0 on this day, so that prices are near their nominal ones for some years around it."""

_LAST = 30_000
_KEEP = 128


class Process(Protocol):
    def hour(self, hour: int) -> Floats:
        """Values at the seconds 0 to 3,600 of an hour counted since the epoch."""


@dataclass(frozen=True, slots=True)
class Brownian:
    """A Brownian motion whose daily steps have the standard deviation ``volatility``."""

    seed: int
    name: str
    volatility: float

    def hour(self, hour: int) -> Floats:
        day, part = divmod(hour, 24)
        minutes = _brownian_day(self.seed, self.name, day)[part * 60 : part * 60 + 61]
        noise = generator(self.seed, self.name, "seconds", hour).standard_normal((60, 60)) / np.sqrt(DAY / SECOND)
        return self.volatility * _with_seconds(minutes, noise)


@dataclass(frozen=True, slots=True)
class MeanReverting:
    """An AR(1) process of minutes with the given stationary deviation and half-life in minutes."""

    seed: int
    name: str
    deviation: float
    half_life: float

    def hour(self, hour: int) -> Floats:
        day, part = divmod(hour, 24)
        minutes = _reverting_day(self.seed, self.name, day, self.half_life)[part * 60 : part * 60 + 61]
        return self.deviation * _with_seconds(minutes, np.zeros((60, 60)))


@dataclass(frozen=True, slots=True)
class LogPrice:
    """A constant plus weighted processes."""

    level: float
    terms: tuple[tuple[float, Process], ...]

    def hour(self, hour: int) -> Floats:
        total = np.full(3_601, self.level)
        for weight, process in self.terms:
            total += weight * process.hour(hour)
        return total


def _with_seconds(minutes: Floats, noise: Floats) -> Floats:
    line = np.interp(np.arange(3_601) / 60, np.arange(61), minutes)
    line[1:] += _bridge(noise).ravel()
    return line


def _bridge(noise: Floats) -> Floats:
    walk = np.cumsum(noise, axis=-1)
    steps = noise.shape[-1]
    bridge: Floats = walk - walk[..., -1:] * (np.arange(1, steps + 1) / steps)
    return bridge


@lru_cache(_KEEP)
def _levels(seed: int, name: str) -> Floats:
    steps = generator(seed, name, "days").standard_normal(_LAST)
    levels = np.concatenate(([0.0], np.cumsum(steps)))
    anchored: Floats = levels - levels[_ANCHOR]
    return anchored


@lru_cache(_KEEP)
def _brownian_day(seed: int, name: str, day: int) -> Floats:
    start, end = _levels(seed, name)[day - LISTED_DAY : day - LISTED_DAY + 2]
    noise = generator(seed, name, "minutes", day).standard_normal(1_440) / np.sqrt(1_440)
    return np.linspace(start, end, 1_441) + np.concatenate(([0.0], _bridge(noise)))


@lru_cache(_KEEP)
def _reverting_day(seed: int, name: str, day: int, half_life: float) -> Floats:
    # Yesterday's noise is enough of a past: after 1,440 minutes the weight of what came before is below 1e-7.
    noise = np.concatenate([generator(seed, name, "spread", day + i).standard_normal(1_440) for i in (-1, 0, 1)])
    decay = 0.5 ** (1 / half_life)
    shocks = noise[:2_881] * np.sqrt(1 - decay**2)
    values = accumulate(shocks.tolist(), lambda value, shock: decay * value + shock)
    return np.array(list(values)[1_440:])
