"""How far it scales: the resampler and the tables under 20, 200 and 2,000 markets, in memory and on the emulator.

`python -m tests.benchmarks.simulate_scale` prints the tables that docs/scaling.md quotes; it takes about a minute. In
memory it counts what DynamoDB would bill; on the emulator it measures the client's processor time per request, which
no table in memory has.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from statistics import median

from quant.costs import load_prices, monthly_bill
from quant.monthly_use import Load, units_per_chunk
from quant.storage.dynamo import DynamoTable
from quant.storage.envelope import MAX_BODY
from quant.usage import ANALYSE, HEARTBEAT, KB, LAMBDA_SLOWER, ROUND_TRIP
from tests.benchmarks.emulated import create_table, emulator
from tests.benchmarks.hour import Hour
from tests.benchmarks.markets import markets
from tests.benchmarks.measure import one_core

STEPS = (20, 200, 2_000)
RATE = 50.0
ITEM_LIMIT = 400 * KB
HEARTBEAT_PLAIN = 340
"""Bytes of a market in a heartbeat before it is compressed."""
PARTITION_WRITES, PARTITION_READS = 1_000, 3_000
RESAMPLE_LIMIT = 45.0
"""Seconds of a run: 50 s of the function's time, less what it keeps in reserve."""


@dataclass(frozen=True, slots=True)
class Played:
    """One run of the resampler over a minute of so many markets."""

    markets: int
    cpu: float
    requests: float
    reads: float
    writes: float


def main() -> None:
    with one_core():
        played = [_play(count) for count in STEPS]
        request_cpu = _request_cpu()
    _say("one run of the resampler, in memory", "")
    for one in played:
        _say(
            f"{one.markets:>6,} markets",
            f"{one.cpu:6.2f} s CPU, {one.requests:8,.0f} requests, {one.reads:8,.0f} reads, {one.writes:8,.0f} writes",
        )
    _say("client's CPU per request, on the emulator", f"{request_cpu * 1000:.2f} ms")
    for one in played:
        _say(f"{one.markets:>6,} markets, on Lambda at 1,769 MB", f"{_lambda_seconds(one, request_cpu):7.1f} s")
    _limits(played[1], request_cpu)
    for count in STEPS:
        _bill(count)


def _play(count: int) -> Played:
    """Three minutes; the middle of three runs counts."""
    hour = Hour(markets(count), RATE)
    hour.play(3)
    run, runs = hour.work["resample"], len(hour.runs["resample"])
    return Played(
        count, median(hour.runs["resample"]), run.requests / runs, run.read_units / runs, run.write_units / runs
    )


def _request_cpu(count: int = 20) -> float:
    """What a run costs more of this process's time on the emulator than in memory, by request."""
    memory = Hour(markets(count), RATE)
    memory.play(3)
    with emulator():
        tables = [f"scale-{name}" for name in ("tick_data", "ohlc_data", "analytics_cache")]
        for name in tables:
            create_table(name)
        real = Hour(markets(count), RATE, *(DynamoTable(name) for name in tables))
        real.play(3)
    more = sum(real.runs["resample"]) - sum(memory.runs["resample"])
    return more / memory.work["resample"].requests


def _lambda_seconds(one: Played, request_cpu: float) -> float:
    return (one.cpu + one.requests * request_cpu) * LAMBDA_SLOWER + one.requests * ROUND_TRIP


def _limits(one: Played, request_cpu: float) -> None:
    each = _lambda_seconds(one, request_cpu) / one.markets
    _say("Lambda's minute ends the resampler at", f"{RESAMPLE_LIMIT / each:,.0f} markets")
    packed, plain = (ITEM_LIMIT - HEARTBEAT[0]) / HEARTBEAT[1], MAX_BODY / HEARTBEAT_PLAIN
    _say("one heartbeat ends at", f"{min(packed, plain):,.0f} markets of a shard")
    load = Load()
    chunk = units_per_chunk(load.chunk_bytes) / load.flush_seconds
    _say("one market's partition at 50 trades/s", f"{chunk:.2f} of {PARTITION_WRITES:,} write units/s")
    per_trade = units_per_chunk(load.chunk_bytes) / (RATE * load.flush_seconds)
    _say("one market's partition ends at", f"{PARTITION_WRITES / per_trade:,.0f} trades/s")
    _say("the watermarks' partition ends at", f"{PARTITION_WRITES * 60:,.0f} markets, if a minute spreads them")
    analyst = replace(ANALYSE, cpu=0.0).for_markets(2_000)
    _say("analyst's requests at 2,000 markets", f"{analyst.requests:,.0f} a run, {analyst.reads:,.0f} reads")


def _bill(count: int) -> None:
    load = replace(Load(), symbols=count, trades_per_second=RATE * count, ingestors=max(count // 200, 1))
    load = replace(load, vcpu=0.25 if count <= 20 else 1.0, memory_gb=0.5 if count <= 20 else 2.0)
    bill = monthly_bill(load, load_prices())
    _say(f"{count:>6,} markets a month", f"${bill.total:9,.2f}, ${bill.total / count:5.2f} a symbol")


def _say(what: str, figure: str) -> None:
    sys.stdout.write(f"{what:<46} {figure}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
