"""How an ingestor changes over to another share: the new one begins before the old one ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ingestor.membership import GONE_AFTER
from ingestor.sharing import AFTER_OUTAGE, Sharing
from quant.domain.market import Market
from quant.domain.ports import Heartbeat, MarketPulse
from quant.errors import UnavailableError

NOW = 1_795_341_600_000
MARKETS = tuple(Market("binance", f"S{number}USDT") for number in range(12))
OTHER = Heartbeat(
    "auto-other", "one", NOW, "live",
    tuple(MarketPulse(one, 0, 0, 0, 0, 0, counters={"trades": 1}) for one in MARKETS),
)  # fmt: skip


@dataclass
class Crews:
    """What was begun and ended, in order; ``beats`` are read, ``broken`` says how a crew ends by itself."""

    beats: list[Heartbeat] = field(default_factory=list)
    away: bool = False
    now: int = NOW
    looks: int = 0
    told: list[tuple[str, int]] = field(default_factory=list)
    followed: list[tuple[Market, ...]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    broken: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def read(self) -> Sequence[Heartbeat]:
        self.looks += 1
        if self.away:
            raise UnavailableError("tick_data", "away")
        return self.beats

    def leave(self) -> None:
        self.told.append(("leaves", len(self.followed) - 1))

    async def ingest(self, markets: Sequence[Market], number: int, stop: asyncio.Event) -> bool:
        self.followed.append(tuple(markets))
        self._tell("begins", number)
        ended = {asyncio.ensure_future(one.wait()) for one in (stop, self.broken)}
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        for one in ended:
            one.cancel()
        self._tell("ends", number)
        return not self.broken.is_set()

    def _tell(self, what: str, number: int) -> None:
        self.told.append((what, number))
        self.changed.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.told) < count:
                self.changed.clear()
                await self.changed.wait()

    async def looked(self, times: int = 3) -> None:
        """Wait for so many more looks to have begun."""
        wanted = self.looks + times
        async with asyncio.timeout(10):
            while self.looks < wanted:
                await asyncio.sleep(0.005)

    def sharing(self, overlap: float = 0.01) -> Sharing:
        return Sharing(
            "auto-me",
            MARKETS,
            self.read,
            self.leave,
            self.ingest,
            lambda: self.now,
            _silent,
            look_every=0.01,
            overlap=overlap,
        )


def _silent(event: str, level: str = "INFO", **facts: Any) -> None:
    pass


async def test_the_new_share_begins_before_the_old_one_ends() -> None:
    crews = Crews()
    running = asyncio.create_task(crews.sharing().run(crews.stop))
    await crews.until(1)
    crews.beats = [OTHER]
    await crews.until(3)
    crews.stop.set()
    assert await running
    assert crews.told == [("begins", 0), ("begins", 1), ("ends", 0), ("leaves", 1), ("ends", 1)]
    whole, part = crews.followed
    assert whole == MARKETS
    assert 0 < len(part) < len(MARKETS)


async def test_the_part_of_one_that_went_silent_is_taken_over() -> None:
    crews = Crews([OTHER])
    running = asyncio.create_task(crews.sharing().run(crews.stop))
    await crews.until(1)
    crews.now += GONE_AFTER
    await crews.until(3)
    crews.stop.set()
    assert await running
    assert crews.followed[-1] == MARKETS


async def test_while_heartbeats_cannot_be_read_all_stays_as_it_is() -> None:
    """At the start that is everything: better twice than not at all."""
    crews = Crews([OTHER], away=True)
    running = asyncio.create_task(crews.sharing().run(crews.stop))
    await crews.until(1)
    crews.away = False
    await crews.looked()
    assert len(crews.followed) == 1, "the others have not told of themselves yet"
    crews.now += AFTER_OUTAGE
    crews.beats = [replace(OTHER, time=crews.now)]
    await crews.until(3)
    crews.away, crews.now = True, crews.now + GONE_AFTER
    await crews.looked()
    crews.stop.set()
    assert await running
    assert [len(one) == len(MARKETS) for one in crews.followed] == [True, False]


async def test_a_stop_amid_a_change_hands_on_and_ends_both() -> None:
    crews = Crews()
    running = asyncio.create_task(crews.sharing(overlap=0.3).run(crews.stop))
    await crews.until(1)
    crews.beats = [OTHER]
    await crews.until(2)
    crews.stop.set()
    async with asyncio.timeout(5):
        assert await running
    assert crews.told[2] == ("leaves", 1), "once, and while both go on"
    assert sorted(crews.told[3:]) == [("ends", 0), ("ends", 1)]


async def test_one_that_breaks_ends_the_whole() -> None:
    crews = Crews()
    running = asyncio.create_task(crews.sharing().run(crews.stop))
    await crews.until(1)
    crews.broken.set()
    async with asyncio.timeout(5):
        assert not await running


async def test_who_is_alone_ends_at_once() -> None:
    crews = Crews()
    running = asyncio.create_task(crews.sharing(overlap=60).run(crews.stop))
    await crews.until(1)
    crews.stop.set()
    async with asyncio.timeout(5):
        assert await running
    assert crews.told == [("begins", 0), ("ends", 0)]
