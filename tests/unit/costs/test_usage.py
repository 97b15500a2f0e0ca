"""The figures that the bill is made of are those of the code: an hour is played through metered tables."""

from __future__ import annotations

import pytest

from analyse.service import Analyst
from api.chalicelib.routes import create_app
from api.chalicelib.service import MarketData
from quant.contract.catalogue import LIGHT
from quant.domain.interval import DAY, MINUTE
from quant.http.answers import to_json
from quant.monthly_use import Load, units_per_chunk
from quant.usage import ANALYSE, CHUNKS_READ, HEALTH, HEARTBEAT, ITEM_OVERHEAD, KB, OHLC, RESAMPLE, SYMBOLS
from tests.benchmarks.hour import Hour
from tests.benchmarks.markets import markets
from tests.benchmarks.metered import Meter
from tests.functional.api.client import Client

SYMBOL_COUNT, RATE, PLAYED = 20, 50, 60


@pytest.fixture(scope="module")
def hour() -> Hour:
    played = Hour(markets(SYMBOL_COUNT), RATE)
    played.play(PLAYED)
    return played


def _close(measured: float, stated: float) -> None:
    """What is stated may be a little too much, hardly too little."""
    assert 0.6 * stated <= measured <= 1.2 * stated, (measured, stated)


def test_chunks_are_as_many_and_as_large_as_the_load_says(hour: Hour) -> None:
    load = Load()
    seconds = PLAYED * 60
    _close(hour.chunks / seconds, load.chunks)
    _close(hour.chunk_bytes / hour.trades, load.bytes_per_trade)
    _close(hour.work["ingest"].write_units / hour.chunks, units_per_chunk(load.chunk_bytes))


def test_a_heartbeat_is_as_large_as_stated(hour: Hour) -> None:
    beat = hour.work["heartbeat"]
    _close(beat.written_bytes / beat.requests, HEARTBEAT[0] + SYMBOL_COUNT * HEARTBEAT[1])


def test_a_run_of_the_resampler_asks_for_what_is_stated(hour: Hour) -> None:
    stated, load = RESAMPLE.for_markets(SYMBOL_COUNT), Load()
    chunks = load.chunks * 60 * (load.chunk_bytes + ITEM_OVERHEAD) * CHUNKS_READ / (4 * KB)
    run = hour.work["resample"]
    _close(run.requests / PLAYED, stated.requests)
    _close(run.read_units / PLAYED, stated.reads + chunks)
    _close(run.write_units / PLAYED, stated.writes)


def test_a_run_of_the_analyst_asks_for_what_is_stated(hour: Hour) -> None:
    storage, stated = hour.storage, ANALYSE.for_markets(SYMBOL_COUNT)
    analyst = Analyst(storage.bars, storage.instruments, storage.cache, to_json, lambda: hour.now)
    for _ in range(5):
        hour.now += MINUTE
        hour.part("analyse", lambda: analyst.run(hour.now))
    run = hour.work["analyse"]
    _close(run.requests / 5, stated.requests)
    _close(run.read_units / 5, stated.reads)
    _close(run.write_units / 5, stated.writes)


def test_the_routes_of_a_dashboard_ask_for_what_is_stated(hour: Hour) -> None:
    data = MarketData(hour.storage, _checks(hour), 7 * DAY, "1")
    client = Client(create_app(lambda: data, lambda: hour.now), LIGHT)
    client.get("/symbols")
    for _ in range(4):
        start = hour.now - 5 * MINUTE
        hour.now += MINUTE // 2
        hour.part("ohlc", lambda start=start: client.get("/ohlc/SYM0000USDT", interval="1m", start=start))
        hour.part("health", lambda: client.get("/health"))
        hour.part("symbols", lambda: client.get("/symbols"))
    for name, stated in (("ohlc", OHLC), ("health", HEALTH), ("symbols", SYMBOLS)):
        whole, work = stated.for_markets(SYMBOL_COUNT), hour.work[name]
        assert work.write_units == 0
        _close(work.read_units / 4, whole.reads)


def _checks(hour: Hour) -> dict[str, object]:
    storage = hour.storage
    return {"tick_data": storage.heartbeats.all, "ohlc_data": storage.bars.watermarks}


def test_the_meter_counts_as_dynamodb_bills() -> None:
    """4 KB a read unit and 1 KB a write unit, each begun one whole, an empty read one."""
    meter = Meter()
    for size in (0, 1, 4096, 4097):
        meter.read(size)
    for size in (1, 1024, 1025):
        meter.write(size)
    assert (meter.read_units, meter.write_units, meter.requests) == (5, 4, 4)
