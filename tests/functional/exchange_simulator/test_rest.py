"""The REST side over real sockets."""

import itertools
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest

from infra.local.exchange.klines import INTERVALS
from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.server import ExchangeServer
from infra.local.exchange.simulated import SimulatedMarket
from infra.local.exchange.weights import Weights

NOW = 1_795_348_830_000
DAY = 86_400_000


class Client:
    def __init__(self, session: aiohttp.ClientSession, server: ExchangeServer[Any]) -> None:
        self.session, self.server = session, server

    async def ask(self, path: str) -> tuple[int, Mapping[str, str], Any]:
        async with self.session.get(f"{self.server.rest_url}/api/v3/{path}") as response:
            return response.status, response.headers, await response.json(content_type=None)

    async def get(self, path: str) -> Any:
        status, _, body = await self.ask(path)
        assert status == 200, body
        return body


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    market = SimulatedMarket(["BTCUSDT", "LTCUSDT"])
    async with (
        ExchangeServer(market, clock=lambda: NOW, weights=Weights(limit=10**6)) as server,
        aiohttp.ClientSession() as session,
    ):
        yield Client(session, server)


async def test_historical_trades_are_the_published_ones_by_id(client: Client) -> None:
    latest = await client.get("trades?symbol=BTCUSDT&limit=1000")
    stop = client.server.market.published("BTCUSDT", NOW)
    assert [row["id"] for row in latest] == list(range(stop - 1_000, stop))
    pages = await client.get(f"historicalTrades?symbol=BTCUSDT&fromId={stop - 600}&limit=400")
    assert pages == latest[400:800]
    assert await client.get(f"historicalTrades?symbol=BTCUSDT&fromId={stop - 5}") == latest[-5:]
    assert await client.get(f"historicalTrades?symbol=BTCUSDT&fromId={stop}") == []


async def test_aggregates_hold_every_trade_once(client: Client) -> None:
    start = NOW - 60_000
    found: list[dict[str, Any]] = await client.get(f"aggTrades?symbol=BTCUSDT&startTime={start}&limit=200")
    while len(page := await client.get(f"aggTrades?symbol=BTCUSDT&fromId={found[-1]['a'] + 1}&limit=200")) == 200:
        found += page
    found += page
    market = client.server.market
    assert found[0]["f"] == market.first_at("BTCUSDT", start)
    assert found[-1]["l"] == market.published("BTCUSDT", NOW) - 1
    assert all(left["l"] + 1 == right["f"] for left, right in itertools.pairwise(found))
    assert [one["a"] for one in found] == list(range(found[0]["a"], found[0]["a"] + len(found)))
    assert await client.get("aggTrades?symbol=BTCUSDT&limit=50") == found[-50:]
    window = await client.get(f"aggTrades?symbol=BTCUSDT&startTime={start}&endTime={start + 9_999}&limit=1000")
    assert window == [one for one in found if one["T"] <= start + 9_999][:1_000]


async def test_a_day_of_klines_comes_in_pages(client: Client) -> None:
    start = NOW // 60_000 * 60_000 - DAY
    first = await client.get(f"klines?symbol=LTCUSDT&interval=1m&startTime={start}&limit=1000")
    rest = await client.get(f"klines?symbol=LTCUSDT&interval=1m&startTime={first[-1][0] + 60_000}&limit=1000")
    rows = first + rest
    assert [row[0] for row in rows] == list(range(start, NOW, 60_000))
    assert await client.get("klines?symbol=LTCUSDT&interval=1m&limit=3") == rows[-3:]
    ended = await client.get(f"klines?symbol=LTCUSDT&interval=1m&endTime={start + 119_999}&limit=2")
    assert ended == rows[:2]


@pytest.mark.parametrize("interval", ["1s", "1m", "5m", "1h"])
async def test_every_interval_is_served_up_to_now(client: Client, interval: str) -> None:
    rows = await client.get(f"klines?symbol=BTCUSDT&interval={interval}&limit=10")
    step = INTERVALS[interval]
    assert [row[0] for row in rows] == [NOW // step * step + at * step for at in range(-9, 1)]


async def test_exchange_info_names_the_grids_and_the_limits(client: Client) -> None:
    info = await client.get('exchangeInfo?symbols=["BTCUSDT"]')
    filters = {one["filterType"]: one for one in info["symbols"][0]["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert info["rateLimits"][0]["rateLimitType"] == "REQUEST_WEIGHT"
    assert [one["symbol"] for one in (await client.get("exchangeInfo"))["symbols"]] == ["BTCUSDT", "LTCUSDT"]
    assert (await client.get("time"))["serverTime"] == NOW
    assert await client.get("ping") == {}


@pytest.mark.parametrize(
    ("path", "code", "msg"),
    [
        ("trades?symbol=NOSUCH", -1121, "Invalid symbol."),
        ("trades", -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
        ("klines?symbol=BTCUSDT&interval=7m", -1120, "Invalid interval."),
        (
            "trades?symbol=BTCUSDT&limit=x",
            -1100,
            "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.",
        ),
        ("trades?symbol=BTCUSDT&limit=0", -1130, "Data sent for parameter 'limit' is not valid."),
        ("historicalTrades?symbol=BTCUSDT&fromId=", -1105, "Parameter 'fromId' was empty."),
    ],
)
async def test_errors_carry_the_exchanges_codes(client: Client, path: str, code: int, msg: str) -> None:
    status, _, body = await client.ask(path)
    assert (status, body) == (400, {"code": code, "msg": msg})


async def test_weights_are_counted_and_enforced() -> None:
    async with (
        ExchangeServer(ScriptedMarket(), clock=lambda: NOW, weights=Weights(limit=30, patience=1)) as server,
        aiohttp.ClientSession() as session,
    ):
        client = Client(session, server)
        answers = [await client.ask("historicalTrades?symbol=BTCUSDT") for _ in range(3)]
    statuses = [status for status, _, _ in answers]
    assert statuses == [200, 429, 418]
    assert answers[0][1]["X-MBX-USED-WEIGHT-1M"] == "25"
    assert answers[1][1]["Retry-After"] == "30"
    assert answers[1][2]["code"] == -1003
    assert answers[2][1]["Retry-After"] == "120"
