"""Variable-length integers, a whole column at a time: seven bits a byte, low bits first, the high bit says more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quant.domain.trade import Ints

Unsigned = NDArray[np.uint64]

_LONGEST = 10
_LEAST = np.array([[0], *([1 << 7 * k] for k in range(1, _LONGEST))], dtype=np.uint64)
_SHIFTS = np.arange(_LONGEST, dtype=np.uint64)[:, None] * np.uint64(7)
_SEVEN = np.uint64(7)


def zigzag(values: Ints) -> Unsigned:
    """Fold signed values so that small ones of either sign are small: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return ((values << 1) ^ (values >> 63)).view(np.uint64)


def unzigzag(values: Unsigned) -> Ints:
    return (values >> np.uint64(1)).view(np.int64) ^ -(values & np.uint64(1)).view(np.int64)


def encode(values: Unsigned) -> bytes:
    """Pack a column."""
    if not len(values):
        return b""
    longest = -(-int(values.max()).bit_length() // 7)
    if longest <= 1:
        return values.astype(np.uint8).tobytes()
    used = values >= _LEAST[:longest]
    parts = (values >> _SHIFTS[:longest]).astype(np.uint8)
    parts[:-1] = parts[:-1] & 0x7F | used[1:].view(np.uint8) << 7
    packed: bytes = parts.T[used.T].tobytes()
    return packed


def encode_one(value: int) -> bytes:
    """Pack a single value, which numpy would take longer for."""
    packed = bytearray()
    while value > 0x7F:
        packed.append(value & 0x7F | 0x80)
        value >>= 7
    packed.append(value)
    return bytes(packed)


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
    values = data[ends].astype(np.uint64)
    # Backwards from each end as long as there is more. Before the first byte lies the last one, which says that there
    # is not.
    at = np.flatnonzero(data[ends - 1] >= 0x80)
    back = 1
    while len(at):
        if back == _LONGEST:
            raise ValueError("a value is longer than 64 bits")
        values[at] = values[at] << _SEVEN | data[ends[at] - back] & 0x7F
        back += 1
        at = at[data[ends[at] - back] >= 0x80]
    return values
