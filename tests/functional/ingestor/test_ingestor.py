"""From the exchange's frames to stored trades."""

from __future__ import annotations

import asyncio
from pathlib import Path

from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.server import ExchangeServer
from tests.functional.ingestor.conftest import BTC, now_ms, running

Server = ExchangeServer[ScriptedMarket]


def publish(server: Server, count: int, **more: str) -> None:
    for k in range(count):
        server.market.publish("BTCUSDT", price=f"61837.{k % 100:02d}", quantity="0.02", **more)


async def test_trades_are_stored_as_they_were_published(server: Server, tmp_path: Path) -> None:
    async with running(server, tmp_path) as run:
        publish(server, 50)
        trades = await run.until_stored(range(100, 150))
    assert trades.prices.tolist() == [6183700 + k for k in range(50)]
    assert set(trades.quantities.tolist()) == {2000}
    assert (trades.price_decimals, trades.quantity_decimals) == (2, 5)


async def test_a_trade_is_stored_soon_after_it_was_traded(server: Server, tmp_path: Path) -> None:
    async with running(server, tmp_path, flush_ms=1000) as run:
        began = now_ms()
        publish(server, 1)
        await run.until_stored(range(100, 101))
        assert now_ms() - began < 1700


async def test_a_stop_stores_what_has_come(server: Server, tmp_path: Path) -> None:
    async with running(server, tmp_path, flush_ms=60_000) as run:
        publish(server, 20)
        while run.ingestor.feeds.all[0].sessions()[0].frames == [] and run.ingestor.pipeline.counters["frames"] == 0:
            await asyncio.sleep(0.01)
        assert await run.end()
        assert run.stored().ids.tolist() == list(range(100, 120))
        beat = run.storage.heartbeats.all()[-1]
        assert beat.pulses[0].market == BTC
        assert beat.pulses[0].confirmed_id == 119
        assert beat.pulses[0].counters["contiguous_id"] == 119


async def test_a_restart_heals_what_was_traded_in_between(server: Server, tmp_path: Path) -> None:
    async with running(server, tmp_path) as run:
        publish(server, 10)
        await run.until_stored(range(100, 110))
        storage = run.storage
        await run.end()
    publish(server, 2500)
    async with running(server, tmp_path, storage=storage) as run:
        publish(server, 1)
        await run.until_stored(range(100, 2611))
