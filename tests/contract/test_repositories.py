"""What every repository promises, in memory and on DynamoDB."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from quant.analytics.resample import bars_of_trades, coarser
from quant.domain.interval import DAY, HOUR, M1, M5, MINUTE, S1, SECOND
from quant.domain.market import Instrument, Market
from quant.domain.ports import DirtyMark, Heartbeat, MarketPulse, Watermark
from quant.domain.trade import Trades
from quant.settings import Settings
from quant.storage import codec
from quant.storage.storage import storage_on
from quant.storage.table import Item, MemoryTable
from tests.contract.conftest import Backend
from tests.unit.quant.strategies import rows

MARKET = Market("binance", "BTCUSDT")
OTHER = Market("coinbase", "BTC-USD")
START = 1_723_158_000_000  # a whole hour
NEVER = 10**15


def _trades(count: int, first_id: int = 1_000, step_ms: int = 400, start: int = START) -> Trades:
    chance = random.Random(count)
    ids = list(range(first_id, first_id + count))
    return Trades.of(
        ids,
        [start + step_ms * place for place in range(count)],
        [6_000_000 + chance.randrange(-500, 500) for _ in ids],
        [chance.randrange(1, 10_000) for _ in ids],
        [chance.random() < 0.5 for _ in ids],
        price_decimals=2,
        quantity_decimals=5,
    )


def _write(backend: Backend, trades: Trades, size: int = 37) -> None:
    for start in range(0, len(trades), size):
        backend.storage.ticks.write(codec.pack(MARKET, trades.take(slice(start, start + size))))


class TestTicks:
    def test_trades_read_back_over_hours(self, backend: Backend) -> None:
        trades = _trades(500, step_ms=20_000)
        _write(backend, trades)
        assert rows(backend.storage.ticks.read(MARKET, START, START + 3 * HOUR)) == rows(trades)
        assert len(backend.storage.ticks.read(OTHER, START, START + 3 * HOUR)) == 0

    def test_overlapping_chunks_of_two_writers_merge_by_id(self, backend: Backend) -> None:
        trades = _trades(300)
        holed = trades.take(np.delete(np.arange(300), range(100, 120)))
        _write(backend, holed, size=31)
        _write(backend, trades.take(slice(90, 150)), size=13)
        assert rows(backend.storage.ticks.read(MARKET, START, START + HOUR)) == rows(trades)

    def test_writing_one_twice_changes_nothing(self, backend: Backend) -> None:
        chunks = codec.pack(MARKET, _trades(50))
        backend.storage.ticks.write([*chunks, *chunks])
        backend.storage.ticks.write(chunks)
        assert sum(1 for _ in backend.tables[0].query(f"{MARKET.key}#2024-08-08T23")) == len(chunks)

    @pytest.mark.parametrize(("low", "high"), [(1_000, 1_004), (1_017, 1_222), (1_100, None), (0, 999), (1_299, 5_000)])
    def test_a_range_of_ids(self, backend: Backend, low: int, high: int | None) -> None:
        trades = _trades(300)
        _write(backend, trades)
        wanted = [row for row in rows(trades) if low <= row[0] <= (high or NEVER)]
        assert rows(backend.storage.ticks.read(MARKET, START, START + HOUR, first_id=low, last_id=high)) == wanted

    def test_a_range_of_times_is_half_open(self, backend: Backend) -> None:
        trades = _trades(300)
        _write(backend, trades)
        found = backend.storage.ticks.read(MARKET, START + 400, START + 1_200)
        assert found.ids.tolist() == [1_001, 1_002]

    @pytest.mark.parametrize("minute", [0, 3, 9, 17, 30, 44, 58])
    def test_a_minute_in_the_middle_of_an_hour(self, backend: Backend, minute: int) -> None:
        trades = _trades(3_000, step_ms=1_100)
        uneven = replace(trades, times=START + ((trades.times - START) ** 2 // 3_600_000))
        for batch in (uneven, uneven.take(slice(500, 1_500))):
            _write(backend, batch)
        start = START + minute * MINUTE
        found = backend.storage.ticks.read(MARKET, start, start + MINUTE)
        assert rows(found) == [row for row in rows(uneven) if start <= row[2] < start + MINUTE]

    @pytest.mark.parametrize("limit", [1, 36, 37, 38, 299, 1_000])
    def test_a_limit_takes_the_first_in_the_order_asked_for(self, backend: Backend, limit: int) -> None:
        trades = _trades(300, step_ms=20_000)
        _write(backend, trades)
        read = backend.storage.ticks.read
        assert rows(read(MARKET, START, START + 9 * HOUR, limit=limit)) == rows(trades)[:limit]
        assert rows(read(MARKET, START, START + 9 * HOUR, limit=limit, newest_first=True)) == rows(trades)[-limit:]

    def test_the_newest_are_whole_where_another_writer_fills_a_hole(self, backend: Backend) -> None:
        trades = _trades(200)
        _write(backend, trades.take(np.delete(np.arange(200), range(180, 190))), size=200)
        _write(backend, trades.take(slice(50, 195)), size=145)
        found = backend.storage.ticks.read(MARKET, START, START + HOUR, limit=15, newest_first=True)
        assert found.ids.tolist() == list(range(1_185, 1_200))

    def test_what_is_older_than_the_ttl_is_gone_on_read(self, backend: Backend) -> None:
        trades = _trades(300)
        _write(backend, trades)
        backend.clock.now = START + 7 * DAY + 60 * SECOND
        found = backend.storage.ticks.read(MARKET, START, START + HOUR)
        assert int(found.times[0]) >= START + 60 * SECOND - MINUTE
        assert found.last_id == 1_299
        backend.clock.now = START + 8 * DAY
        assert len(backend.storage.ticks.read(MARKET, START, START + HOUR)) == 0

    def test_a_damaged_chunk_is_skipped_and_counted(self, backend: Backend) -> None:
        trades = _trades(111)
        _write(backend, trades)
        partition = f"{MARKET.key}#2024-08-08T23"
        victim = list(backend.tables[0].query(partition))[1]
        backend.tables[0].put(replace(victim, payload=victim.payload[:-3]))
        assert rows(backend.storage.ticks.read(MARKET, START, START + HOUR)) == rows(trades)[:37] + rows(trades)[74:]
        assert backend.storage.ticks.note_damage() == 1
        (damaged,) = backend.storage.ticks.damaged()
        assert (damaged.market, damaged.hour, damaged.first_id, damaged.last_id) == (MARKET, START, 1_037, 1_073)
        assert damaged.reason == "its checksum does not match"
        assert backend.storage.ticks.note_damage() == 0
        backend.storage.ticks.discard(damaged)
        assert backend.storage.ticks.damaged() == ()
        _write(backend, trades.take(slice(37, 74)))
        assert rows(backend.storage.ticks.read(MARKET, START, START + HOUR)) == rows(trades)
        assert backend.storage.ticks.note_damage() == 0

    def test_the_last_id(self, backend: Backend) -> None:
        assert backend.storage.ticks.last_id(MARKET, START, START + HOUR) is None
        _write(backend, _trades(100, step_ms=60_000))
        assert backend.storage.ticks.last_id(MARKET, START, START + 6 * HOUR) == 1_099
        assert backend.storage.ticks.last_id(MARKET, START, START + 30 * MINUTE) == 1_059

    def test_dirty_marks_are_kept_until_they_are_cleared(self, backend: Backend) -> None:
        marks = [DirtyMark(MARKET, START, 5, 9, 5), DirtyMark(OTHER, START, 5, 9, 5)]
        for mark in marks:
            backend.storage.ticks.mark_dirty(mark)
            backend.storage.ticks.mark_dirty(mark)
        assert backend.storage.ticks.dirty_marks() == tuple(marks)
        backend.storage.ticks.clear_mark(marks[0])
        assert backend.storage.ticks.dirty_marks() == (marks[1],)


def test_a_minute_is_read_without_the_rest_of_its_hour() -> None:
    """About ten chunks for a minute in the middle of 720, not half of them."""
    table = _CountingTable()
    storage = storage_on(table, MemoryTable(), Settings.load({}), lambda: START + HOUR)
    trades = _trades(36_000, step_ms=100)
    for at in range(0, 36_000, 50):
        storage.ticks.write(codec.pack(MARKET, trades.take(slice(at, at + 50))))
    found = storage.ticks.read(MARKET, START + 31 * MINUTE, START + 32 * MINUTE)
    assert len(found) == 600
    assert table.items < 110


class _CountingTable(MemoryTable):
    """Counts the items that were really taken."""

    items = 0

    def query(self, pk: str, *args: Any, **kwargs: Any) -> Iterator[Item]:
        for item in super().query(pk, *args, **kwargs):
            self.items += 1
            yield item


class TestBars:
    def test_bars_read_back_over_items(self, backend: Backend) -> None:
        seconds = bars_of_trades(_trades(600, step_ms=7_000), S1.ms)
        for interval in (S1, M1, M5):
            bars = coarser(seconds, interval.ms)
            assert backend.storage.bars.merge(MARKET, bars) >= 1
            back = backend.storage.bars.read(MARKET, interval, START, START + 2 * HOUR)
            assert back.time.tolist() == bars.time.tolist()
            assert back.volume.tolist() == bars.volume.tolist()

    def test_an_item_holds_a_minute_of_1s_an_hour_of_1m_and_a_day_of_5m(self, backend: Backend) -> None:
        seconds = bars_of_trades(_trades(4_000, step_ms=1_000), S1.ms)
        written = [backend.storage.bars.merge(MARKET, coarser(seconds, one.ms)) for one in (S1, M1, M5)]
        assert written == [67, 2, 2]

    def test_merging_the_same_bars_again_writes_nothing(self, backend: Backend) -> None:
        bars = bars_of_trades(_trades(100), M1.ms)
        assert backend.storage.bars.merge(MARKET, bars) == 1
        assert backend.storage.bars.merge(MARKET, bars) == 0

    def test_a_better_bar_replaces_only_itself(self, backend: Backend) -> None:
        trades = _trades(300)
        holed = bars_of_trades(trades.take(np.delete(np.arange(300), 5)), S1.ms)
        backend.storage.bars.merge(MARKET, holed)
        whole = bars_of_trades(trades, S1.ms)
        assert backend.storage.bars.merge(MARKET, whole.between(START, START + 3 * SECOND)) == 1
        back = backend.storage.bars.read(MARKET, S1, START, START + HOUR)
        assert back.trades.tolist() == whole.trades.tolist()

    def test_the_ends_of_what_is_stored(self, backend: Backend) -> None:
        bars = backend.storage.bars
        assert bars.earliest(MARKET, M1, 0) is None
        assert bars.latest(MARKET, M1, NEVER // 100) is None
        bars.merge(MARKET, bars_of_trades(_trades(300, step_ms=60_000), M1.ms))
        assert bars.earliest(MARKET, M1, 0) == START
        assert bars.earliest(MARKET, M1, START + 59 * MINUTE + 1) == START + HOUR
        assert bars.latest(MARKET, M1, START + HOUR) == START + 59 * MINUTE
        assert bars.latest(MARKET, M1, START + DAY) == START + 299 * MINUTE

    def test_a_watermark_only_moves_forward(self, backend: Backend) -> None:
        first = Watermark(MARKET, START, 7, 6, START - 1, True, START + 5)
        assert backend.storage.bars.watermark(MARKET) is None
        assert backend.storage.bars.advance(first)
        assert not backend.storage.bars.advance(replace(first, resume_id=8))
        assert not backend.storage.bars.advance(replace(first, time=START - MINUTE))
        assert backend.storage.bars.advance(replace(first, time=START + MINUTE))
        assert backend.storage.bars.watermarks() == {MARKET: replace(first, time=START + MINUTE)}

    def test_incomplete_minutes_are_remembered_while_they_may_be_healed(self, backend: Backend) -> None:
        bars = backend.storage.bars
        for minute in (START, START + MINUTE, START):
            bars.note_incomplete(MARKET, minute)
        assert bars.incomplete() == ((MARKET, START), (MARKET, START + MINUTE))
        bars.clear_incomplete(MARKET, START)
        assert bars.incomplete() == ((MARKET, START + MINUTE),)
        backend.clock.now += 6 * HOUR
        assert bars.incomplete() == ()

    def test_a_bar_that_differs_from_the_exchanges_is_noted(self, backend: Backend) -> None:
        ours = bars_of_trades(_trades(600, step_ms=400), M1.ms, previous_id=999, next_id=1_600)
        unknown = {"complete": np.full(len(ours), -1, np.int8), "source": np.zeros(len(ours), np.int8)}
        theirs = replace(ours, **unknown)
        backend.storage.bars.merge(MARKET, theirs)
        backend.storage.bars.merge(MARKET, ours)
        assert backend.storage.bars.differences() == ()
        wrong = theirs.volume.copy()
        wrong[1] += 1
        backend.storage.bars.merge(OTHER, replace(theirs, volume=wrong))
        backend.storage.bars.merge(OTHER, ours)
        assert backend.storage.bars.differences() == (f"{OTHER.key}#1m#{START + MINUTE}",)


class TestRegisters:
    def test_heartbeats_of_the_last_hour(self, backend: Backend) -> None:
        now = backend.clock.now
        pulse = MarketPulse(MARKET, 9, now, 8, now - 1, now - 1, 12, "61837.63", {"duplicates": 3})
        beats = [
            Heartbeat("1/2", "a", now - 5, "live", (pulse,), {"trades": 4}),
            Heartbeat("2/2", "b", now, "live", ()),
        ]
        for beat in [*beats[::-1], Heartbeat("1/2", "old", now - HOUR - 1, "live", ())]:
            backend.storage.heartbeats.put(beat)
        assert backend.storage.heartbeats.all() == tuple(beats)

    def test_a_heartbeat_of_an_earlier_release_is_read_and_a_new_one_is_small(self, backend: Backend) -> None:
        now = backend.clock.now
        pulses = tuple(MarketPulse(Market("binance", f"S{at}USDT"), at, now, at, now, now) for at in range(100))
        beats = [Heartbeat("1/2", "a", now - 1, "live", pulses), Heartbeat("2/2", "b", now, "live", pulses)]
        plain = msgspec.json.encode(beats[0])
        backend.tables[0].put(Item("heartbeat", "1/2#a", plain, last_time=now - 1, ttl=(now + HOUR) // SECOND))
        backend.storage.heartbeats.put(beats[1])
        assert backend.storage.heartbeats.all() == tuple(beats)
        sizes = [len(item.payload) for item in backend.tables[0].query("heartbeat")]
        assert sizes[1] < sizes[0] / 4

    def test_instruments(self, backend: Backend) -> None:
        instruments = [Instrument(MARKET, "BTC", "USDT", 2, 5), Instrument(OTHER, "BTC", "USD", 2, 8)]
        backend.storage.instruments.put(instruments[::-1])
        backend.storage.instruments.put(instruments)
        assert backend.storage.instruments.all() == tuple(instruments)


def test_settings_decide_how_long_things_stay(backend: Backend) -> None:
    settings = Settings.load({"TICK_TTL_SECONDS": "7200", "BAR_1S_TTL_SECONDS": "3600"})
    storage = storage_on(*backend.tables, settings, backend.clock)
    storage.ticks.write(codec.pack(MARKET, _trades(1)))
    storage.bars.merge(MARKET, bars_of_trades(_trades(1), S1.ms))
    storage.bars.merge(MARKET, bars_of_trades(_trades(1), M1.ms))
    (chunk,) = backend.tables[0].query(f"{MARKET.key}#2024-08-08T23")
    (second,) = backend.tables[1].query(f"{MARKET.key}#1s")
    (minute,) = backend.tables[1].query(f"{MARKET.key}#1m")
    assert (chunk.ttl, second.ttl, minute.ttl) == (START // SECOND + 7200, START // SECOND + 3600, None)
