"""The resampler on a market in memory: incremental, healed, repeated, interrupted."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count, pairwise
from typing import cast

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quant.analytics.resample import bars_of_trades
from quant.domain.bar import COMPLETE, FROM_EXCHANGE, INCOMPLETE, UNKNOWN
from quant.domain.interval import DAY, HOUR, M1, M5, MINUTE, S1, SECOND
from quant.domain.ports import DirtyMark
from quant.domain.trade import Trades
from quant.errors import UnavailableError
from quant.storage import bar_codec
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
    """One of 1s, one of 1m, one of 5m, in one item each, though the trade is half an hour old."""
    trades = random_trades(12_000)
    world = World(now=int(trades.times[-1]) + 1)
    # The fifth of its second, so that the ids of no other second are torn.
    late = next(at for at in range(5_000, 12_000) if trades.times[at] // SECOND == trades.times[at - 4] // SECOND)
    assert world.now - int(trades.times[late]) > 30 * MINUTE
    world.write(trades.take(np.delete(np.arange(len(trades)), late)))
    world.beat(trades)
    world.resample()
    items, bars, writes = world.stored_bars(), _bars(world), world.ohlc_data.writes
    world.heal(trades.take([late]))
    world.resample()
    changed = {key for key, payload in world.stored_bars().items() if items[key] != payload}
    assert world.ohlc_data.writes - writes == len(changed) == 3
    after, time = _bars(world), int(trades.times[late])
    assert after.keys() == bars.keys()
    assert sorted(key for key in after if after[key] != bars[key]) == [
        ("1m", time // MINUTE * MINUTE), ("1s", time // SECOND * SECOND), ("5m", time // M5.ms * M5.ms)
    ]  # fmt: skip
    assert world.stored_bars() == undisturbed(trades)
    assert world.storage.ticks.dirty_marks() == ()


def _bars(world: World) -> dict[tuple[str, int], bytes]:
    """Every stored bar, by interval and time."""
    stored = [world.storage.bars.read(MARKET, interval, START, START + DAY) for interval in (S1, M1, M5)]
    return {
        (interval.name, int(bars.time[at])): bar_codec.pack(bars.take(slice(at, at + 1)))
        for interval, bars in zip((S1, M1, M5), stored, strict=True)
        for at in range(len(bars))
    }


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


@dataclass
class _Writes:
    """Counts the writes and deletions of a run in all its tables; at the n-th, something happens before or after it."""

    left: int = 0
    after: bool = False
    happens: Callable[[], object] = lambda: None

    def around(self, write: Callable[[], None]) -> None:
        self.left -= 1
        is_now = self.left == 0
        if is_now and not self.after:
            self.happens()
        write()
        if is_now and self.after:
            self.happens()


class _Watched(MemoryTable):
    def __init__(self, on: _Writes) -> None:
        super().__init__()
        self.on = on

    def put(self, item: Item, *, expected: str = ANY) -> None:
        self.on.around(lambda: super(_Watched, self).put(item, expected=expected))

    def delete(self, pk: str, sk: str) -> None:
        self.on.around(lambda: super(_Watched, self).delete(pk, sk))


def _killed() -> None:
    raise UnavailableError("write", "the process was killed")


def _with_work(trades: Trades, on: _Writes) -> World:
    """What one run finds: minutes that are over now, and ids that were healed in one that was stored before."""
    late = np.arange(700, 720)
    world = World(tick_data=_Watched(on), ohlc_data=_Watched(on))
    first = trades.take(np.delete(np.arange(1_200), late))
    world.write(first)
    world.now = int(first.times[-1]) + 1
    world.beat(first)
    world.resample()
    world.write(trades.take(slice(1_200, None)))
    world.now = int(trades.times[-1]) + 1
    world.beat(trades)
    world.heal(trades.take(late))
    return world


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_write_leaves_what_the_next_run_completes(after: bool) -> None:
    trades = random_trades(2_400)
    expected = undisturbed(trades)
    for point in count(1):
        on = _Writes()
        world = _with_work(trades, on)
        on.left, on.after, on.happens = point, after, _killed
        try:
            world.resample()
        except UnavailableError:
            world.resample()
        assert world.stored_bars() == expected
        assert world.storage.ticks.dirty_marks() == ()
        if on.left > 0:
            break
    # Two items of 1s, 1m and 5m each at the least, the watermark, the mark.
    assert point > 8


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


@pytest.mark.parametrize("after", [False, True])
def test_a_difference_to_the_exchange_outlives_a_crash_at_any_write(after: bool) -> None:
    """Once the exchange's bar is replaced, nobody could compare the two again."""
    trades = random_trades(1_000)
    own = bars_of_trades(trades, M1.ms).take(slice(1, 3))
    unknown, none = np.full(2, UNKNOWN, dtype=np.int8), np.full(2, -1)
    theirs = replace(
        own, complete=unknown, source=np.full(2, FROM_EXCHANGE, dtype=np.int8), first_id=none, last_id=none
    )
    for point in count(1):
        on = _Writes()
        world = World(ohlc_data=_Watched(on), now=int(trades.times[-1]) + 1)
        world.storage.bars.merge(MARKET, replace(theirs, high=theirs.high + np.array([0, 1])))
        world.write(trades)
        world.beat(trades)
        on.left, on.after, on.happens = point, after, _killed
        with suppress(UnavailableError):
            world.resample()
        world.resample()
        assert world.storage.bars.differences() == (f"{MARKET.key}#1m#{theirs.time[1]}",)
        if on.left > 0:
            break


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("after", [False, True])
def test_two_runs_at_once_end_in_the_bars_of_one(dies: bool, after: bool) -> None:
    """At every write of one run the other runs whole; the first then goes on with what it had read, or is killed."""
    trades = random_trades(2_400)
    expected = undisturbed(trades)
    for point in count(1):
        on = _Writes()
        world = _with_work(trades, on)

        def other(world: World = world) -> None:
            world.resample()
            if dies:
                _killed()

        on.left, on.after, on.happens = point, after, other
        with suppress(UnavailableError):
            world.resample()
        was_reached = on.left <= 0
        if not dies or not was_reached:
            assert world.stored_bars() == expected
        world.resample()
        assert world.stored_bars() == expected
        assert world.storage.ticks.dirty_marks() == ()
        if not was_reached:
            break
    assert point > 8


def test_of_two_runs_at_once_the_other_may_be_killed_at_every_write() -> None:
    """One run stands still before its n-th write; the other is killed at its m-th; then the first goes on."""
    trades = random_trades(2_400)
    expected = undisturbed(trades)
    for point in (1, 3, 5, 7):
        for killed_at in count(1):
            on, theirs = _Writes(), _Writes(happens=_killed)
            world = _with_work(trades, on)

            def other(world: World = world, on: _Writes = on, theirs: _Writes = theirs, at: int = killed_at) -> None:
                theirs.left = at
                for table in (world.tick_data, world.ohlc_data):
                    cast("_Watched", table).on = theirs
                with suppress(UnavailableError):
                    world.resample()
                for table in (world.tick_data, world.ohlc_data):
                    cast("_Watched", table).on = on

            on.left, on.happens = point, other
            world.resample()
            assert world.stored_bars() == expected
            if theirs.left > 0:
                break
        assert killed_at > 4


def test_a_market_without_trades_is_left_alone() -> None:
    world = World()
    storage = world.storage
    assert Resampler(storage.ticks, storage.bars, storage.heartbeats, DAY).run(START).bars == 0
