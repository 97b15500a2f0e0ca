"""What the ingestor says of itself, as /api/health shows it."""

from __future__ import annotations

import json
from pathlib import Path

from api.chalicelib.service import MarketData
from infra.local.exchange.faults import Inject
from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.server import ExchangeServer
from ingestor.gaps import Gap
from ingestor.metrics import COUNTERS, MOMENTS
from quant.domain.interval import HOUR
from tests.functional.ingestor.conftest import now_ms, running


async def test_health_knows_the_ingestor_right_after_its_start_and_shows_what_is_wrong(
    server: ExchangeServer[ScriptedMarket], tmp_path: Path
) -> None:
    async with running(server, tmp_path, heartbeat_seconds=3600) as run:
        await run.log.wait("heartbeat")
        health = json.loads(MarketData(run.storage, {}, HOUR, "1").health(now_ms()).body)
        assert health["market"] == "live"
        server.market.publish("BTCUSDT", price="1", quantity="1")
        server.faults.add(Inject(what="malformed", times=3))
        await run.log.wait("quarantined")
        run.ingestor.gaps.record([Gap("binance", "BTCUSDT", 5, 9, 1, 2, "further back than is healed by itself")])
        await run.until_stored(range(100, 101))
        storage = run.storage
        assert await run.end()
    health = json.loads(MarketData(storage, {}, HOUR, "1").health(now_ms()).body)
    assert health["ingestor"]["quarantined_by_reason"]["json"] >= 1
    told = {"trades_per_second", "reconnects", "holes_open", "holes_healed", "halts", "quarantined", "journal_bytes",
            "queue_depth"}  # fmt: skip
    assert told <= health["ingestor"].keys()
    assert told <= {*COUNTERS, *MOMENTS} <= storage.heartbeats.all()[-1].figures.keys()
    assert (health["symbols"][0]["last_id"], health["symbols"][0]["lag_ms"] < 15_000) == (100, True)
    assert [(gap["first_id"], gap["last_id"]) for gap in health["gaps"]] == [(5, 9)]
    assert (health["symbols"][0]["holes_open"], health["symbols"][0]["missing_ids"]) == (0, 0)
