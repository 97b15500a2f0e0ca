"""The resampler on a market in memory: incremental, healed, repeated, interrupted."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quant.domain.bar import COMPLETE, FROM_EXCHANGE, INCOMPLETE, UNKNOWN
from quant.domain.interval import DAY, HOUR, M1, M5, MINUTE, S1, SECOND
from quant.domain.ports import DirtyMark
from quant.errors import UnavailableError
from quant.storage.table import ANY, Item, MemoryTable
from resample.service import Resampler
from tests.functional.world import MARKET, START, World, last_minute, random_trades, undisturbed
from tests.unit.quant.reference import figures, plain_bars


def test_closed_minutes_become_bars_and_equal_the_trades() -> None:
    trades = random_trades(3_000)
    world = World(now=int(trades.times[-1]) + 1)
    world.write(trades)
    world.beat(trades)
    world.resample()
    closed = trades.take(trades.times < last_minute(trades))
    for interval in (S1, M1):
        stored = world.storage.bars.read(MARKET, interval, START, START + DAY)
        assert figures(stored) == plain_bars(closed, interval.ms)
        assert stored.complete.tolist() == [INCOMPLETE] + [COMPLETE] * (len(stored) - 1)
    fives = world.storage.bars.read(MARKET, M5, START, START + DAY)
    whole = closed.take(closed.times < last_minute(trades) // M5.ms * M5.ms)
    assert figures(fives) == plain_bars(whole, M5.ms)


def test_nothing_to_do_writes_nothing() -> None:
    trades = random_trades(1_000)
    world = World(now=int(trades.times[-1]) + 1)
    world.write(trades)
    world.beat(trades)
    world.resample()
    writes = world.ohlc_data.writes
    report = world.resample()
    assert (world.ohlc_data.writes, report.items_written) == (writes, 0)


@pytest.mark.parametrize("seed", range(5))
def test_minute_by_minute_gives_the_bytes_of_one_run(seed: int) -> None:
    trades = random_trades(4_000, seed=seed)
    chance, world, at = random.Random(seed), World(), 0
    while at < len(trades):
        step = chance.randrange(1, 400)
        batch = trades.take(slice(at, at + step))
        world.write(batch, size=chance.randrange(5, 80))
        world.now, at = int(batch.times[-1]) + 1, at + step
        world.beat(batch)
        if chance.random() < 0.8:
            world.resample()
    world.resample()
    assert world.stored_bars() == undisturbed(trades)


def test_a_late_trade_rewrites_exactly_its_bars_and_their_items() -> None:
    trades = random_trades(12_000)
    late = 6_000
    world = World(now=int(trades.times[-1]) + 1)
    world.write(trades.take(np.delete(np.arange(len(trades)), late)))
    world.beat(trades)
    world.resample()
    before = world.stored_bars()
    writes = world.ohlc_data.writes
    world.heal(trades.take([late]))
    world.resample()
    changed = {key for key, payload in world.stored_bars().items() if before[key] != payload}
    assert world.ohlc_data.writes - writes == len(changed) == 3
    assert {key.split("/")[0][-2:] for key in changed} == {"1s", "1m", "5m"}
    assert world.stored_bars() == undisturbed(trades)
    assert world.storage.ticks.dirty_marks() == ()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
@example(491)  # ids are healed that lie below the id where the open minute began
def test_any_order_of_arrival_and_repetition_gives_the_same_bytes(seed: int) -> None:
    chance = random.Random(seed)
    trades = random_trades(900, seed=seed % 5, mean_ms=700)
    cuts = sorted({0, len(trades), *(chance.randrange(len(trades)) for _ in range(12))})
    pieces = [trades.take(slice(low, high)) for low, high in pairwise(cuts)]
    late = set(chance.sample(range(1, len(pieces)), 3)) if len(pieces) > 4 else set()
    world = World()
    for place, piece in enumerate(pieces):
        if place not in late:
            world.write(piece, size=chance.randrange(3, 60))
            world.now = int(piece.times[-1]) + 1
            world.beat(piece)
            if chance.random() < 0.5:
                world.resample()
    for place in chance.sample(sorted(late), len(late)):
        world.heal(pieces[place])
        if chance.random() < 0.5:
            world.resample()
    world.write(chance.choice(pieces), size=7)
    world.now = int(trades.times[-1]) + 1
    world.beat(trades)
    world.resample()
    assert world.stored_bars() == undisturbed(trades)


def test_a_mark_stays_until_its_trades_are_there() -> None:
    trades = random_trades(3_000)
    hole = slice(1_000, 1_010)
    world = World(now=int(trades.times[-1]) + 1)
    world.write(trades.take(np.delete(np.arange(len(trades)), hole)))
    world.beat(trades)
    world.resample()
    missing = trades.take(hole)
    mark = DirtyMark(MARKET, START, missing.first_id, missing.last_id, 10)
    world.storage.ticks.mark_dirty(mark)
    assert world.resample().marks_waiting == 1
    assert world.storage.ticks.dirty_marks() == (mark,)
    world.write(missing)
    assert world.resample().marks_cleared == 1
    assert world.stored_bars() == undisturbed(trades)


def test_silence_closes_bars_when_the_ingestor_promises_that_nothing_comes() -> None:
    trades = random_trades(500)
    world = World(now=int(trades.times[-1]) + 5 * MINUTE)
    world.write(trades)
    world.beat(trades)
    world.resample()
    assert world.storage.bars.latest(MARKET, M1, world.now) == last_minute(trades) - MINUTE
    world.beat(trades, frontier=world.now)
    world.resample()
    assert world.storage.bars.latest(MARKET, M1, world.now) == last_minute(trades)
    assert world.storage.bars.read(MARKET, S1, START, world.now).complete.tolist()[-1] == INCOMPLETE


def test_the_last_bar_before_a_silence_is_certified_by_the_next_trade() -> None:
    trades = random_trades(500)
    later = replace(random_trades(300, first_id=1_500), times=random_trades(300, start=START + HOUR).times)
    world = World(now=START + HOUR - 1)
    world.write(trades)
    world.beat(trades, frontier=START + HOUR - 1)
    world.resample()
    last = int(trades.times[-1]) // SECOND * SECOND
    assert world.storage.bars.read(MARKET, S1, last, last + 1).complete.tolist() == [INCOMPLETE]
    world.write(later)
    world.now = int(later.times[-1])
    world.beat(later)
    world.resample()
    assert world.storage.bars.read(MARKET, S1, last, last + 1).complete.tolist() == [COMPLETE]


def test_a_long_pause_is_caught_up_hour_by_hour() -> None:
    trades = random_trades(6_000, mean_ms=3_000)  # five hours
    world = World(now=int(trades.times[-1]) + 1)
    world.write(trades)
    world.beat(trades)
    calls = iter([True, True, False])
    report = world.resampler().run(world.now, lambda: next(calls, False))
    assert report.unfinished == 1
    watermark = world.storage.bars.watermark(MARKET)
    assert watermark is not None
    assert watermark.time == START + 2 * HOUR
    world.resample()
    assert world.stored_bars() == undisturbed(trades)


def test_the_exchanges_bars_are_replaced_where_the_trades_are_there() -> None:
    trades = random_trades(3_000)
    world = World(now=int(trades.times[-1]) + 1)
    world.write(trades)
    world.beat(trades)
    world.resample()
    own = world.storage.bars.read(MARKET, M1, START, START + DAY)
    theirs = replace(
        own,
        complete=np.full(len(own), UNKNOWN, dtype=np.int8),
        source=np.full(len(own), FROM_EXCHANGE, dtype=np.int8),
        first_id=np.full(len(own), -1),
        last_id=np.full(len(own), -1),
    )
    world.storage.bars.merge(MARKET, theirs)
    sources = world.storage.bars.read(MARKET, M1, START, START + DAY).source.tolist()
    assert sources == [FROM_EXCHANGE] + [1] * (len(own) - 1)


class _DyingTable(MemoryTable):
    """A table whose process dies at the n-th write, before or after it is done."""

    def __init__(self, dies_at: int, after: bool) -> None:
        super().__init__()
        self.left, self.after = dies_at, after

    def put(self, item: Item, *, expected: str = ANY) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise UnavailableError("write", "the process was killed")
        super().put(item, expected=expected)
        if self.left == 0:
            raise UnavailableError("write", "the process was killed")


def test_a_crash_at_any_write_leaves_what_the_next_run_completes() -> None:
    trades = random_trades(1_600)
    expected = undisturbed(trades)
    died = 0
    for point in range(1, 40):
        for after in (False, True):
            world = World(now=int(trades.times[-1]) + 1, ohlc_data=_DyingTable(point, after))
            world.write(trades)
            world.beat(trades)
            try:
                world.resample()
            except UnavailableError:
                died += 1
                world.resample()
            assert world.stored_bars() == expected
    assert died >= 20


def test_a_run_on_an_older_reading_cannot_undo_a_newer_one() -> None:
    trades = random_trades(2_000)
    slow = World(now=int(trades.times[-1]) + 1)
    slow.write(trades.take(np.delete(np.arange(len(trades)), range(800, 820))))
    slow.beat(trades)
    stale = World(now=slow.now, tick_data=slow.tick_data, ohlc_data=MemoryTable())
    stale.resample()
    slow.resample()
    slow.heal(trades.take(slice(800, 820)))
    slow.resample()
    for interval in (S1, M1, M5):
        slow.storage.bars.merge(MARKET, stale.storage.bars.read(MARKET, interval, START, START + DAY))
    assert slow.stored_bars() == undisturbed(trades)


def test_trades_that_come_without_a_mark_are_found_again() -> None:
    """Two ingestors: one saw a hole and died; the other wrote the trades in its own time, as nothing special."""
    trades = random_trades(3_000)
    hole = slice(1_000, 1_010)
    world = World(now=int(trades.times[-1]) + 1)
    world.write(trades.take(np.delete(np.arange(len(trades)), hole)))
    world.beat(trades)
    world.resample()
    assert world.stored_bars() != undisturbed(trades)
    world.write(trades.take(hole))
    world.resample()
    assert world.stored_bars() == undisturbed(trades)
    assert world.storage.bars.incomplete() == ((MARKET, START),)


class _Interrupted(MemoryTable):
    """A table in which, at the n-th write, another whole run comes in between; then the first goes on or dies."""

    def __init__(self, at: int, dies: bool) -> None:
        super().__init__()
        self.left, self.dies = at, dies
        self.other: Callable[[], object] = lambda: None

    def put(self, item: Item, *, expected: str = ANY) -> None:
        self.left -= 1
        if self.left == 0:
            self.other()
            if self.dies:
                raise UnavailableError("write", "the process was killed")
        super().put(item, expected=expected)


@pytest.mark.parametrize("dies", [False, True])
def test_two_runs_at_once_end_in_the_bars_of_one(dies: bool) -> None:
    """At every write of one run the other runs whole; the first then goes on with what it had read, or is killed."""
    trades = random_trades(1_600)
    late = np.arange(700, 720)
    expected = undisturbed(trades)
    reached = 0
    for at in range(1, 60):
        table = _Interrupted(0, dies)
        world = World(ohlc_data=table)
        first = trades.take(np.delete(np.arange(1_200), late))
        world.write(first)
        world.now = int(first.times[-1]) + 1
        world.beat(first)
        world.resample()
        world.write(trades.take(slice(1_200, None)))
        world.now = int(trades.times[-1]) + 1
        world.beat(trades)
        world.heal(trades.take(late))
        table.left, table.other = at, world.resample
        try:
            world.resample()
        except UnavailableError:
            reached += 1
        reached += table.left <= 0
        world.resample()
        assert world.stored_bars() == expected
        if table.left > 0:
            break
    assert reached >= 7


def test_a_market_without_trades_is_left_alone() -> None:
    world = World()
    storage = world.storage
    assert Resampler(storage.ticks, storage.bars, storage.heartbeats, DAY).run(START).bars == 0
