"""The one small port between repositories and a database: items under a partition and a sort key.

:class:`MemoryTable` is the twin that tests and tools use; quant.storage.dynamo holds the real one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum
from threading import RLock
from typing import Protocol, cast

from quant.errors import ConflictError

ANY, ABSENT, PRESENT = "*", "", "+"
# What no condition will ever ask about has no tag, and pays for none.
UNTAGGED = "-"
HIGHEST = "~"
"""Sorts behind every character that keys are made of."""


@dataclass(frozen=True, slots=True)
class Item:
    """One stored item.

    Attributes:
        pk, sk: partition and sort key.
        payload: packed content.
        etag: hash of the content, or a version; what conditions compare.
        count, first_time, last_time: facts that are wanted without unpacking.
        ttl: seconds since the epoch after which the item is gone; None for ever.
    """

    pk: str
    sk: str
    payload: bytes = b""
    etag: str = UNTAGGED
    count: int = 0
    first_time: int = 0
    last_time: int = 0
    ttl: int | None = None


class Action(Enum):
    PUT = "put"
    DELETE = "delete"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Write:
    """One part of a transaction, on a condition.

    Attributes:
        table: which one it is for: of the same kind as the one that is asked for the transaction.
        item: what is put; of a deletion or a check only its key counts.
        expected: the etag that has to be stored; ANY, ABSENT or PRESENT.
    """

    table: Table
    item: Item
    expected: str = ANY
    action: Action = Action.PUT


MOST_WRITES = 100
"""That many a transaction takes."""


class Table(Protocol):
    def get(self, pk: str, sk: str) -> Item | None: ...

    def query(
        self,
        pk: str,
        low: str = "",
        high: str = HIGHEST,
        *,
        newest_first: bool = False,
        limit: int | None = None,
        page: int | None = None,
    ) -> Iterator[Item]:
        """Items with ``low <= sk <= high`` in the order of sk, read as they are taken, ``page`` at a time."""

    def put(self, item: Item, *, expected: str = ANY) -> None:
        """Store one item, if the stored etag is ``expected`` (ABSENT: if there is none).

        Raises:
            ConflictError: it is not.
        """

    def put_all(self, items: Sequence[Item]) -> None:
        """Store all of them; when this returns, all are stored."""

    def delete(self, pk: str, sk: str) -> None: ...

    def transact(self, writes: Sequence[Write]) -> None:
        """Make all of these writes, at most MOST_WRITES and each to another item, or none.

        Raises:
            ConflictError: a condition does not hold; nothing was written.
        """


class MemoryTable:
    """A table in this process's memory."""

    def __init__(self) -> None:
        self._partitions: dict[str, dict[str, Item]] = {}
        self._order: dict[str, list[str]] = {}
        self._lock = RLock()
        self.writes = 0

    def get(self, pk: str, sk: str) -> Item | None:
        return self._partitions.get(pk, {}).get(sk)

    def query(
        self,
        pk: str,
        low: str = "",
        high: str = HIGHEST,
        *,
        newest_first: bool = False,
        limit: int | None = None,
        page: int | None = None,
    ) -> Iterator[Item]:
        with self._lock:
            order = self._order.get(pk, [])
            keys = order[bisect_left(order, low) : bisect_left(order, high)]
            keys += [high] if high in self._partitions.get(pk, {}) else []
            keys = (keys[::-1] if newest_first else keys)[:limit]
            items = [self._partitions[pk][key] for key in keys]
        return iter(items)

    def put(self, item: Item, *, expected: str = ANY) -> None:
        with self._lock:
            if not self._holds(item, expected):
                raise ConflictError(f"write {item.pk}/{item.sk}", "it has changed meanwhile")
            if self.get(item.pk, item.sk) is None:
                insort(self._order.setdefault(item.pk, []), item.sk)
            self._partitions.setdefault(item.pk, {})[item.sk] = item
            self.writes += 1

    def put_all(self, items: Sequence[Item]) -> None:
        for item in items:
            self.put(item)

    def delete(self, pk: str, sk: str) -> None:
        with self._lock:
            if self._partitions.get(pk, {}).pop(sk, None):
                self._order[pk].remove(sk)

    def transact(self, writes: Sequence[Write]) -> None:
        touched = {id(write.table): cast("MemoryTable", write.table) for write in writes}
        keys = {(id(write.table), write.item.pk, write.item.sk) for write in writes}
        if len(writes) > MOST_WRITES or len(keys) < len(writes):
            raise ValueError(f"a transaction is of at most {MOST_WRITES} writes, each to another item")
        with ExitStack() as held:
            for _, table in sorted(touched.items()):
                held.enter_context(table._lock)
            for write in writes:
                if not cast("MemoryTable", write.table)._holds(write.item, write.expected):
                    raise ConflictError(f"write {write.item.pk}/{write.item.sk}", "it has changed meanwhile")
            for write in writes:
                if write.action is Action.PUT:
                    write.table.put(write.item)
                elif write.action is Action.DELETE:
                    write.table.delete(write.item.pk, write.item.sk)

    def _holds(self, item: Item, expected: str) -> bool:
        stored = self.get(item.pk, item.sk)
        if expected in (ANY, PRESENT):
            return expected == ANY or stored is not None
        return expected == (stored.etag if stored else ABSENT)
