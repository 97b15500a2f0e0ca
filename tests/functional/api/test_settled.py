"""Which pages may be kept for ever: those that neither a new nor a healed trade can change."""

from __future__ import annotations

import pytest

from api.chalicelib.routes import create_app
from api.chalicelib.service import HEAL_MAX, MarketData
from quant.contract.catalogue import LIGHT
from quant.domain.interval import DAY, HOUR, MINUTE
from tests.functional.api.client import Client
from tests.functional.world import START, World, random_trades

TRADES = random_trades(3_000)
IMMUTABLE, ANEW = "public, max-age=86400, immutable", "no-cache"


@pytest.fixture
def world() -> World:
    world = World()
    world.follow()
    world.write(TRADES)
    world.now = int(TRADES.times[-1]) + 1
    world.beat(TRADES)
    world.resample()
    return world


def _client(world: World) -> Client:
    data = MarketData(world.storage, {}, 7 * DAY, "1")
    return Client(create_app(lambda: data, lambda: world.now), LIGHT)


def _kept(client: Client, path: str, **query: object) -> str:
    reply = client.get(path, **query)
    assert reply.status == 200
    return reply.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/ohlc/BTCUSDT", "/ticks/BTCUSDT"])
def test_a_page_becomes_settled_when_healing_is_over(world: World, path: str) -> None:
    client, end = _client(world), START + 6 * MINUTE
    query = {"start": START + MINUTE, "end": end, "limit": 1_000}
    assert _kept(client, path, **query) == ANEW
    world.now = end + HEAL_MAX - MINUTE
    assert _kept(client, path, **query) == ANEW
    world.now = end + HEAL_MAX + HOUR
    assert _kept(client, path, **query) == IMMUTABLE
    assert _kept(client, path, **query, format="csv") == IMMUTABLE


@pytest.mark.parametrize("path", ["/ohlc/BTCUSDT", "/ticks/BTCUSDT"])
def test_the_live_end_is_never_settled(world: World, path: str) -> None:
    client = _client(world)
    world.now += 2 * HEAL_MAX
    assert _kept(client, path) == ANEW
    assert _kept(client, path, start=START + MINUTE, limit=1_000) == (ANEW if "ohlc" in path else IMMUTABLE)
    assert _kept(client, path, start=START + MINUTE, limit=3) == IMMUTABLE, "a full page lies in the past"


def test_bars_that_lack_trades_are_never_settled(world: World) -> None:
    client = _client(world)
    world.now += 2 * HEAL_MAX
    # The first bar's own neighbour is not known.
    assert _kept(client, "/ohlc/BTCUSDT", start=START, end=START + 5 * MINUTE) == ANEW


def test_the_end_of_time_is_a_time(world: World) -> None:
    client = _client(world)
    assert client.get("/ohlc/BTCUSDT", end=0).plain["bars"] == []
    assert client.get("/ticks/BTCUSDT", end=0).plain["ticks"] == []
