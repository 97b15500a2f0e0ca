"""Variable-length integers, a whole column at a time: seven bits a byte, low bits first, the high bit says more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quant.domain.trade import Ints

Unsigned = NDArray[np.uint64]

_LONGEST = 10
_LIMITS = np.array([1 << 7 * k for k in range(1, _LONGEST)], dtype=np.uint64)
_SHIFTS = np.arange(_LONGEST, dtype=np.uint64) * np.uint64(7)
_PLACES = np.arange(_LONGEST)
_LOW, _MORE = np.uint64(0x7F), np.uint64(0x80)


def zigzag(values: Ints) -> Unsigned:
    """Fold signed values so that small ones of either sign are small: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return ((values << 1) ^ (values >> 63)).view(np.uint64)


def unzigzag(values: Unsigned) -> Ints:
    return (values >> np.uint64(1)).view(np.int64) ^ -(values & np.uint64(1)).view(np.int64)


def encode(values: Unsigned) -> bytes:
    """Pack a column."""
    if not len(values):
        return b""
    sizes = np.searchsorted(_LIMITS, values, side="right") + 1
    longest = int(sizes.max())
    if longest == 1:
        return values.astype(np.uint8).tobytes()
    parts = (values[:, None] >> _SHIFTS[:longest]) & _LOW
    places = _PLACES[:longest]
    parts[places < sizes[:, None] - 1] |= _MORE
    packed: bytes = parts[places < sizes[:, None]].astype(np.uint8).tobytes()
    return packed


def decode(packed: bytes | memoryview) -> Unsigned:
    """Unpack a whole buffer.

    Raises:
        ValueError: the buffer ends inside a value, or a value is longer than 64 bits.
    """
    data = np.frombuffer(packed, dtype=np.uint8)
    ends = np.flatnonzero(data < 0x80)
    if len(ends) == len(data):
        return data.astype(np.uint64)
    if not len(ends) or ends[-1] != len(data) - 1:
        raise ValueError("a value is cut off")
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    sizes = ends - starts + 1
    if int(sizes.max()) > _LONGEST:
        raise ValueError("a value is longer than 64 bits")
    places = np.arange(len(data)) - np.repeat(starts, sizes)
    parts = (data & 0x7F).astype(np.uint64) << _SHIFTS[places]
    values: Unsigned = np.add.reduceat(parts, starts)
    return values
