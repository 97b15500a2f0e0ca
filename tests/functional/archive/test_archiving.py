"""Closed hours reach the archive once, late trades rewrite theirs, old trades make bars without passing the table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ingestor.archive import GRACE, SETTLE, ArchivedTicks, Archiver, Pending
from ingestor.old_trades import OldTrades
from quant.domain.bar import COMPLETE, INCOMPLETE
from quant.domain.interval import DAY, HOUR, M1, M5, S1
from quant.domain.market import Market
from quant.domain.trade import Trades
from quant.errors import UnavailableError
from quant.storage import codec
from quant.storage.archive import TradeArchive, object_key
from quant.storage.objects import MemoryObjects
from tests.functional.world import MARKET, START, World, random_trades
from tests.unit.quant.reference import figures
from tests.unit.quant.strategies import rows

TRADES = random_trades(9_000, mean_ms=1_000)  # two and a half hours


def _log(event: str, level: str = "INFO", **facts: Any) -> None:
    del event, level, facts


async def _here(step: Callable[..., Any], *arguments: Any) -> Any:
    return step(*arguments)


class Bench:
    """An archiver on a market in memory, driven step by step."""

    def __init__(self, world: World | None = None, objects: MemoryObjects | None = None) -> None:
        self.world, self.objects = world or World(), objects or MemoryObjects()
        self.archive = TradeArchive(self.objects)
        storage = self.world.storage
        self.archiver = Archiver(
            storage.ticks, self.archive, lambda: self.world.now, _log, _here, again=6 * HOUR, oldest=7 * DAY
        )

    def write(self, trades: Trades, now: int) -> None:
        self.world.now = now
        ticks = ArchivedTicks(self.world.storage.ticks, self.archiver)
        ticks.write(codec.pack(MARKET, trades))

    def archive_due(self) -> int:
        due = self.archiver.pending.due(self.world.now)
        for market, hour in due:
            self.archiver._merge(market, hour)
        return len(due)


def test_an_hour_is_archived_once_it_is_over() -> None:
    bench = Bench()
    bench.write(TRADES, START + HOUR)
    bench.world.now = START + HOUR + GRACE - 1
    assert bench.archive_due() == 0
    bench.world.now = START + 2 * HOUR + GRACE
    assert bench.archive_due() == 2
    assert list(bench.objects.keys("ticks/")) == [object_key(MARKET, START), object_key(MARKET, START + HOUR)]
    back = bench.archive.read(MARKET, START)
    assert back is not None
    assert rows(back) == rows(TRADES.take(TRADES.times < START + HOUR))
    assert bench.archive_due() == 0


def test_a_healed_trade_rewrites_its_hour_when_it_has_settled() -> None:
    bench = Bench()
    bench.write(TRADES.take(np.delete(np.arange(len(TRADES)), 100)), int(TRADES.times[-1]))
    bench.world.now = START + 2 * HOUR + GRACE + SETTLE
    bench.archive_due()
    writes = bench.objects.writes
    bench.write(TRADES.take([100]), bench.world.now)
    assert bench.archive_due() == 0
    bench.world.now += SETTLE
    assert bench.archive_due() == 1
    assert bench.objects.writes == writes + 1
    back = bench.archive.read(MARKET, START)
    assert back is not None
    assert rows(back) == rows(TRADES.take(TRADES.times < START + HOUR))


def test_a_trade_that_comes_while_its_hour_is_archived_is_not_forgotten() -> None:
    pending = Pending()
    pending.note(MARKET, START, START + HOUR + GRACE)
    pending.done(MARKET, START, seen=START + HOUR + GRACE - 1)
    assert len(pending) == 1
    pending.done(MARKET, START, seen=START + HOUR + GRACE)
    assert len(pending) == 0


async def test_what_an_earlier_life_left_undone_is_made_up_at_the_start() -> None:
    world = World(now=int(TRADES.times[-1]) + 1)
    world.write(TRADES)
    bench = Bench(world)
    world.now = START + 4 * HOUR
    task = asyncio.create_task(bench.archiver.run([MARKET]))
    while len(list(bench.objects.keys("ticks/"))) < 3:
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert list(bench.archive.hours(MARKET, START, START + DAY)) == [START, START + HOUR, START + 2 * HOUR]


async def test_an_archive_that_is_away_is_tried_again() -> None:
    class Away(MemoryObjects):
        failures = 1

        def put(self, key: str, body: bytes, *, expected: str) -> None:
            if self.failures:
                self.failures -= 1
                raise UnavailableError("write", "no answer")
            super().put(key, body, expected=expected)

    bench = Bench(objects=Away())
    bench.write(TRADES.take(TRADES.times < START + HOUR), START + HOUR)
    bench.world.now = START + HOUR + GRACE
    await bench.archiver._patiently(bench.archiver._merge, MARKET, START)
    assert bench.archiver.pending.due(bench.world.now) == [(MARKET, START)]
    await bench.archiver._patiently(bench.archiver._merge, MARKET, START)
    assert bench.archiver.pending.due(bench.world.now) == []


def test_two_ingestors_archive_the_same_bytes() -> None:
    world, objects = World(), MemoryObjects()
    first, second = Bench(world, objects), Bench(world, objects)
    first.write(TRADES.take(slice(0, 4_000)), START)
    second.write(TRADES.take(slice(3_000, None)), START)
    world.now = START + 5 * HOUR
    assert first.archive_due() + second.archive_due() > 3
    whole = TradeArchive(alone := MemoryObjects())
    hours = TRADES.times - TRADES.times % HOUR
    for hour in np.unique(hours).tolist():
        whole.merge(MARKET, hour, TRADES.take(hours == hour))
    assert [(key, objects.get(key)) for key in objects.keys("")] == [(key, alone.get(key)) for key in alone.keys("")]


def test_old_trades_make_the_bars_that_fresh_ones_would_have_made() -> None:
    world = World(now=START + 30 * HOUR)
    archive = TradeArchive(MemoryObjects())
    old = OldTrades(archive, world.storage.bars, lambda: world.now)
    chunks = [TRADES.take(slice(at, at + 700)) for at in range(0, len(TRADES), 700)]
    for part in chunks[::2] + chunks[1::2]:
        old.store(MARKET, part)
    minutes = world.storage.bars.read(MARKET, M1, START, START + DAY)
    reference = World(now=int(TRADES.times[-1]) + 1)
    reference.write(TRADES)
    reference.beat(TRADES)
    reference.resample()
    same = reference.storage.bars.read(MARKET, M1, START, START + DAY)
    assert figures(minutes.take(slice(0, len(same)))) == figures(same)
    assert minutes.complete.tolist() == [INCOMPLETE, *[COMPLETE] * (len(minutes) - 2), INCOMPLETE]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_hours_that_come_one_by_one_certify_each_others_edges(order: tuple[int, ...]) -> None:
    world = World(now=START + 30 * HOUR)
    old = OldTrades(TradeArchive(MemoryObjects()), world.storage.bars, lambda: world.now)
    for place in order:
        start = START + place * HOUR
        old.store(MARKET, TRADES.take((TRADES.times >= start) & (TRADES.times < start + HOUR)))
    minutes = world.storage.bars.read(MARKET, M1, START, START + DAY)
    assert minutes.complete.tolist() == [INCOMPLETE, *[COMPLETE] * (len(minutes) - 2), INCOMPLETE]


def test_1s_bars_that_are_too_old_are_not_stored() -> None:
    world = World(now=START + 60 * DAY)
    old = OldTrades(TradeArchive(MemoryObjects()), world.storage.bars, lambda: world.now)
    old.store(Market("binance", "BTCUSDT"), TRADES)
    assert len(world.storage.bars.read(MARKET, S1, START, START + DAY)) == 0
    assert len(world.storage.bars.read(MARKET, M1, START, START + DAY)) > 140
    assert int(world.storage.bars.read(MARKET, M5, START, START + DAY).time[0]) == START
