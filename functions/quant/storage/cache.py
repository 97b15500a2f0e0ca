"""analytics_cache: large results in pages under a run id, the pointer switched last."""

from __future__ import annotations

import hashlib

import msgspec

from quant.domain.interval import DAY, SECOND
from quant.domain.ports import Clock
from quant.domain.results import Result
from quant.errors import ConflictError
from quant.storage.envelope import compress, decompress
from quant.storage.table import ABSENT, Item, Table

KEPT_FOR = DAY
# A page has to fit an item, 400 KB, even where nothing can be compressed.
PAGE_BYTES = 300_000
_POINTER = "latest"
_ATTEMPTS = 10


class _Pointer(msgspec.Struct, frozen=True):
    run_id: str
    computed_at: int
    pages: int
    digest: str


class ResultTable:
    """quant.domain.results.ResultRepository on a table."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table, self._clock = table, clock
        self._kept: dict[str, tuple[_Pointer, Result]] = {}

    def publish(self, result: Result) -> bool:
        parts = [result.body[at : at + PAGE_BYTES] for at in range(0, len(result.body), PAGE_BYTES)] or [b""]
        pk, ttl = f"{result.name}#{result.run_id}", (result.computed_at + KEPT_FOR) // SECOND
        self._table.put_all([Item(pk, f"{page:04d}", compress(part), ttl=ttl) for page, part in enumerate(parts)])
        return self._switch(result, _Pointer(result.run_id, result.computed_at, len(parts), _digest(result.body)))

    def computed_at(self, name: str) -> int | None:
        pointer = self._pointer(name)[0]
        return None if pointer is None else pointer.computed_at

    def latest(self, name: str) -> Result | None:
        # Between reading a pointer and its pages they may expire, or the pointer may move: then it is read anew.
        for _ in range(2):
            pointer, _etag = self._pointer(name)
            if pointer is None or self._clock() - pointer.computed_at > KEPT_FOR:
                return None
            kept = self._kept.get(name)
            if kept is not None and kept[0] == pointer:
                return kept[1]
            result = self._read(name, pointer)
            if result is not None:
                self._kept[name] = (pointer, result)
                return result
        return None

    def _read(self, name: str, pointer: _Pointer) -> Result | None:
        items = list(self._table.query(f"{name}#{pointer.run_id}"))
        body = b"".join(decompress(item.payload) for item in items[: pointer.pages])
        if _digest(body) != pointer.digest:
            return None
        return Result(name, pointer.run_id, pointer.computed_at, body)

    def _pointer(self, name: str) -> tuple[_Pointer | None, str]:
        item = self._table.get(_POINTER, name)
        if item is None:
            return None, ABSENT
        return msgspec.json.decode(item.payload, type=_Pointer), item.etag

    def _switch(self, result: Result, pointer: _Pointer) -> bool:
        """Two runs may overlap: the pointer never goes back."""
        etag = f"{result.computed_at}#{result.run_id}"
        item = Item(_POINTER, result.name, msgspec.json.encode(pointer), etag, last_time=result.computed_at)
        for _ in range(_ATTEMPTS):
            stored, expected = self._pointer(result.name)
            if stored is not None and stored.computed_at > result.computed_at:
                return False
            try:
                self._table.put(item, expected=expected)
            except ConflictError:
                continue
            return True
        raise ConflictError(f"publish {result.name}", f"others changed it {_ATTEMPTS} times in a row")


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=8).hexdigest()
