"""Columns that hold several chunks one after the other, and what numpy does for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quant.domain.trade import Bools, Ints

Number = TypeVar("Number", bound="np.generic[Any]")


@dataclass(frozen=True, slots=True)
class Segments:
    """Where each segment begins and how long it is. None is empty."""

    starts: Ints
    counts: Ints

    @classmethod
    def of_lengths(cls, lengths: ArrayLike) -> Self:
        counts = np.asarray(lengths, dtype=np.int64)
        return cls(np.cumsum(counts) - counts, counts)

    @property
    def ends(self) -> Ints:
        return self.starts + self.counts

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    @property
    def is_first(self) -> Bools:
        """For each row, whether it is the first of its segment."""
        first = np.zeros(self.total, dtype=np.bool_)
        first[self.starts] = True
        return first

    def slices(self) -> list[slice]:
        return list(map(slice, self.starts.tolist(), self.ends.tolist()))

    def spread(self, values: NDArray[Number]) -> NDArray[Number]:
        """One value per segment as one per row."""
        return np.repeat(values, self.counts)

    def sums(self, flags: Bools) -> Ints:
        """How many rows of each segment are flagged."""
        return np.add.reduceat(flags, self.starts, dtype=np.int64)

    def steps(self, column: Ints) -> Ints:
        """From each row's predecessor to the row; 0 at the first of a segment."""
        steps = np.empty_like(column)
        np.subtract(column[1:], column[:-1], out=steps[1:])
        steps[self.starts] = 0
        return steps

    def running(self, first: Ints, steps: Ints) -> Ints:
        """The reverse of ``steps``, from the first value of each segment."""
        sums = np.cumsum(steps)
        return sums + self.spread(first - sums[self.starts])
