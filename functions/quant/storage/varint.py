"""Variable-length integers, a whole column at a time: seven bits a byte, low bits first, the high bit says more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    return encode_pieces(values, [len(values)])[0]


def encode_pieces(values: Unsigned, counts: ArrayLike) -> list[bytes]:
    """Pack a column and cut what comes out where so and so many values end each piece."""
    ends = np.concatenate([[0], np.cumsum(counts)])
    longest = -(-int(values.max(initial=0)).bit_length() // 7)
    if longest <= 1:
        packed = values.astype(np.uint8).tobytes()
    else:
        used = values >= _LEAST[:longest]
        parts = (values >> _SHIFTS[:longest]).astype(np.uint8)
        parts[:-1] = parts[:-1] & 0x7F | used[1:].view(np.uint8) << 7
        packed = parts.T[used.T].tobytes()
        ends = np.concatenate([[0], np.cumsum(used.sum(axis=0))])[ends]
    return [packed[low:high] for low, high in pairwise(ends.tolist())]


def decode_some(packed: bytes, count: int) -> tuple[list[int], int]:
    """The first ``count`` values, for which calling numpy takes longer, and where they end.

    Raises:
        IndexError: the buffer ends before them.
    """
    values: list[int] = []
    value = shift = at = 0
    while len(values) < count:
        byte = packed[at]
        value |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            values.append(value)
            value = shift = 0
    return values, at


def decode_pieces(pieces: Sequence[bytes | memoryview], counts: Ints) -> Unsigned:
    """Unpack all pieces; each holds so and so many values.

    Raises:
        ValueError: as ``decode`` does, or a piece holds more or fewer.
    """
    sizes = np.array([len(piece) for piece in pieces])
    packed = b"".join(pieces)
    is_end = np.frombuffer(packed, dtype=np.int8) >= 0
    ends = np.cumsum(sizes)
    if not sizes.all() or not is_end[ends - 1].all():
        raise ValueError("a value is cut off")
    if np.any(np.add.reduceat(is_end, ends - sizes, dtype=np.int64) != counts):
        raise ValueError("it holds too many or too few numbers")
    return decode(packed)


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
