"""Numbers out of many frames of one layout, as columns and without a Python object per frame.

Frames of one market differ in their digits only. One frame is taken as the template: bytes inside its numbers must be
digits in the others too, all remaining bytes must be equal. What matches is then read eight digits at a time: the text
is viewed as 64-bit words and three multiplications turn each word into the number it shows. All of it is exact integer
arithmetic; rows that do not match are left to the general decoder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from quant.domain.trade import Bools, Ints

Words = NDArray[np.uint64]
Span = tuple[int, int]

_U = np.uint64
_ALL = 0xFFFFFFFFFFFFFFFF
_ZEROS = 0x3030303030303030
_HIGH = _U(0x8080808080808080)
MAX_DIGITS = 18
# A group smaller than this is decoded faster the general way.
MIN_ROWS = 32
MAX_TEMPLATES = 6
_HEAD = 11


class Rows:
    """Frames of equal length as rows of bytes, padded to whole words."""

    def __init__(self, cells: NDArray[np.void], length: int) -> None:
        self.cells, self.length = cells, length
        self.width = cells.dtype.itemsize

    def __len__(self) -> int:
        return len(self.cells)

    def text(self, row: int) -> bytes:
        return bytes(self.cells[row])[: self.length]

    def take(self, index: NDArray[np.bool_]) -> Rows:
        return Rows(self.cells[index], self.length)

    def word(self, offset: int) -> Words:
        """The eight bytes at ``offset`` of every row."""
        return np.ndarray((len(self.cells),), "<u8", self.cells, offset, (self.width,))

    def byte(self, offset: int) -> NDArray[np.uint8]:
        return np.ndarray((len(self.cells),), "u1", self.cells, offset, (self.width,))

    def integer(self, span: Span) -> Ints:
        """The number that at most 18 digits at ``span`` show."""
        start, end = span
        value = np.zeros(len(self), np.uint64)
        factor = 1
        for offset, count in _words(start, end):
            part = self.word(offset) & _U(_mask(count) & 0x0F0F0F0F0F0F0F0F)
            part *= _U(2561)
            part >>= _U(8)
            part &= _U(0x00FF00FF00FF00FF)
            part *= _U(6553601)
            part >>= _U(16)
            part &= _U(0x0000FFFF0000FFFF)
            part *= _U(42949672960001)
            part >>= _U(32)
            value += part if factor == 1 else part * _U(factor)
            factor *= 10**8
        return value.astype(np.int64)

    def like_first(self, numbers: Sequence[Span], whole: Sequence[Span]) -> Bools:
        """Which rows differ from the first one only in the digits at ``numbers``; ``whole`` may not begin with 0."""
        fixed = np.full(self.width, 0xFF, np.uint8)
        fixed[self.length :] = 0
        for start, end in numbers:
            fixed[start:end] = 0
        masks = fixed.view("<u8")
        wrong = np.zeros(len(self), np.uint64)
        for k, mask in enumerate(masks):
            if mask:
                word = self.word(8 * k)
                wrong |= (word ^ word[0]) & mask
        for start, end in numbers:
            for offset, count in _words(start, end):
                mask = _mask(count)
                word = (self.word(offset) & _U(mask)) | _U(_ZEROS & ~mask & _ALL)
                wrong |= ((word + _U(0x4646464646464646)) | (word - _U(_ZEROS))) & _HIGH
        matches: Bools = wrong == 0
        for start, end in whole:
            if end - start > 1:
                matches &= self.byte(start) != ord("0")
        return matches


def _words(start: int, end: int) -> Iterator[tuple[int, int]]:
    # From the right: the last eight digits, the eight before, …; a short word reads other bytes first and masks them.
    while end > start:
        count = min(8, end - start)
        yield end - 8, count
        end -= count


def _mask(count: int) -> int:
    return (_ALL << (8 * (8 - count))) & _ALL


def groups(frames: Sequence[bytes]) -> Iterator[tuple[Ints, Rows]]:
    """Frames of equal length and equal beginning, where there are many; with their positions, ascending.

    The beginning is where a combined stream names the market. Groups may mix layouts: the caller matches templates.
    """
    lengths = np.fromiter(map(len, frames), np.int64, len(frames))
    data = b"".join(frames) + bytes(64)
    starts = np.cumsum(lengths) - lengths
    words = np.ndarray((len(data) - 64,), "<u8", data, 0, (1,))
    keys = words[np.minimum(starts + _HEAD, len(words) - 1)] * _U(1024) + lengths.astype(np.uint64)
    order = np.argsort(keys, kind="stable")
    edges = np.flatnonzero(np.diff(keys[order])) + 1
    for part in np.split(order, edges):
        length = int(lengths[part[0]])
        if len(part) >= MIN_ROWS and 32 <= length <= 1000 and bool(np.all(lengths[part] == length)):
            width = -(-length // 8) * 8
            cells: NDArray[np.void] = np.ndarray((len(data) - width + 1,), f"V{width}", data, 0, (1,))
            yield part, Rows(cells[starts[part]], length)


def scaled(rows: Rows, whole: Span, fraction: Span, decimals: int) -> tuple[Ints, Bools | None]:
    """A decimal number scaled by 10**decimals, and which rows need no more decimals than that (None: all of them)."""
    more = decimals - (fraction[1] - fraction[0])
    value, rest = rows.integer(whole) * 10**decimals, rows.integer(fraction)
    if more >= 0:
        return value + rest * 10**more, None
    kept = rest // 10**-more
    return value + kept, kept * 10**-more == rest
