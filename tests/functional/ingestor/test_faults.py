"""Whatever the exchange does, the stored ids are the published ids."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from infra.local.exchange.faults import (
    Abort,
    Close,
    Duplicate,
    Fault,
    HalfOpen,
    Inject,
    NoHistoricalTrades,
    RefuseConnections,
    RefuseUpgrade,
    Reorder,
    RestStatus,
    Shutdown,
    Skip,
    SlowRest,
    Stall,
    TruncatedPages,
)
from infra.local.exchange.garbage import KINDS
from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.server import ExchangeServer
from quant.errors import ThrottledError, UnavailableError
from tests.functional.ingestor.conftest import running

Server = ExchangeServer[ScriptedMarket]


async def publish(server: Server, count: int, pause: float = 0.003) -> None:
    for k in range(count):
        server.market.publish("BTCUSDT", price=f"61837.{k % 100:02d}", quantity="0.02")
        await asyncio.sleep(pause)


@pytest.mark.parametrize(
    "fault",
    [
        Close(code=1001),
        Close(code=1006),
        Close(code=1011),
        Abort(),
        Abort(after_bytes=500),
        Stall(duration=0.5),
        Shutdown(notice=1.0),
        Duplicate(times=20),
        Reorder(times=10),
        Skip(times=20),
    ],
    ids=lambda fault: str(fault),
)
async def test_no_trade_is_lost_and_none_is_stored_twice(server: Server, tmp_path: Path, fault: Fault) -> None:
    async with running(server, tmp_path) as run:
        await publish(server, 30)
        server.faults.add(fault)
        await publish(server, 100)
        await run.until_stored(range(100, 230))


@pytest.mark.parametrize("refusal", [RefuseUpgrade(status=503), RefuseConnections(duration=0.3)], ids=str)
async def test_a_refused_connection_is_tried_again(server: Server, tmp_path: Path, refusal: Fault) -> None:
    async with running(server, tmp_path) as run:
        await publish(server, 10)
        server.faults.add(refusal)
        server.faults.add(Abort())
        await publish(server, 50)
        await run.until_stored(range(100, 160))


async def test_a_region_that_is_refused_is_told_in_one_line(server: Server, tmp_path: Path) -> None:
    async with running(server, tmp_path) as run:
        server.faults.add(RefuseUpgrade(status=451))
        server.faults.add(Abort())
        await publish(server, 2)
        facts = await run.log.wait("connect_failed")
        assert facts["reason"] == "HTTP 451: the exchange refuses this region"
        assert facts["pause_s"] == 60


async def test_a_silent_connection_is_replaced(server: Server, tmp_path: Path) -> None:
    async with running(server, tmp_path, stale_seconds=0.5) as run:
        await publish(server, 10)
        server.faults.add(HalfOpen())
        await publish(server, 60, 0.02)
        await run.log.wait("stale")
        await run.until_stored(range(100, 170))


async def test_a_shutdown_notice_is_met_with_a_handover(server: Server, tmp_path: Path) -> None:
    async with running(server, tmp_path) as run:
        await publish(server, 10)
        server.faults.add(Shutdown(notice=5.0))
        await publish(server, 100, 0.02)
        await run.log.wait("handed_over")
        await run.until_stored(range(100, 210))
        assert run.log.named("disconnected") == []
        assert run.log.named("hole_opened") == []


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_bad_frames_never_stop_the_stream(server: Server, tmp_path: Path, kind: str) -> None:
    async with running(server, tmp_path) as run:
        await publish(server, 5)
        server.faults.add(Inject(what=kind, times=5))
        await publish(server, 50)
        trades = await run.until_stored(range(100, 155))
        assert trades.prices.tolist() == [6183700 + k for k in range(5)] + [6183700 + k for k in range(50)]


@pytest.mark.parametrize(
    "faults",
    [
        [RestStatus(status=503, times=2, path="historicalTrades")],
        [RestStatus(status=429, retry_after=1, path="historicalTrades")],
        [RestStatus(status=418, retry_after=1, path="historicalTrades")],
        [SlowRest(delay=0.5)],
        [TruncatedPages(rows=3, times=2)],
        [NoHistoricalTrades()],
    ],
    ids=str,
)
async def test_a_hole_is_healed_through_the_troubles_of_rest(
    server: Server, tmp_path: Path, faults: list[Fault]
) -> None:
    async with running(server, tmp_path) as run:
        await publish(server, 10)
        for fault in faults:
            server.faults.add(fault)
        server.faults.add(Skip(times=30))
        await publish(server, 50)
        await run.until_stored(range(100, 160))


async def test_a_storage_that_fails_is_tried_again(server: Server, tmp_path: Path) -> None:
    async with running(server, tmp_path) as run:
        failures = [ThrottledError("write", "slow down"), UnavailableError("write", "no answer")] * 2

        def fail() -> None:
            if failures:
                raise failures.pop()

        run.ticks.fail = fail
        await publish(server, 30)
        await run.until_stored(range(100, 130))
        assert failures == []
        assert run.ingestor.writer.retries == 4


async def test_a_full_journal_is_said_and_counted_and_costs_no_trade(server: Server, tmp_path: Path) -> None:
    async with running(server, tmp_path, journal_bytes=100) as run:
        failures = [UnavailableError("write", "no answer")] * 5

        def fail() -> None:
            if failures:
                raise failures.pop()

        run.ticks.fail = fail
        await publish(server, 30)
        await run.until_stored(range(100, 130))
        said = await run.log.wait("journal_refused")
        assert "has reached 100 bytes" in said["reason"]
        assert run.ingestor.writer.refused_by_disk > 0
