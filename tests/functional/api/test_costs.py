"""GET /costs over heartbeats in memory."""

from __future__ import annotations

from typing import Any

from api.chalicelib.costs_routes import measured_load
from api.chalicelib.routes import create_app
from api.chalicelib.service import MarketData
from quant.contract.catalogue import LIGHT
from quant.costs import load_prices, monthly_bill
from quant.domain.interval import DAY, MINUTE
from quant.domain.market import Market
from quant.domain.ports import Heartbeat, MarketPulse
from quant.monthly_use import Load
from tests.functional.api.client import Client
from tests.functional.world import MARKET, World

FIGURES = {"trades_per_second": 30.0, "chunks": 600, "uptime_s": 3_000, "stored_trades": 90_000}


def _beat(shard: str, instance: str, market: Market = MARKET, **figures: Any) -> Heartbeat:
    pulse = MarketPulse(market, 1, 1, 1, 1, 1)
    return Heartbeat(shard, instance, World().now, "live", (pulse,), FIGURES | figures)


def _asked(world: World) -> tuple[int, Any]:
    data = MarketData(world.storage, {}, 7 * DAY, "1.2.3")
    answer = Client(create_app(lambda: data, lambda: world.now), LIGHT).get("/costs")
    return answer.status, answer.plain


def test_the_measured_load_is_priced() -> None:
    world = World()
    world.storage.heartbeats.put(_beat("1/1", "a"))
    status, body = _asked(world)
    assert (status, body["basis"], body["currency"]) == (200, "measured", "USD")
    assert (body["load"]["symbols"], body["load"]["trades_per_second"]) == (1, 30.0)
    assert body["load"]["chunks_per_second"] == 0.2
    bill = monthly_bill(Load(symbols=1, trades_per_second=30.0, chunks_per_second=0.2), load_prices())
    assert body["total"] == round(bill.total, 4)
    assert (
        sum(line["usd"] for line in body["lines"]) - sum(line["free"] for line in body["lines"]) - body["total"] < 0.01
    )


def test_without_an_ingestor_the_reference_load_is_priced_and_named_so() -> None:
    world = World()
    status, body = _asked(world)
    assert (status, body["basis"], body["load"]["symbols"]) == (200, "reference", 20)


def test_a_heartbeat_of_yesterday_counts_no_more() -> None:
    world = World()
    world.storage.heartbeats.put(_beat("1/1", "a"))
    world.now += MINUTE
    assert _asked(world)[1]["basis"] == "reference"


def test_two_shards_add_up_and_two_copies_do_not() -> None:
    other = Market("binance", "ETHUSDT")
    shards = measured_load([_beat("1/2", "a"), _beat("2/2", "b", other)])
    copies = measured_load([_beat("1/1", "a"), _beat("1/1", "b", trades_per_second=29.0)])
    assert shards is not None
    assert copies is not None
    assert (shards.symbols, shards.trades_per_second, shards.copies, shards.chunks) == (2, 60.0, 1, 0.4)
    assert (copies.symbols, copies.trades_per_second, copies.copies, copies.chunks) == (1, 30.0, 2, 0.4)


def test_stored_bytes_are_used_where_the_ingestor_tells_them() -> None:
    load = measured_load([_beat("1/1", "a", stored_bytes=270_000)])
    assert load is not None
    assert load.bytes_per_trade == 3.0


def test_figures_that_are_missing_or_odd_leave_the_reference_in_place() -> None:
    odd = Heartbeat("1/1", "a", 0, "live", (MarketPulse(MARKET, 1, 1, 1, 1, 1),), {"chunks": "many"})
    load = measured_load([odd])
    assert load is not None
    assert (load.trades_per_second, load.chunks_per_second, load.bytes_per_trade) == (0.0, None, 2.7)
    assert monthly_bill(load, load_prices()).total > 0
