from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from ingestor.backoff import Backoff
from ingestor.journal import Journal
from ingestor.outbox import Outbox
from ingestor.writer import Writer
from quant.domain.chunk import Chunk
from quant.domain.interval import HOUR, MINUTE, floor
from quant.domain.ports import DirtyMark
from quant.errors import NotFoundError, UnavailableError
from tests.unit.ingestor.trades import BTC, START


def silent(event: str, level: str = "INFO", **facts: Any) -> None:
    return


def chunk(number: int, time: int = START, size: int = 50) -> Chunk:
    payload = number.to_bytes(4, "big") * (size // 4)
    return Chunk(BTC, number * 10, number * 10 + 9, time, time + 900, 10, f"{number:016x}", payload)


class Store:
    """Remembers what happened in which order; fails when told."""

    def __init__(self) -> None:
        self.done: list[Chunk | DirtyMark] = []
        self.failures: list[Exception] = []
        self.away = False

    def write(self, chunks: Sequence[Chunk]) -> None:
        if self.away:
            raise UnavailableError("write", "away")
        if self.failures:
            raise self.failures.pop()
        self.done += chunks

    def mark_dirty(self, mark: DirtyMark) -> None:
        self.done.append(mark)

    @property
    def chunks(self) -> list[Chunk]:
        return [one for one in self.done if isinstance(one, Chunk)]


@asynccontextmanager
async def writing(store: Any, folder: Path, **more: Any) -> AsyncIterator[Writer]:
    journal = Journal(folder)
    writer = Writer(store, journal, silent, backoff=Backoff(base=0.001, cap=0.01, random=Random(3)), **more)
    task = asyncio.create_task(writer.run())
    try:
        yield writer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        journal.close()


async def test_chunks_are_stored_in_order_and_then_confirmed(tmp_path: Path) -> None:
    store = Store()
    async with writing(store, tmp_path) as writer:
        for number in range(10):
            assert await writer.submit([chunk(number)]) == []
        await writer.drained()
        assert store.chunks == [chunk(number) for number in range(10)]
        assert writer.confirmed[BTC] == 99
    assert Journal(tmp_path).waiting() == []


async def test_a_chunk_below_the_frontier_is_announced_first(tmp_path: Path) -> None:
    store = Store()
    late = floor(START, MINUTE) + 5 * MINUTE
    async with writing(store, tmp_path) as writer:
        await writer.submit([chunk(5, late)])
        await writer.drained()
        await writer.submit([chunk(1), chunk(2)], healed=True)
        await writer.drained()
    mark = DirtyMark(BTC, floor(START, HOUR), 10, 29, 20)
    assert store.done == [chunk(5, late), mark, chunk(1), chunk(2)]


async def test_what_others_have_published_is_below_the_frontier_too(tmp_path: Path) -> None:
    store = Store()
    async with writing(store, tmp_path, frontiers=lambda: {BTC: START + HOUR}) as writer:
        await writer.submit([chunk(1)])
        await writer.drained()
    assert isinstance(store.done[0], DirtyMark)


async def test_a_chunk_that_storage_refuses_for_good_holds_up_no_other(tmp_path: Path) -> None:
    class Picky(Store):
        def write(self, chunks: Sequence[Chunk]) -> None:
            if chunk(2) in chunks:
                raise NotFoundError("write", "no such table")
            super().write(chunks)

    store = Picky()
    async with writing(store, tmp_path) as writer:
        await writer.submit([chunk(1), chunk(2), chunk(3)])
        await writer.drained()
        assert store.chunks == [chunk(1), chunk(3)]
        assert [entry.first_id for entry in writer.parked] == [20]
    again = Journal(tmp_path)
    assert [again.load(serial) for serial in again.waiting()] == [chunk(2)]
    again.close()


async def test_an_outage_is_survived_with_bounded_memory(tmp_path: Path) -> None:
    """What exceeds the memory lies on disk alone, and is stored in order when storage is back."""
    store = Store()
    store.away = True
    outbox = Outbox(memory=5_000, hard=10_000)
    chunks = [chunk(number, size=1000) for number in range(200)]
    async with writing(store, tmp_path, outbox=outbox) as writer:
        for one in chunks:
            assert await writer.submit([one]) == []
        assert outbox.held_bytes <= 5_000
        store.away = False
        await writer.drained()
        assert store.chunks == chunks
        assert outbox.held_bytes == 0


async def test_what_neither_disk_nor_memory_can_keep_comes_back(tmp_path: Path) -> None:
    store = Store()
    store.away = True
    journal = Journal(tmp_path, max_bytes=100)
    writer = Writer(store, journal, silent, outbox=Outbox(memory=1_000, hard=3_000))
    lost = [entry for number in range(5) for entry in await writer.submit([chunk(number, size=1000)])]
    assert [entry.first_id for entry in lost] == [30, 40]
    assert writer.refused_by_disk == 5
    journal.close()


async def test_a_restart_stores_what_was_left_in_the_journal(tmp_path: Path) -> None:
    store = Store()
    store.away = True
    async with writing(store, tmp_path) as writer:
        await writer.submit([chunk(1), chunk(2)])
    store.away = False
    async with writing(store, tmp_path) as writer:
        assert await writer.replay() == 2
        await writer.drained()
    assert store.chunks == [chunk(1), chunk(2)]


async def test_what_was_refused_for_good_is_tried_again_later(tmp_path: Path) -> None:
    store = Store()
    store.failures = [NotFoundError("write", "no such table")]
    async with writing(store, tmp_path, park_seconds=0.05) as writer:
        await writer.submit([chunk(1)])
        async with asyncio.timeout(5):
            while store.chunks != [chunk(1)]:
                await writer.drained()
                await asyncio.sleep(0.01)
        assert writer.parked == []


async def test_it_is_at_rest_as_soon_as_the_disk_has_all_and_storage_refuses(tmp_path: Path) -> None:
    store = Store()
    store.away = True
    async with writing(store, tmp_path) as writer:
        await writer.submit([chunk(1)])
        async with asyncio.timeout(1):
            await writer.at_rest()
        assert writer.queued == 1


async def test_what_only_memory_holds_is_waited_for(tmp_path: Path) -> None:
    store = Store()
    store.away = True
    journal = Journal(tmp_path, max_bytes=10)
    writer = Writer(store, journal, silent, backoff=Backoff(base=0.001, cap=0.01, random=Random(3)))
    task = asyncio.create_task(writer.run())
    await writer.submit([chunk(1)])
    resting = asyncio.create_task(writer.at_rest())
    assert not (await asyncio.wait({resting}, timeout=0.3))[0]
    store.away = False
    await asyncio.wait_for(resting, 5)
    assert store.chunks == [chunk(1)]
    task.cancel()
    await asyncio.wait({task})
    journal.close()
