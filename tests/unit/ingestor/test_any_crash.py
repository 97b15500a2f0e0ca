"""The ingestor's own parts, joined as they are in life: whatever is delivered, lost, healed, refused by storage and cut
short by crashes, in whatever order, each trade is stored in the end, and the journal is empty."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestor.backoff import Backoff
from ingestor.journal import Journal
from ingestor.options import Codec, Options, Ports
from ingestor.service import Ingestor
from quant.domain.chunk import Chunk
from quant.domain.interval import M5, MINUTE
from quant.errors import UnavailableError
from quant.storage.codec import pack_all, unpack
from quant.storage.storage import memory_storage
from tests.unit.ingestor.scripted_exchange import MARKET, DirectClient, ScriptedExchange

BAR = 1_723_161_300_000 // M5.ms * M5.ms
# A minute of the open 5m bar, and the trade before it, which proves the join.
FIRST, LAST, NOW = 99, 159, BAR + MINUTE
PUBLISHED = range(FIRST, LAST + 1)

anything = st.lists(st.sampled_from(PUBLISHED), min_size=1, max_size=15)
in_order = st.builds(
    lambda first, count: list(PUBLISHED[first : first + count]), st.integers(0, 60), st.integers(1, 30)
)
from_the_first = st.builds(lambda count: list(PUBLISHED[:count]), st.integers(1, 60))
step = st.one_of(
    st.tuples(st.just("deliver"), anything | in_order | from_the_first),
    st.tuples(st.just("flush"), st.none()),
    st.tuples(st.just("storage"), st.sampled_from(["there", "away", "answers are lost"])),
    st.tuples(st.just("heal"), st.tuples(st.integers(0, 10), st.booleans(), st.integers(1, 5))),
    st.tuples(st.just("beat"), st.none()),
    st.tuples(st.just("crash"), st.tuples(st.booleans(), st.just(0) | st.integers(0, 200))),
)


def silent(event: str, level: str = "INFO", **facts: Any) -> None:
    return


class Ticks:
    """Ticks that are away, or store what they are given and do not say so."""

    def __init__(self, ticks: Any) -> None:
        self._ticks, self.mood = ticks, "there"

    def write(self, chunks: Sequence[Chunk]) -> None:
        mood = self.mood
        if mood != "away":
            self._ticks.write(chunks)
        if mood != "there":
            raise UnavailableError("write", mood)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ticks, name)


class Life:
    """One ingestor after the other on the same disk and storage; ``begin`` starts the next one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.exchange = folder, ScriptedExchange(FIRST, LAST, BAR - 1_000)
        stored = memory_storage(lambda: NOW)
        self.ticks = Ticks(stored.ticks)
        ticks: Any = self.ticks
        self.storage = replace(stored, ticks=ticks)

    async def begin(self) -> None:
        """What storage refuses is waited for at a start, so it is there."""
        self.ticks.mood = "there"
        s, self.client = self.storage, DirectClient()
        self.journal = Journal(self.folder, segment_bytes=600, sync=False)
        self.ingestor = Ingestor(
            [self.exchange], [MARKET], Ports(s.ticks, s.bars, s.heartbeats, s.instruments), self.journal,
            Codec(pack_all, unpack), lambda: NOW, silent, Options(history=False, instance=f"{len(s.heartbeats.all())}"),
        )  # fmt: skip
        clients: dict[str, Any] = self.ingestor.clients
        clients[MARKET.exchange] = self.client
        self.ingestor.writer._backoff = Backoff(base=0.0001, cap=0.0001)
        await self.ingestor.writer.replay()
        self.writing = asyncio.create_task(self.ingestor.writer.run())
        await self.ingestor._starting.begin(self.exchange)

    async def deliver(self, ids: list[int]) -> None:
        self.ingestor.pipeline.receive(self.exchange, [msgspec.json.encode(ids)])

    async def flush(self, nothing: None) -> None:
        await self.ingestor.pipeline.flush()

    async def storage_is(self, mood: str) -> None:
        self.ticks.mood = mood

    async def heal(self, how: tuple[int, bool, int]) -> None:
        which, fails, rows = how
        if spans := list(self.holes):
            self.client.fails, self.client.rows = fails, rows
            await self.ingestor.healer._heal(MARKET, *spans[which % len(spans)])
            self.client.fails = False

    async def beat(self, nothing: None) -> None:
        self.storage.heartbeats.put(self.ingestor._pulse.beat(NOW))

    async def crash(self, how: tuple[bool, int]) -> None:
        """A last flush, perhaps after a heartbeat, is cut short after so many of its bytes; storage has none of it."""
        beats, torn = how
        if beats:
            await self.beat(None)
        self.ticks.mood = "away"
        before = {path: path.stat().st_size for path in self.folder.glob("*.journal")}
        await self.ingestor.pipeline.flush()
        await self._end()
        if files := sorted(self.folder.glob("*.journal")):
            end = before.get(files[-1], 0) + torn
            os.truncate(files[-1], min(end, files[-1].stat().st_size))
        await self.begin()

    async def end(self) -> None:
        """The last trade comes, all holes are healed, all is stored."""
        self.ticks.mood = "there"
        await self.deliver([LAST])
        while self.holes:
            await self.heal((0, False, 5))
        await self.ingestor.pipeline.flush()
        await self.ingestor.writer.drained()
        await self._end()

    @property
    def holes(self) -> Any:
        return self.ingestor.pipeline.trackers[MARKET].sequencer.holes

    async def _end(self) -> None:
        self.writing.cancel()
        await asyncio.wait({self.writing})
        self.journal.close()


async def live(folder: Path, steps: list[tuple[str, Any]]) -> Life:
    life = Life(folder)
    await life.begin()
    for what, argument in steps:
        await getattr(life, "storage_is" if what == "storage" else what)(argument)
    await life.end()
    return life


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(step, max_size=20))
def test_any_interleaving_with_crashes_ends_in_the_same_set(steps: list[tuple[str, Any]]) -> None:
    with TemporaryDirectory() as name:
        life = asyncio.run(live(Path(name), steps))
        found = life.storage.ticks.read(MARKET, BAR - MINUTE, NOW + MINUTE)
        assert found.ids.tolist() == list(PUBLISHED)
        assert found.times.tolist() == life.exchange.published(PUBLISHED).times.tolist()
        journal = Journal(Path(name), sync=False)
        assert journal.waiting() == []
        journal.close()
