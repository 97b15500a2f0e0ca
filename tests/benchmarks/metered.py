"""A table in memory that counts what DynamoDB would bill: requests, read units and write units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from quant.storage.table import ANY, HIGHEST, Item, MemoryTable, Write
from tests.benchmarks.measure import item_bytes

PAGE = 1 << 20
_READ, _WRITE = 4096, 1024


@dataclass(slots=True)
class Meter:
    """What was asked for so far. Every read is strongly consistent, as ours are: a unit for each begun 4 KB."""

    requests: int = 0
    read_units: int = 0
    write_units: int = 0
    written_bytes: int = 0

    def read(self, size: int) -> None:
        self.requests += 1
        self.read_units += max(-(-size // _READ), 1)

    def write(self, size: int) -> None:
        self.write_units += -(-size // _WRITE)
        self.written_bytes += size


class MeteredTable:
    """quant.storage.table.Table. A query is billed page by page: whoever takes only its first item has paid for up to
    1 MB."""

    def __init__(self) -> None:
        self.meter = Meter()
        self._table = MemoryTable()
        self._sizes: dict[Item, int] = {}

    def get(self, pk: str, sk: str) -> Item | None:
        item = self._table.get(pk, sk)
        self.meter.read(self._size(item))
        return item

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
        read: list[Item] = []
        size = 0
        for item in self._table.query(pk, low, high, newest_first=newest_first, limit=limit):
            read.append(item)
            size += self._size(item)
            if size >= PAGE or len(read) == page:
                self.meter.read(size)
                yield from read
                read, size = [], 0
        self.meter.read(size)
        yield from read

    def put(self, item: Item, *, expected: str = ANY) -> None:
        before = self._table.get(item.pk, item.sk)
        self._table.put(item, expected=expected)
        self.meter.requests += 1
        self.meter.write(max(self._size(item), self._size(before)))

    def put_all(self, items: Sequence[Item]) -> None:
        requests = self.meter.requests + -(-len(items) // 25)
        for item in items:
            self.put(item)
        self.meter.requests = requests

    def delete(self, pk: str, sk: str) -> None:
        self.meter.requests += 1
        self.meter.write(max(self._size(self._table.get(pk, sk)), 1))
        self._table.delete(pk, sk)

    def transact(self, writes: Sequence[Write]) -> None:
        """A transaction is billed twice, for it is written in two steps; a check counts as a write."""
        tables = [cast("MeteredTable", write.table) for write in writes]
        for table, write in zip(tables, writes, strict=True):
            before = table._table.get(write.item.pk, write.item.sk)
            table.meter.write(2 * max(table._size(write.item), table._size(before), 1))
        inner = [replace(write, table=table._table) for table, write in zip(tables, writes, strict=True)]
        self._table.transact(inner)
        self.meter.requests += 1

    def _size(self, item: Item | None) -> int:
        if item is None:
            return 0
        if item not in self._sizes:
            self._sizes[item] = item_bytes(item)
        return self._sizes[item]
