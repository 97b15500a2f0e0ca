"""Stored trades: chunks under the hour of their first trade, and the marks beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from quant.domain.chunk import MAX_CHUNK_TRADES, Chunk
from quant.domain.interval import HOUR, MINUTE, SECOND, hours_between
from quant.domain.market import Market
from quant.domain.ports import Clock, DamagedChunk, DirtyMark
from quant.domain.trade import Trades, merge
from quant.errors import ChunkError
from quant.storage import codec
from quant.storage.table import HIGHEST, Item, Table

_DIGITS = 19
_DIRTY, _DAMAGED = "dirty", "damaged"
_DAMAGE_NOTED = 100
# Reading a few minutes of chunks that are not needed costs less than looking for where to begin.
_WORTH_SEEKING = 5 * MINUTE
_CLOSE_ENOUGH = 3 * MINUTE
_GUESSES = 8
# Trades that are unpacked at once.
_AT_ONCE = 16_384


class TickTable:
    """quant.domain.ports.TickRepository on a table."""

    def __init__(self, table: Table, clock: Clock, ttl_seconds: int) -> None:
        self._table, self._clock, self._ttl_seconds = table, clock, ttl_seconds
        self._damage: dict[str, tuple[Chunk, ChunkError]] = {}

    def write(self, chunks: Sequence[Chunk]) -> None:
        self._table.put_all([self._to_item(chunk) for chunk in chunks])

    def read(
        self,
        market: Market,
        start: int,
        end: int,
        *,
        first_id: int = 0,
        last_id: int | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        aligned: bool = False,
    ) -> Trades:
        gathered = _Gathered(self._unpacked)
        wanted = _Wanted(start, end, first_id, last_id, limit, newest_first)
        lowest = first_id if aligned else first_id - MAX_CHUNK_TRADES + 1
        page = None if limit is None else max(8, limit // 8)
        for chunk in self._chunks(market, start, end, lowest, last_id, newest_first, page):
            if wanted.is_satisfied_before(chunk, gathered) or _is_beyond(chunk, start, end, newest_first):
                break
            if chunk.last_time >= start and chunk.first_time < end:
                gathered.add(chunk)
        return wanted.cut(gathered.trades())

    def last_id(self, market: Market, start: int, end: int) -> int | None:
        for chunk in self._chunks(market, start, end, 0, None, newest_first=True, page=1):
            return chunk.last_id
        return None

    def mark_dirty(self, mark: DirtyMark) -> None:
        ttl = self._clock() // SECOND + self._ttl_seconds
        self._table.put(Item(_DIRTY, _mark_key(mark), count=mark.count, first_time=mark.hour, ttl=ttl))

    def dirty_marks(self) -> tuple[DirtyMark, ...]:
        return tuple(_to_mark(item) for item in self._table.query(_DIRTY) if self._is_alive(item))

    def clear_mark(self, mark: DirtyMark) -> None:
        self._table.delete(_DIRTY, _mark_key(mark))

    def note_damage(self) -> int:
        found, self._damage = list(self._damage.values())[:_DAMAGE_NOTED], {}
        ttl = self._clock() // SECOND + self._ttl_seconds
        items = [
            Item(_DAMAGED, f"{chunk.market.key}#{_sk(chunk)}", error.reason.encode(), first_time=chunk.hour, ttl=ttl)
            for chunk, error in found
        ]
        self._table.put_all(items)
        return len(items)

    def damaged(self) -> tuple[DamagedChunk, ...]:
        return tuple(_to_damaged(item) for item in self._table.query(_DAMAGED) if self._is_alive(item))

    def discard(self, damaged: DamagedChunk) -> None:
        sk = f"{_pad(damaged.first_id)}#{_pad(damaged.last_id)}#{damaged.digest}"
        partition = _partition(damaged.market, damaged.hour)
        stored = self._table.get(partition, sk)
        # Equal trades have an equal key: what was stored anew may have taken the damaged chunk's place.
        if stored is not None and not _is_sound(_to_chunk(damaged.market, stored)):
            self._table.delete(partition, sk)
        self._table.delete(_DAMAGED, f"{damaged.market.key}#{sk}")

    def _chunks(
        self,
        market: Market,
        start: int,
        end: int,
        first_id: int,
        last_id: int | None,
        newest_first: bool,
        page: int | None,
    ) -> Iterator[Chunk]:
        # What is older than the TTL is gone, whether DynamoDB has come round to deleting it or not.
        start = max(start, self._clock() - self._ttl_seconds * SECOND)
        hours = hours_between(start, end)
        low, high = _pad(first_id), HIGHEST if last_id is None else _pad(last_id) + HIGHEST
        for hour in reversed(hours) if newest_first else hours:
            partition = _partition(market, hour)
            if start - hour > _WORTH_SEEKING and low == _pad(0):
                low = self._seek(partition, start)
            items = self._table.query(partition, low, high, newest_first=newest_first, page=page)
            yield from (_to_chunk(market, item) for item in items if self._is_alive(item))

    def _seek(self, partition: str, time: int) -> str:
        """A sort key at or before the first chunk that may hold a trade of ``time`` or later, a few minutes early.

        Ids rise with time, so the key is guessed by interpolation between two known chunks; a guess reads one item.
        A chunk spans no more than its minute, and one more minute is left for trades stamped out of order.
        """
        early = time - 2 * MINUTE
        low = next(self._table.query(partition, limit=1), None)
        high = next(self._table.query(partition, newest_first=True, limit=1), None)
        if low is None or high is None or low.first_time >= early:
            return _pad(0)
        for _ in range(_GUESSES):
            if early - low.first_time <= _CLOSE_ENOUGH or high.first_time <= early:
                break
            share = (early - _CLOSE_ENOUGH // 2 - low.first_time) / (high.first_time - low.first_time)
            guess = _first_id(low) + int((_first_id(high) - _first_id(low)) * share)
            found = next(self._table.query(partition, _pad(guess), limit=1), high)
            if found.sk in (low.sk, high.sk):
                break
            low, high = (found, high) if found.first_time < early else (low, found)
        return _pad(_first_id(low))

    def _unpacked(self, chunks: Sequence[Chunk]) -> list[Trades]:
        parts = []
        for chunk, found in zip(chunks, codec.unpack_all(chunks), strict=True):
            if isinstance(found, ChunkError):
                # Skipped and counted: its ids are missing, so the bars made without it say that they are incomplete.
                self._damage[chunk.key] = (chunk, found)
            else:
                parts.append(found)
        return parts

    def _is_alive(self, item: Item) -> bool:
        return item.ttl is None or item.ttl * SECOND > self._clock()

    def _to_item(self, chunk: Chunk) -> Item:
        return Item(
            pk=_partition(chunk.market, chunk.hour),
            sk=_sk(chunk),
            payload=chunk.payload,
            count=chunk.count,
            first_time=chunk.first_time,
            last_time=chunk.last_time,
            ttl=chunk.last_time // SECOND + self._ttl_seconds,
        )


class _Gathered:
    """The chunks of a reading. Many are unpacked at once, which is quicker, but not so many that memory suffers."""

    def __init__(self, unpack: Callable[[Sequence[Chunk]], list[Trades]]) -> None:
        self._unpack = unpack
        self._parts: list[Trades] = []
        self._packed: list[Chunk] = []
        self._waiting = 0

    def __len__(self) -> int:
        return sum(map(len, self._parts)) + self._waiting

    def add(self, chunk: Chunk) -> None:
        self._packed.append(chunk)
        self._waiting += chunk.count
        if self._waiting >= _AT_ONCE:
            self._unpack_waiting()

    def trades(self) -> Trades:
        """All trades in the order of ids, each once."""
        self._unpack_waiting()
        self._parts = [merge(self._parts)]
        return self._parts[0]

    def keep(self, trades: Trades) -> None:
        """No other trades are needed of those that have come."""
        self._parts = [trades]

    def _unpack_waiting(self) -> None:
        self._parts += self._unpack(self._packed)
        self._packed, self._waiting = [], 0


class _Wanted:
    """Which of the trades read are asked for, and when enough have been read."""

    def __init__(
        self, start: int, end: int, first_id: int, last_id: int | None, limit: int | None, newest_first: bool
    ) -> None:
        self._start, self._end, self._first_id, self._last_id = start, end, first_id, last_id
        self._limit, self._newest_first = limit, newest_first

    def is_satisfied_before(self, chunk: Chunk, gathered: _Gathered) -> bool:
        """Whether no trade of this chunk or of a later one in the order of reading can be among the first ``limit``."""
        if self._limit is None or len(gathered) < self._limit:
            return False
        found = self.cut(gathered.trades())
        if len(found) < self._limit:
            return False
        gathered.keep(found)
        if not self._newest_first:
            return chunk.first_id > found.last_id
        # Going back, a chunk cut by another writer may still hold an id that is missing here, but not if none is.
        is_whole = bool(np.all(found.ids[1:] == found.last_ids[:-1] + 1))
        return chunk.last_id < found.first_id if is_whole else chunk.first_id < found.first_id - MAX_CHUNK_TRADES

    def cut(self, trades: Trades) -> Trades:
        inside = (trades.times >= self._start) & (trades.times < self._end) & (trades.ids >= self._first_id)
        if self._last_id is not None:
            inside &= trades.ids <= self._last_id
        if not bool(inside.all()):
            trades = trades.take(inside)
        if self._limit is None or len(trades) <= self._limit:
            return trades
        return trades.take(slice(-self._limit, None) if self._newest_first else slice(self._limit))


def _partition(market: Market, hour: int) -> str:
    return f"{market.key}#{datetime.fromtimestamp(hour / 1000, UTC):%Y-%m-%dT%H}"


def _sk(chunk: Chunk) -> str:
    return f"{_pad(chunk.first_id)}#{_pad(chunk.last_id)}#{chunk.digest}"


def _pad(trade_id: int) -> str:
    return str(max(trade_id, 0)).zfill(_DIGITS)


def _is_beyond(chunk: Chunk, start: int, end: int, newest_first: bool) -> bool:
    """Whether neither this chunk nor a later one in the order of reading can hold a trade of start…end.

    Two minutes are left for trades stamped out of order.
    """
    return chunk.last_time < start - 2 * MINUTE if newest_first else chunk.first_time >= end + 2 * MINUTE


def _is_sound(chunk: Chunk) -> bool:
    try:
        codec.unpack(chunk)
    except ChunkError:
        return False
    return True


def _first_id(item: Item) -> int:
    return int(item.sk.partition("#")[0])


def _to_chunk(market: Market, item: Item) -> Chunk:
    first_id, last_id, digest = item.sk.split("#")
    return Chunk(
        market, int(first_id), int(last_id), item.first_time, item.last_time, item.count, digest, item.payload
    )  # fmt: skip


def _mark_key(mark: DirtyMark) -> str:
    return f"{mark.market.key}#{mark.hour // HOUR:08d}#{_pad(mark.first_id)}#{_pad(mark.last_id)}"


def _to_mark(item: Item) -> DirtyMark:
    exchange, symbol, _, first_id, last_id = item.sk.split("#")
    return DirtyMark(Market(exchange, symbol), item.first_time, int(first_id), int(last_id), item.count)


def _to_damaged(item: Item) -> DamagedChunk:
    exchange, symbol, first_id, last_id, digest = item.sk.split("#")
    market = Market(exchange, symbol)
    return DamagedChunk(market, item.first_time, int(first_id), int(last_id), digest, item.payload.decode())
