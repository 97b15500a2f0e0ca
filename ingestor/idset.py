"""A set of ids as disjoint ascending ranges, ends included."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Span = tuple[int, int]


class IdRanges:
    """Add and remove ranges; ask which part of a range is inside."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in spans:
            self.add(first, last)

    def __iter__(self) -> Iterator[Span]:
        return iter(list(zip(self._firsts, self._lasts, strict=True)))

    def __len__(self) -> int:
        """How many ranges."""
        return len(self._firsts)

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def count(self) -> int:
        """How many ids."""
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    @property
    def lowest(self) -> int:
        return self._firsts[0]

    def within(self, first: int, last: int) -> list[Span]:
        """The parts of first…last that are inside."""
        low, high = bisect_left(self._lasts, first), bisect_right(self._firsts, last)
        return [(max(first, self._firsts[k]), min(last, self._lasts[k])) for k in range(low, high)]

    def add(self, first: int, last: int) -> None:
        low, high = bisect_left(self._lasts, first - 1), bisect_right(self._firsts, last + 1)
        if low < high:
            first, last = min(first, self._firsts[low]), max(last, self._lasts[high - 1])
        self._firsts[low:high], self._lasts[low:high] = [first], [last]

    def remove(self, first: int, last: int) -> None:
        low, high = bisect_left(self._lasts, first), bisect_right(self._firsts, last)
        if low == high:
            return
        rest = []
        if self._firsts[low] < first:
            rest.append((self._firsts[low], first - 1))
        if self._lasts[high - 1] > last:
            rest.append((last + 1, self._lasts[high - 1]))
        self._firsts[low:high], self._lasts[low:high] = [f for f, _ in rest], [x for _, x in rest]
