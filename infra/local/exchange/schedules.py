"""When trades happen: a fixed number a day, so that an id tells its day, spread over the day in one of two ways.

A schedule counts trades from the day of listing. Time is cut into blocks of ``block`` seconds; a block's trades are
made together, and no taker order crosses its border.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np

from infra.local.exchange.paths import DAY, LISTED_DAY, SECOND
from infra.local.exchange.randomness import generator
from infra.local.exchange.sweeps import TEN, Sweeps
from infra.local.exchange.trades import Floats, Ints

_DAY_SECONDS = DAY // SECOND
_BLOCK_TRADES = 100_000


class Schedule(Protocol):
    @property
    def block(self) -> int:
        """Seconds of a block; divides an hour."""

    def first(self, second: int) -> int:
        """The id of the first trade at or after a block's start, in seconds since the epoch."""

    def block_of(self, trade_id: int) -> int:
        """The start of the block that holds the trade."""

    def times(self, second: int) -> Ints:
        """The times (ms) of the trades of the block, in order."""


def per_day(rate: float) -> int:
    """Trades of a day, a multiple of ten so that sweeps never cross midnight."""
    return max(round(rate * _DAY_SECONDS / TEN), 1) * TEN


@dataclass(frozen=True)
class Bursty:
    """Busy and quiet minutes, and inside them busy and quiet seconds."""

    seed: int
    symbol: str
    total: int
    sweeps: Sweeps
    block: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "block", _block_seconds(self.total, (3_600, 600, 60)))
        object.__setattr__(self, "_edges", lru_cache(8)(self._day_edges))

    def first(self, second: int) -> int:
        day, rest = divmod(second, _DAY_SECONDS)
        return int(self._edges_of(day)[rest // 60])

    def block_of(self, trade_id: int) -> int:
        day = trade_id // self.total + LISTED_DAY
        minute = int(np.searchsorted(self._edges_of(day), trade_id, "right")) - 1
        return day * _DAY_SECONDS + minute * 60 // self.block * self.block

    def times(self, second: int) -> Ints:
        day, rest = divmod(second, _DAY_SECONDS)
        first, minutes = rest // 60, self.block // 60
        counts = np.diff(self._edges_of(day)[first : first + minutes + 1])
        rng = generator(self.seed, self.symbol, "times", second // 60)
        which = np.repeat(np.arange(minutes), counts)
        seconds = np.interp(
            np.sort(which + rng.random(len(which))), _clock(rng, minutes), np.arange(self.block + 1, dtype=np.float64)
        )
        low = which * 60_000
        return second * SECOND + np.clip((seconds * SECOND).astype(np.int64), low, low + 59_999)

    def _edges_of(self, day: int) -> Ints:
        edges: Ints = self._edges(day)  # type: ignore[attr-defined]
        return edges

    def _day_edges(self, day: int) -> Ints:
        rng = generator(self.seed, self.symbol, "minutes", day)
        hours = 1 + 0.5 * np.sin(np.linspace(0, 2 * np.pi, 1_440) - 2)
        busy = hours * np.repeat(rng.lognormal(0, 0.4, 96), 15) * rng.lognormal(0, 0.5, 1_440)
        counts = rng.multinomial(self.total, busy / busy.sum())
        edges = np.concatenate(([0], np.cumsum(counts))) + (day - LISTED_DAY) * self.total
        return self.sweeps.snap(edges)


@dataclass(frozen=True)
class Steady:
    """The same distance from trade to trade, for load tests."""

    total: int
    sweeps: Sweeps
    block: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "block", _block_seconds(self.total, (3_600, 600, 60, 10, 1)))

    def first(self, second: int) -> int:
        elapsed = second - LISTED_DAY * _DAY_SECONDS
        return int(self.sweeps.snap(np.array([-(-elapsed * self.total // _DAY_SECONDS)]))[0])

    def block_of(self, trade_id: int) -> int:
        elapsed = trade_id * _DAY_SECONDS // self.total + LISTED_DAY * _DAY_SECONDS
        start = elapsed // self.block * self.block
        # Snapping moves the last trades of a block into the next one.
        return start + self.block if self.first(start + self.block) <= trade_id else start

    def times(self, second: int) -> Ints:
        ids = np.arange(self.first(second), self.first(second + self.block))
        days, rest = np.divmod(ids, self.total)
        times: Ints = np.maximum((days + LISTED_DAY) * DAY + rest * DAY // self.total, second * SECOND)
        return times


def _block_seconds(total: int, choices: tuple[int, ...]) -> int:
    fitting = (seconds for seconds in choices if total * seconds <= _BLOCK_TRADES * _DAY_SECONDS)
    return next(fitting, choices[-1])


def _clock(rng: np.random.Generator, minutes: int) -> Floats:
    # Maps the share of a minute's trades to its seconds: heavy-tailed weights make bursts.
    weights = 0.3 + rng.gamma(0.4, 2.0, (minutes, 60))
    shares = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    shares[:, -1] = 1.0
    return np.concatenate(([0.0], (shares + np.arange(minutes)[:, None]).ravel()))
