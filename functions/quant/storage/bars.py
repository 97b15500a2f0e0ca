"""Stored bars, packed: 1s bars of a minute, 1m bars of an hour, 5m bars of a day in one item; and how far they go."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from quant.domain.bar import Bars, concatenate, disagreements, merge
from quant.domain.interval import DAY, HOUR, MINUTE, S1, SECOND, STORED, Interval, floor
from quant.domain.market import Market
from quant.domain.ports import Clock, Watermark
from quant.errors import ConflictError
from quant.storage import bar_codec
from quant.storage.table import ABSENT, Item, Table

SPANS = {"1s": MINUTE, "1m": HOUR, "5m": DAY}
"""How much time one item holds, by the name of the interval."""
_WATERMARK, _INCOMPLETE, _DIFFERENCE = "watermark", "incomplete", "difference"
_ATTEMPTS = 50
_INCOMPLETE_FOR = 6 * HOUR
_DIFFERENCES_FOR = 7 * DAY


class BarTable:
    """quant.domain.ports.BarRepository on a table."""

    def __init__(self, table: Table, clock: Clock, bar_1s_ttl_seconds: int) -> None:
        self._table, self._clock, self._bar_1s_ttl_seconds = table, clock, bar_1s_ttl_seconds

    def read(self, market: Market, interval: Interval, start: int, end: int) -> Bars:
        if end <= start:
            return Bars.empty(interval.ms)
        span = SPANS[interval.name]
        items = self._table.query(_partition(market, interval), _sk(floor(start, span)), _sk(end - 1))
        parts = [_unpack(item) for item in items]
        return concatenate(parts).between(start, end) if parts else Bars.empty(interval.ms)

    def merge(self, market: Market, bars: Bars) -> int:
        interval = next(stored for stored in STORED if stored.ms == bars.interval)
        return sum(self._merge_item(market, interval, start, part) for start, part in _by_item(bars, interval))

    def earliest(self, market: Market, interval: Interval, start: int) -> int | None:
        low = _sk(floor(start, SPANS[interval.name]))
        items = self._table.query(_partition(market, interval), low, limit=2)
        return min((time for item in items for time in _unpack(item).time.tolist() if time >= start), default=None)

    def latest(self, market: Market, interval: Interval, end: int) -> int | None:
        items = self._table.query(_partition(market, interval), "", _sk(end - 1), newest_first=True, limit=2)
        return max((time for item in items for time in _unpack(item).time.tolist() if time < end), default=None)

    def watermarks(self) -> dict[Market, Watermark]:
        return {mark.market: mark for mark in map(_to_watermark, self._table.query(_WATERMARK))}

    def watermark(self, market: Market) -> Watermark | None:
        item = self._table.get(_WATERMARK, market.key)
        return None if item is None else _to_watermark(item)

    def advance(self, watermark: Watermark) -> bool:
        stored = self._table.get(_WATERMARK, watermark.market.key)
        if stored is not None and _to_watermark(stored).time >= watermark.time:
            return False
        payload = msgspec.json.encode(watermark)
        item = Item(_WATERMARK, watermark.market.key, payload, etag=str(watermark.time), last_time=watermark.time)
        try:
            self._table.put(item, expected=stored.etag if stored else ABSENT)
        except ConflictError:
            return False
        return True

    def note_incomplete(self, market: Market, minute: int) -> None:
        if self._table.get(_INCOMPLETE, sk := f"{market.key}#{minute}") is None:
            ttl = (self._clock() + _INCOMPLETE_FOR) // SECOND
            self._table.put(Item(_INCOMPLETE, sk, first_time=minute, ttl=ttl))

    def incomplete(self) -> tuple[tuple[Market, int], ...]:
        return tuple((Market.from_key(item.sk), item.first_time) for item in self._alive(_INCOMPLETE))

    def clear_incomplete(self, market: Market, minute: int) -> None:
        self._table.delete(_INCOMPLETE, f"{market.key}#{minute}")

    def differences(self) -> tuple[str, ...]:
        return tuple(item.sk for item in self._alive(_DIFFERENCE))

    def _alive(self, pk: str) -> Iterator[Item]:
        now = self._clock() // SECOND
        return (item for item in self._table.query(pk) if item.ttl is None or item.ttl > now)

    def _note_differences(self, pk: str, parts: list[Bars]) -> None:
        ttl = (self._clock() + _DIFFERENCES_FOR) // SECOND
        self._table.put_all([Item(_DIFFERENCE, f"{pk}#{time}", ttl=ttl) for time in disagreements(parts)])

    def _merge_item(self, market: Market, interval: Interval, start: int, bars: Bars) -> int:
        """Another writer may change the item between our read and our write: then both are made anew."""
        pk, sk = _partition(market, interval), _sk(start)
        for _ in range(_ATTEMPTS):
            stored = self._table.get(pk, sk)
            parts = [bars] if stored is None else [_unpack(stored), bars]
            best = merge(parts)
            payload = bar_codec.pack(best)
            if stored is not None and stored.payload == payload:
                return 0
            # Noted first: once the exchange's bar is replaced, nobody could compare it with ours again.
            self._note_differences(pk, parts)
            try:
                self._table.put(self._item(pk, sk, best, payload), expected=stored.etag if stored else ABSENT)
            except ConflictError:
                continue
            return 1
        raise ConflictError(f"write {pk}/{sk}", f"others changed it {_ATTEMPTS} times in a row")

    def _item(self, pk: str, sk: str, bars: Bars, payload: bytes) -> Item:
        last_time = int(bars.time[-1])
        expires = bars.interval == S1.ms
        return Item(
            pk=pk,
            sk=sk,
            payload=payload,
            etag=hashlib.blake2b(payload, digest_size=8).hexdigest(),
            count=len(bars),
            first_time=int(bars.time[0]),
            last_time=last_time,
            ttl=last_time // SECOND + self._bar_1s_ttl_seconds if expires else None,
        )


def _by_item(bars: Bars, interval: Interval) -> Iterator[tuple[int, Bars]]:
    span = SPANS[interval.name]
    for start in sorted({floor(int(time), span) for time in bars.time}):
        yield start, bars.between(start, start + span)


def _unpack(item: Item) -> Bars:
    return bar_codec.unpack(item.payload, f"{item.pk}/{item.sk}")


def _partition(market: Market, interval: Interval) -> str:
    return f"{market.key}#{interval.name}"


def _sk(time: int) -> str:
    return f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%dT%H:%M}"


def _to_watermark(item: Item) -> Watermark:
    return msgspec.json.decode(item.payload, type=Watermark)
