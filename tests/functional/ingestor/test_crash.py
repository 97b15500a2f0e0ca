"""The ingestor ends at any moment, without a farewell, and begins again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.server import ExchangeServer
from quant.errors import UnavailableError
from quant.storage.storage import memory_storage
from tests.functional.ingestor.conftest import away_from_edges, now_ms, running

Server = ExchangeServer[ScriptedMarket]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_killed_at_random_moments_it_loses_nothing(server: Server, tmp_path: Path, seed: int) -> None:
    await away_from_edges()
    rng, storage, published = Random(seed), memory_storage(now_ms), 0
    for _ in range(8):
        async with running(server, tmp_path, storage=storage) as run:
            if rng.random() < 0.4:
                run.ticks.fail = lambda: (_ for _ in ()).throw(UnavailableError("write", "away"))
            for _ in range(rng.randrange(10, 60)):
                server.market.publish("BTCUSDT", price="61837.63", quantity="0.02")
                published += 1
                await asyncio.sleep(rng.random() * 0.02)
            await run.crash()
        for _ in range(rng.randrange(5)):
            server.market.publish("BTCUSDT", price="61837.64", quantity="0.03")
            published += 1
    async with running(server, tmp_path, storage=storage) as run:
        await run.until_stored(range(100, 100 + published))
