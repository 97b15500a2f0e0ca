"""Chunks of trades, packed to about three bytes a trade.

Inside the envelope: header numbers as variable-length integers, then the compressed body. The body holds bit masks
(side, which times and prices differ from the trade before) and one run of variable-length integers: id steps where ids
are not contiguous, spans of aggregates, changed times, changed prices, quantities. Prices and quantities are divided by
their greatest common step first: real quantities are often whole lots. Flags say which steps are not one and so are in
the header. A price step is positive where it goes the taker's way, as nearly all do: a buyer lifts the price, a seller
presses it.

A chunk is so small that calling numpy costs more than its numbers. So the columns of all chunks of a flush, or of a
reading, are worked on as one; only what is bytes is done chunk by chunk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quant.domain.chunk import MAX_CHUNK_TRADES, Chunk
from quant.domain.interval import MINUTE
from quant.domain.market import Market
from quant.domain.trade import MAX_DECIMALS, Bools, Ints, Trades
from quant.errors import ChunkError, DataError
from quant.storage import varint
from quant.storage.envelope import Envelope, compress, decompress, seal, unseal
from quant.storage.segments import Segments

_GAPS, _AGGREGATES, _PRICE_STEP, _QUANTITY_STEP = 1, 2, 4, 8
# Bytes of a trade before compression: three bits and five numbers at the most.
_LONGEST_TRADE = 3 + 5 * 10
Batch = tuple[Market, Trades]


def pack(market: Market, trades: Trades) -> list[Chunk]:
    """Cut trades, ascending by id, into chunks: at each change of the minute, and before MAX_CHUNK_TRADES ids.

    Raises:
        DataError: ids do not ascend, or a price or quantity is not positive.
    """
    return pack_all([(market, trades)])


def pack_all(batches: Iterable[Batch]) -> list[Chunk]:
    """The same for several markets at once.

    Raises:
        DataError: as ``pack`` does, with the market's name; nothing is packed then.
    """
    batches = [batch for batch in batches if len(batch[1])]
    if not batches:
        return []
    begins = np.array([0, *accumulate(len(trades) for _, trades in batches)])
    columns = [np.concatenate(column) for column in zip(*(trades.columns() for _, trades in batches), strict=True)]
    run = _Columns(*columns)
    _check(run, batches, begins)
    cut = Segments.of_lengths(np.diff(list(_edges(run, begins))))
    owners = np.searchsorted(begins, cut.starts, side="right") - 1
    return _encode(run, cut, [batches[owner] for owner in owners.tolist()])


def unpack(chunk: Chunk) -> Trades:
    """The trades of a chunk.

    Raises:
        ChunkError: damaged, of an unknown version, or not the chunk that its key names.
    """
    (found,) = unpack_all([chunk])
    if isinstance(found, ChunkError):
        raise found
    return found


def unpack_all(chunks: Sequence[Chunk]) -> list[Trades | ChunkError]:
    """The trades of each chunk, or why it cannot be read."""
    try:
        return [*_decode(chunks)] if chunks else []
    except (ValueError, IndexError, OverflowError) as exc:
        if len(chunks) > 1:
            return [found for chunk in chunks for found in unpack_all([chunk])]
        return [ChunkError(chunks[0].key, str(exc) or type(exc).__name__)]


class _Columns(NamedTuple):
    """Trades of one or more markets, one after the other."""

    ids: Ints
    last_ids: Ints
    times: Ints
    prices: Ints
    quantities: Ints
    buyer_is_maker: Bools


def _check(run: _Columns, batches: Sequence[Batch], begins: Ints) -> None:
    def demand(legal: Bools, problem: str) -> None:
        if not legal.all():
            market, _ = batches[int(np.searchsorted(begins, legal.argmin(), side="right")) - 1]
            raise DataError(f"trades of {market} {problem}")

    ascends = (run.ids >= 0) & (run.last_ids >= run.ids)
    follows = run.ids[1:] > run.last_ids[:-1]
    follows[begins[1:-1] - 1] = True
    ascends[1:] &= follows
    demand(ascends, "do not ascend by id")
    demand((run.prices > 0) & (run.quantities > 0), "hold a price or quantity that is not positive")
    demand(run.times >= 0, "hold a time out of range")
    for market, trades in batches:
        if max(trades.price_decimals, trades.quantity_decimals) > MAX_DECIMALS:
            raise DataError(f"trades of {market} hold decimals out of range")


def _edges(run: _Columns, begins: Ints) -> Iterator[int]:
    """Where chunks begin, and where the last one ends."""
    minutes = run.times // MINUTE
    turns = minutes[1:] != minutes[:-1]
    turns[begins[1:-1] - 1] = True
    yield 0
    for low, high in pairwise([0, *(np.flatnonzero(turns) + 1).tolist(), len(minutes)]):
        ids = run.ids[low:high]
        while int(ids[-1]) - int(ids[0]) >= MAX_CHUNK_TRADES:
            ids = ids[np.searchsorted(ids, int(ids[0]) + MAX_CHUNK_TRADES) :]
            yield high - len(ids)
        yield high


def _encode(run: _Columns, cut: Segments, owners: Sequence[Batch]) -> list[Chunk]:
    payloads = list(_payloads(run, cut, owners))
    columns: tuple[Iterable[Any], ...] = (
        [market for market, _ in owners],
        run.ids[cut.starts].tolist(),
        run.last_ids[cut.ends - 1].tolist(),
        np.minimum.reduceat(run.times, cut.starts).tolist(),
        np.maximum.reduceat(run.times, cut.starts).tolist(),
        cut.counts.tolist(),
        [hashlib.blake2b(payload, digest_size=8).hexdigest() for payload in payloads],
        payloads,
    )
    return list(map(Chunk, *columns))


def _payloads(run: _Columns, cut: Segments, owners: Sequence[Batch]) -> Iterator[bytes]:
    price_steps, quantity_steps = (np.gcd.reduceat(column, cut.starts) for column in (run.prices, run.quantities))
    prices = run.prices // cut.spread(price_steps)
    ids, spans, times = cut.steps(run.ids), run.last_ids - run.ids, cut.steps(run.times)
    takers_way = _takers_way(cut.steps(prices), run.buyer_is_maker)
    gaps, aggregates = cut.sums(ids > 1) > 0, cut.sums(spans > 0) > 0
    new_time, new_price = times != 0, takers_way != 0
    numbers = _by_chunk(
        cut,
        (varint.zigzag(ids), cut.spread(gaps) & ~cut.is_first),
        (spans, cut.spread(aggregates)),
        (varint.zigzag(times), new_time),
        (varint.zigzag(takers_way), new_price),
        (run.quantities // cut.spread(quantity_steps), np.ones_like(new_time)),
    )
    heads = _heads(run, cut, prices, price_steps, quantity_steps)
    flags = gaps * _GAPS | aggregates * _AGGREGATES
    flags |= (price_steps > 1) * _PRICE_STEP | (quantity_steps > 1) * _QUANTITY_STEP
    for rows, flag, head, body, (_, trades) in zip(cut.slices(), flags.tolist(), heads, numbers, owners, strict=True):
        later = slice(rows.start + 1, rows.stop)
        masks = (run.buyer_is_maker[rows], new_time[later], new_price[later])
        packed = compress(b"".join((*(np.packbits(mask).tobytes() for mask in masks), *body)))
        yield seal(Envelope(flag, trades.price_decimals, trades.quantity_decimals), head + packed)


def _by_chunk(cut: Segments, *columns: tuple[NDArray[Any], Bools]) -> list[list[bytes]]:
    """The flagged numbers of each column, packed; for each chunk one piece of each column."""
    numbers = np.concatenate([values.view(np.uint64)[flagged] for values, flagged in columns])
    pieces = varint.encode_pieces(numbers, np.concatenate([cut.sums(flagged) for _, flagged in columns]))
    return [pieces[at :: len(cut.starts)] for at in range(len(cut.starts))]


def _heads(run: _Columns, cut: Segments, prices: Ints, price_steps: Ints, quantity_steps: Ints) -> list[bytes]:
    first = cut.starts
    values = np.stack((cut.counts, run.ids[first], run.times[first], prices[first], price_steps, quantity_steps), 1)
    there = np.ones_like(values, dtype=np.bool_)
    there[:, 4:] = values[:, 4:] > 1
    return varint.encode_pieces(values.view(np.uint64)[there], there.sum(axis=1))


class _Opened(NamedTuple):
    """A payload as far as it is read without numpy."""

    envelope: Envelope
    head: list[int]
    body: memoryview


def _open(payload: bytes) -> _Opened:
    envelope, rest = unseal(payload)
    has_price_step, has_quantity_step = envelope.flags & _PRICE_STEP > 0, envelope.flags & _QUANTITY_STEP > 0
    head, at = varint.decode_some(rest, 4 + has_price_step + has_quantity_step)
    if not has_price_step:
        head.insert(4, 1)
    if not has_quantity_step:
        head.append(1)
    if not 0 < head[0] <= MAX_CHUNK_TRADES:
        raise ValueError(f"a count of {head[0]} is out of range")
    return _Opened(envelope, head, memoryview(decompress(rest[at:], _LONGEST_TRADE * head[0])))


def _decode(chunks: Sequence[Chunk]) -> list[Trades]:
    opened = [_open(chunk.payload) for chunk in chunks]
    heads = np.array([one.head for one in opened], dtype=np.int64).T
    counts, first_ids, first_times, first_prices, price_steps, quantity_steps = heads
    cut, flags = Segments.of_lengths(counts), np.array([one.envelope.flags for one in opened])
    (side, new_time, new_price), packed = _masks(opened, cut)
    has_gap, has_span = cut.spread(flags & _GAPS > 0) & ~cut.is_first, cut.spread(flags & _AGGREGATES > 0)
    flagged = has_gap, has_span, new_time, new_price, np.ones_like(side)
    gaps, spans, times, prices, quantities = _numbers(packed, [cut.sums(flags) for flags in flagged])
    ids = cut.running(first_ids, _placed(has_gap, varint.unzigzag(gaps), 1))
    takers_way = _placed(new_price, varint.unzigzag(prices))
    run = _Columns(
        ids=ids,
        last_ids=ids + _placed(has_span, spans.view(np.int64)),
        times=cut.running(first_times, _placed(new_time, varint.unzigzag(times))),
        prices=cut.running(first_prices, _takers_way(takers_way, side)) * cut.spread(price_steps),
        quantities=quantities.view(np.int64) * cut.spread(quantity_steps),
        buyer_is_maker=side,
    )
    return [_trades(run, rows, one, chunk) for rows, one, chunk in zip(cut.slices(), opened, chunks, strict=True)]


def _masks(opened: Sequence[_Opened], cut: Segments) -> tuple[NDArray[np.bool_], list[memoryview]]:
    """Side, new time and new price of all trades, and what lies behind them in each body."""
    masks, packed = np.zeros((3, cut.total), dtype=np.bool_), []
    for one, rows in zip(opened, cut.slices(), strict=True):
        count = one.head[0]
        sides, changes = 8 * -(-count // 8), 8 * -(-(count - 1) // 8)
        end = (sides + 2 * changes) // 8
        bits = np.unpackbits(np.frombuffer(one.body, np.uint8, end)).view(np.bool_)
        masks[0, rows] = bits[:count]
        masks[1:, rows.start + 1 : rows.stop] = bits[sides:].reshape(2, changes)[:, : count - 1]
        packed.append(one.body[end:])
    return masks, packed


def _numbers(packed: Sequence[memoryview], counts: Sequence[Ints]) -> list[varint.Unsigned]:
    """The numbers of each kind, of all chunks; in each chunk they lie kind by kind."""
    lengths = np.stack(counts, axis=1)
    numbers = varint.decode_pieces(packed, lengths.sum(axis=1))
    kinds = np.repeat(np.tile(np.arange(len(counts), dtype=np.int8), len(packed)), lengths.ravel())
    return [numbers[kinds == kind] for kind in range(len(counts))]


def _placed(flagged: Bools, numbers: Ints, otherwise: int = 0) -> Ints:
    column = np.full(len(flagged), otherwise, dtype=np.int64)
    column[flagged] = numbers
    return column


def _takers_way(price_steps: Ints, buyer_is_maker: Bools) -> Ints:
    """Steps with their sign turned where the taker sold; its own reverse."""
    return np.where(buyer_is_maker, -price_steps, price_steps)


def _trades(run: _Columns, rows: slice, opened: _Opened, chunk: Chunk) -> Trades:
    flags, price_decimals, quantity_decimals = opened.envelope
    ids = run.ids[rows]
    trades = Trades(
        ids=ids,
        last_ids=run.last_ids[rows] if flags & _AGGREGATES else ids,
        times=run.times[rows],
        prices=run.prices[rows],
        quantities=run.quantities[rows],
        buyer_is_maker=run.buyer_is_maker[rows],
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
    )
    if (trades.first_id, trades.last_id, len(trades)) != (chunk.first_id, chunk.last_id, chunk.count):
        raise ValueError("its ids are not those that its key names")
    return trades
