"""Bars of one item, packed: what a bar shares with the one before it costs next to nothing.

Inside the envelope: variable-length integers, namely interval, count, then one column after the other. Equal bars give
equal bytes.
"""

from __future__ import annotations

import numpy as np

from quant.domain.bar import Bars, Sums, narrow, wide
from quant.domain.interval import DAY
from quant.domain.trade import Ints
from quant.errors import ChunkError
from quant.storage import varint
from quant.storage.envelope import Envelope, compress, decompress, seal, unseal

_LIMB = 62
_SUMS = ("volume", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume")


def pack(bars: Bars) -> bytes:
    """Pack bars of one market; they ascend by time and are not empty."""
    limbs = _limbs(bars)
    columns = [varint.zigzag(column) for column in (*_plain_columns(bars), *_sum_columns(bars, limbs))]
    head = np.array([bars.interval, len(bars)], dtype=np.uint64)
    envelope = Envelope(limbs, bars.price_decimals, bars.quantity_decimals)
    return seal(envelope, compress(varint.encode(np.concatenate([head, *columns]))))


def unpack(payload: bytes, key: str) -> Bars:
    """The bars of a payload; ``key`` names it in errors.

    Raises:
        ChunkError: damaged or of an unknown version.
    """
    try:
        return _unpack(payload)
    except (ValueError, IndexError, OverflowError) as exc:
        raise ChunkError(key, str(exc) or type(exc).__name__) from exc


def _plain_columns(bars: Bars) -> tuple[Ints, ...]:
    top, bottom = np.maximum(bars.open, bars.close), np.minimum(bars.open, bars.close)
    return (
        np.diff(bars.time // bars.interval, prepend=0),
        bars.open - _before(bars.close),
        bars.close - bars.open,
        bars.high - top,
        bottom - bars.low,
        bars.trades,
        bars.first_id - _before(bars.last_id),
        bars.last_id - bars.first_id - bars.trades,
        bars.complete.astype(np.int64),
        bars.source.astype(np.int64),
    )


def _limbs(bars: Bars) -> int:
    """How many pieces of 62 bits the sums are split into; 0 where all are int64 already."""
    sums = [getattr(bars, name) for name in _SUMS]
    if all(column.dtype != object for column in sums):
        return 0
    return max(-(-max(int(column.max()) for column in sums).bit_length() // _LIMB), 1)


def _sum_columns(bars: Bars, limbs: int) -> tuple[Ints, ...]:
    sums = [getattr(bars, name) for name in _SUMS]
    if not limbs:
        return tuple(sums)
    mask = (1 << _LIMB) - 1
    return tuple((wide(column) >> _LIMB * at & mask).astype(np.int64) for column in sums for at in range(limbs))


def _unpack(payload: bytes) -> Bars:
    envelope, body = unseal(payload)
    numbers = varint.decode(decompress(body))
    interval, count = int(numbers[0]), int(numbers[1])
    limbs = envelope.flags
    if not 0 < interval <= DAY or len(numbers) != 2 + count * (10 + len(_SUMS) * max(limbs, 1)):
        raise ValueError("its columns are not of equal length")
    columns = varint.unzigzag(numbers[2:]).reshape(-1, count)
    time, opened, body_size, above, below, trades, first_id, span, complete, source = columns[:10]
    close = np.cumsum(opened + body_size)
    opening = close - body_size
    last_id = np.cumsum(first_id + span + trades)
    sums = _sums(columns[10:], limbs)
    return Bars(
        interval=interval,
        price_decimals=envelope.price_decimals,
        quantity_decimals=envelope.quantity_decimals,
        time=np.cumsum(time) * interval,
        open=opening,
        high=np.maximum(opening, close) + above,
        low=np.minimum(opening, close) - below,
        close=close,
        volume=sums[0],
        quote_volume=sums[1],
        taker_buy_volume=sums[2],
        taker_buy_quote_volume=sums[3],
        trades=trades,
        first_id=last_id - span - trades,
        last_id=last_id,
        complete=complete.astype(np.int8),
        source=source.astype(np.int8),
    )


def _sums(columns: Ints, limbs: int) -> list[Sums]:
    if not limbs:
        return list(columns)
    pieces = [columns[at : at + limbs] for at in range(0, len(columns), limbs)]
    weights = np.array([1 << _LIMB * at for at in range(limbs)], dtype=object)
    return [narrow(weights @ wide(piece)) for piece in pieces]


def _before(values: Ints) -> Ints:
    shifted = np.zeros_like(values)
    shifted[1:] = values[:-1]
    return shifted
