"""Chunks of trades, packed to about three bytes a trade.

Inside the envelope: header numbers as variable-length integers, then the compressed body. The body holds bit masks
(side, which times and prices differ from the trade before) and one run of variable-length integers: id steps where ids
are not contiguous, spans of aggregates, changed times, changed prices, quantities. Prices and quantities are divided by
their greatest common step first: real quantities are often whole lots. Flags say which steps are not one and so are in
the header. A price step is positive where it goes the taker's way, as nearly all do: a buyer lifts the price, a seller
presses it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from quant.domain.chunk import MAX_CHUNK_TRADES, Chunk
from quant.domain.interval import MINUTE
from quant.domain.market import Market
from quant.domain.trade import MAX_DECIMALS, Bools, Ints, Trades
from quant.errors import ChunkError, DataError
from quant.storage import varint
from quant.storage.envelope import Envelope, compress, decompress, seal, unseal

_GAPS, _AGGREGATES, _PRICE_STEP, _QUANTITY_STEP = 1, 2, 4, 8
# Bytes of a trade before compression: three bits and five numbers at the most.
_LONGEST_TRADE = 3 + 5 * 10


def pack(market: Market, trades: Trades) -> list[Chunk]:
    """Cut trades, ascending by id, into chunks: at each change of the minute, and before MAX_CHUNK_TRADES ids.

    Raises:
        DataError: ids do not ascend, or a price or quantity is not positive.
    """
    if not len(trades):
        return []
    ids, last_ids = trades.ids, trades.last_ids
    if int(ids[0]) < 0 or np.any(last_ids < ids) or np.any(ids[1:] <= last_ids[:-1]):
        raise DataError(f"trades of {market} do not ascend by id")
    if min(int(trades.prices.min()), int(trades.quantities.min())) <= 0:
        raise DataError(f"trades of {market} hold a price or quantity that is not positive")
    if int(trades.times.min()) < 0 or max(trades.price_decimals, trades.quantity_decimals) > MAX_DECIMALS:
        raise DataError(f"trades of {market} hold a time or decimals out of range")
    return [_encode(market, trades.take(part)) for part in _cuts(trades)]


def unpack(chunk: Chunk) -> Trades:
    """The trades of a chunk.

    Raises:
        ChunkError: damaged, of an unknown version, or not the chunk that its key names.
    """
    try:
        trades = _decode(chunk.payload)
    except (ValueError, IndexError, OverflowError) as exc:
        raise ChunkError(chunk.key, str(exc) or type(exc).__name__) from exc
    if (trades.first_id, trades.last_id, len(trades)) != (chunk.first_id, chunk.last_id, chunk.count):
        raise ChunkError(chunk.key, "its ids are not those that its key names")
    return trades


def _cuts(trades: Trades) -> Iterator[slice]:
    ids, minutes = trades.ids, trades.times // MINUTE
    edges = [0, *(np.flatnonzero(minutes[1:] != minutes[:-1]) + 1).tolist(), len(trades)]
    for low, high in pairwise(edges):
        start = low
        while int(ids[high - 1]) - int(ids[start]) >= MAX_CHUNK_TRADES:
            cut = start + int(np.searchsorted(ids[start:high], int(ids[start]) + MAX_CHUNK_TRADES))
            yield slice(start, cut)
            start = cut
        yield slice(start, high)


def _encode(market: Market, trades: Trades) -> Chunk:
    payload = _payload(trades)
    return Chunk(
        market=market,
        first_id=trades.first_id,
        last_id=trades.last_id,
        first_time=int(trades.times.min()),
        last_time=int(trades.times.max()),
        count=len(trades),
        digest=hashlib.blake2b(payload, digest_size=8).hexdigest(),
        payload=payload,
    )


def _payload(trades: Trades) -> bytes:
    ids, count = trades.ids, len(trades)
    gaps = int(ids[-1]) - int(ids[0]) != count - 1
    aggregates = trades.has_aggregates
    price_step, quantity_step = int(np.gcd.reduce(trades.prices)), int(np.gcd.reduce(trades.quantities))
    prices = trades.prices // price_step
    time_steps, price_steps = np.diff(trades.times), _takers_way(np.diff(prices), trades.buyer_is_maker)
    new_time, new_price = time_steps != 0, price_steps != 0
    numbers = [
        varint.zigzag(np.diff(ids)) if gaps else ids[:0].view(np.uint64),
        (trades.last_ids - ids).view(np.uint64) if aggregates else ids[:0].view(np.uint64),
        varint.zigzag(time_steps[new_time]),
        varint.zigzag(price_steps[new_price]),
        (trades.quantities // quantity_step).view(np.uint64),
    ]
    masks = b"".join(np.packbits(mask).tobytes() for mask in (trades.buyer_is_maker, new_time, new_price))
    steps = [step for step in (price_step, quantity_step) if step > 1]
    header = (count, int(ids[0]), int(trades.times[0]), int(prices[0]), *steps)
    body = compress(masks + varint.encode(np.concatenate(numbers)))
    rest = b"".join(map(varint.encode_one, header)) + body
    flags = gaps * _GAPS | aggregates * _AGGREGATES
    flags |= (price_step > 1) * _PRICE_STEP | (quantity_step > 1) * _QUANTITY_STEP
    return seal(Envelope(flags, trades.price_decimals, trades.quantity_decimals), rest)


def _decode(payload: bytes) -> Trades:
    (flags, price_decimals, quantity_decimals), rest = unseal(payload)
    has_steps = bool(flags & _PRICE_STEP), bool(flags & _QUANTITY_STEP)
    (count, first_id, first_time, price, *steps), at = _header(rest, 4 + sum(has_steps))
    price_step, quantity_step = (steps.pop(0) if there else 1 for there in has_steps)
    if not 0 < count <= MAX_CHUNK_TRADES:
        raise ValueError(f"a count of {count} is out of range")
    body = memoryview(decompress(rest[at:], _LONGEST_TRADE * count))
    side, at = _mask(body, 0, count)
    new_time, at = _mask(body, at, count - 1)
    new_price, at = _mask(body, at, count - 1)
    numbers = _Numbers(varint.decode(body[at:]))
    id_steps = varint.unzigzag(numbers.take(count - 1)) if flags & _GAPS else np.ones(count - 1, dtype=np.int64)
    ids = _running(first_id, id_steps)
    spans = numbers.take(count).view(np.int64) if flags & _AGGREGATES else None
    times = _running(first_time, _spread(new_time, varint.unzigzag(numbers.take(int(new_time.sum())))))
    price_steps = _spread(new_price, varint.unzigzag(numbers.take(int(new_price.sum()))))
    prices = _running(price, _takers_way(price_steps, side))
    quantities = numbers.take(count).view(np.int64)
    numbers.end()
    return Trades(
        ids=ids,
        last_ids=ids if spans is None else ids + spans,
        times=times,
        prices=prices * price_step,
        quantities=quantities * quantity_step,
        buyer_is_maker=side,
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
    )


def _header(rest: bytes, count: int) -> tuple[list[int], int]:
    values: list[int] = []
    value = shift = at = 0
    while len(values) < count:
        byte = rest[at]
        value |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            values.append(value)
            value = shift = 0
    return values, at


def _mask(body: memoryview, at: int, count: int) -> tuple[Bools, int]:
    size = -(-count // 8)
    bits = np.unpackbits(np.frombuffer(body[at : at + size], dtype=np.uint8), count=count)
    return bits.view(np.bool_), at + size


def _takers_way(price_steps: Ints, buyer_is_maker: Bools) -> Ints:
    """Steps with their sign turned where the taker sold; its own reverse."""
    return np.where(buyer_is_maker[1:], -price_steps, price_steps)


def _spread(changed: Bools, steps: Ints) -> Ints:
    spread = np.zeros(len(changed), dtype=np.int64)
    spread[changed] = steps
    return spread


def _running(first: int, steps: Ints) -> Ints:
    values = np.empty(len(steps) + 1, dtype=np.int64)
    values[0] = first
    values[1:] = steps
    return np.cumsum(values)


class _Numbers:
    """A run of numbers taken piece by piece."""

    def __init__(self, values: varint.Unsigned) -> None:
        self._values, self._at = values, 0

    def take(self, count: int) -> varint.Unsigned:
        piece = self._values[self._at : self._at + count]
        if len(piece) != count:
            raise ValueError("it holds too few numbers")
        self._at += count
        return piece

    def end(self) -> None:
        if self._at != len(self._values):
            raise ValueError("it holds too many numbers")
