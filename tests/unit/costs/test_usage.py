"""The figures that the bill is made of are those of the code: an hour is played through metered tables."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from analyse.handler import TELEMETRY as ANALYST
from analyse.service import Analyst
from api.chalicelib.routes import TELEMETRY as API
from api.chalicelib.routes import create_app
from api.chalicelib.service import MarketData
from check_alerts.delivery import Courier, DeliveryReport
from check_alerts.handler import TELEMETRY as CHECK
from check_alerts.handler import figures as check_figures
from check_alerts.letters import Letters
from check_alerts.service import Monitor
from ingestor.metrics import EmbeddedMetrics
from quant.contract.catalogue import LIGHT
from quant.domain.alert import CheckReport
from quant.domain.interval import DAY, MINUTE
from quant.http.answers import to_json
from quant.monthly_use import Load, minutely, units_per_chunk
from quant.telemetry import Telemetry
from quant.usage import ANALYSE, CHUNKS_READ, HEALTH, HEARTBEAT, ITEM_OVERHEAD, KB, LOGGED, OHLC, RESAMPLE, SYMBOLS
from resample.handler import TELEMETRY as RESAMPLER
from resample.service import Report
from tests.benchmarks.bench_alerts import quiet_rules
from tests.benchmarks.hour import Hour
from tests.benchmarks.markets import markets
from tests.benchmarks.metered import Meter
from tests.functional.api.client import Client

SYMBOL_COUNT, RATE, PLAYED = 20, 50, 60
# Bytes of the three lines that Lambda writes of each call.
BY_LAMBDA = 300


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
    analyst, stated = _analyst(hour), ANALYSE.for_markets(SYMBOL_COUNT)
    for _ in range(5):
        hour.now += MINUTE
        hour.part("analyse", lambda: analyst.run(hour.now))
    run = hour.work["analyse"]
    _close(run.requests / 5, stated.requests)
    _close(run.read_units / 5, stated.reads)
    _close(run.write_units / 5, stated.writes)


def _analyst(hour: Hour) -> Analyst:
    storage = hour.storage
    return Analyst(storage.bars, storage.instruments, storage.cache, to_json, lambda: hour.now)


def test_a_check_of_a_hundred_quiet_rules_asks_for_what_is_stated(hour: Hour) -> None:
    storage, load = hour.storage, Load()
    for rule in quiet_rules(hour.markets, load.rules):
        storage.rules.put(rule, expected=0)
    monitor = Monitor(
        storage.rules, storage.alerts, storage.ticks, storage.bars, storage.heartbeats, storage.instruments,
        storage.cache, lambda: hour.now,
    )  # fmt: skip
    courier = Courier(storage.alerts, Letters(dict), dict, lambda: None, lambda: hour.now)
    for _ in range(5):
        hour.part("check", lambda: monitor.check(hour.now))
        hour.part("check", courier.deliver_due)
    stated, run = minutely(load)["check alerts"], hour.work["check"]
    _close(run.requests / 5, stated.requests)
    _close(run.read_units / 5, stated.reads)
    _close(run.write_units / 5, stated.writes)


def test_a_quiet_platform_sends_no_more_metrics_than_are_paid_for(
    hour: Hour, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of those that count what is rare, three would have to count it in every hour."""
    (beat,) = hour.storage.heartbeats.all()
    busy = {"trades": 10_000, "stored_trades": 10_000, "trades_per_second": 1_000.5, "journal_bytes": 9_000}
    quiet = EmbeddedMetrics(io.StringIO()).line(replace(beat, figures=dict.fromkeys(beat.figures, 0) | busy))
    checked = check_figures(CheckReport(hour.now, hour.now + 500, rules=100), DeliveryReport())
    run = _line(RESAMPLER, capsys, **asdict(Report(markets=20, bars=1_300, items_written=44)), differing_bars=0)
    check = _line(CHECK, capsys, **checked)
    analysis, answer = _line(ANALYST, capsys), _line(API, capsys, bytes=900, server_errors=0)
    sent = [one["Name"] for line in (quiet, run, check, analysis, answer) for one in _metrics(line)]
    assert sent == [
        "Heartbeats", "Trades", "StoredTrades", "TradesPerSecond", "JournalBytes", "LagMilliseconds",
        "SinceLastTradeMilliseconds", "duration_ms", "duration_ms", "duration_ms",
    ]  # fmt: skip
    assert len(sent) + 3 == Load().metrics
    _close(len(json.dumps(quiet)), LOGGED["heartbeat"])
    _close(len(json.dumps(check)) + BY_LAMBDA, LOGGED["run"])


def _line(telemetry: Telemetry, capsys: pytest.CaptureFixture[str], **figures: object) -> dict[str, Any]:
    """What a function writes; its own Logger holds the stdout of when it was made."""
    told = Telemetry.of(f"cost of {telemetry.logger.service}", telemetry.metrics.namespace, **telemetry.units)
    told.report("done", **{"duration_ms": 340, **figures})
    [line] = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert isinstance(line, dict)
    return line


def _metrics(line: dict[str, Any]) -> list[dict[str, str]]:
    return line["_aws"]["CloudWatchMetrics"][0]["Metrics"] if "_aws" in line else []


def test_the_routes_of_a_dashboard_ask_for_what_is_stated(hour: Hour) -> None:
    data = MarketData(hour.storage, _checks(hour), 7 * DAY, "1")
    client = Client(create_app(lambda: data, lambda: hour.now), LIGHT)
    # The day's figures of /symbols are those of the analyst's last run.
    _analyst(hour).run(hour.now)
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
