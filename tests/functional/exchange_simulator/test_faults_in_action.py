"""Every fault of the switchboard, seen from a client's socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from infra.local.exchange.faults import (
    Abort,
    Close,
    Duplicate,
    Fault,
    HalfOpen,
    Halt,
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
from infra.local.exchange.garbage import KINDS, MEGABYTE
from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.server import ExchangeServer

TIME = 1_795_348_800_000
Server = ExchangeServer[ScriptedMarket]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with ExchangeServer(ScriptedMarket(), clock=lambda: TIME) as running:
        yield running


@pytest.fixture
async def ws(server: Server) -> AsyncIterator[ClientConnection]:
    async with connect(f"{server.ws_url}/stream?streams=btcusdt@trade", ping_interval=None, close_timeout=0.1) as one:
        yield one


def publish(server: Server, count: int = 1) -> None:
    for _ in range(count):
        server.market.publish("BTCUSDT", price="61837.63", quantity="0.02", time=TIME)


async def receive(ws: ClientConnection) -> str:
    message = await asyncio.wait_for(ws.recv(), 5)
    assert isinstance(message, str)
    return message


async def trade_ids(ws: ClientConnection, count: int) -> list[int]:
    return [json.loads(await receive(ws))["data"]["t"] for _ in range(count)]


async def rest(server: Server, path: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(server.rest_url + path) as response:
        return response.status, await response.json(content_type=None) if response.ok else await response.text()


async def closing(ws: ClientConnection) -> ConnectionClosed:
    with pytest.raises(ConnectionClosed) as caught:
        await everything(ws)
    return caught.value


async def everything(ws: ClientConnection) -> None:
    while True:
        await receive(ws)


@pytest.mark.parametrize("code", [1001, 1011])
async def test_close_carries_its_code(server: Server, ws: ClientConnection, code: int) -> None:
    server.faults.add(Close(code=code, reason="Internal error"))
    end = await closing(ws)
    assert end.rcvd is not None
    assert (end.rcvd.code, end.rcvd.reason) == (code, "Internal error")


@pytest.mark.parametrize("after_bytes", [1, 2, 3, 100, 300])
async def test_close_carries_its_code_within_a_message_too(
    server: Server, ws: ClientConnection, after_bytes: int
) -> None:
    server.faults.add(Close(code=1001, after_bytes=after_bytes))
    await asyncio.sleep(0.02)
    publish(server, 5)
    end = await closing(ws)
    assert end.rcvd is not None
    assert end.rcvd.code == 1001


async def test_close_waits_for_each_connection_it_is_meant_for(server: Server) -> None:
    server.faults.add(Close(times=2))
    for _ in range(2):
        async with connect(f"{server.ws_url}/ws/btcusdt@trade") as ws:
            await closing(ws)
    async with connect(f"{server.ws_url}/ws/btcusdt@trade") as ws:
        publish(server)
        assert json.loads(await receive(ws))["t"] == 1


@pytest.mark.parametrize("after_bytes", [0, 1, 100, 300])
async def test_abort_sends_no_close_frame_and_cuts_at_any_byte(
    server: Server, ws: ClientConnection, after_bytes: int
) -> None:
    server.faults.add(Abort(after_bytes=after_bytes))
    await asyncio.sleep(0.02)
    publish(server, 5)
    assert (await closing(ws)).rcvd is None


async def test_a_connection_that_is_being_closed_is_hit_no_more(server: Server) -> None:
    """The client has not answered the close yet: the server may write no more, and the next fault waits for another."""
    async with connect(f"{server.ws_url}/ws/btcusdt@trade") as first:
        first.transport.pause_reading()
        server.faults.add(Close(code=1001))
        while server.hearing("BTCUSDT"):
            await asyncio.sleep(0.001)
        server.faults.add(Close(code=1006))
        await asyncio.sleep(0.05)
        async with connect(f"{server.ws_url}/ws/btcusdt@trade") as second:
            assert (await closing(second)).rcvd is None
        first.transport.resume_reading()
        assert (await closing(first)).rcvd is not None


async def test_half_open_says_nothing_and_answers_no_ping(server: Server, ws: ClientConnection) -> None:
    server.faults.add(HalfOpen())
    await asyncio.sleep(0.03)
    publish(server)
    pong = await ws.ping()
    done, _ = await asyncio.wait([asyncio.ensure_future(pong)], timeout=0.1)
    assert not done
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ws.recv(), 0.05)
    async with connect(f"{server.ws_url}/ws/btcusdt@trade") as another:
        publish(server)
        assert json.loads(await receive(another))["t"] == 2


async def test_a_stall_ends_with_all_that_was_held_back(server: Server, ws: ClientConnection) -> None:
    loop = asyncio.get_running_loop()
    server.faults.add(Stall(duration=0.15))
    await asyncio.sleep(0.03)
    publish(server, 3)
    begun = loop.time()
    assert await trade_ids(ws, 3) == [1, 2, 3]
    assert loop.time() - begun > 0.08


async def test_shutdown_is_announced_before_the_close(server: Server, ws: ClientConnection) -> None:
    server.faults.add(Shutdown(notice=0.05))
    assert json.loads(await receive(ws))["stream"] == "!serverShutdown"
    publish(server)
    assert await trade_ids(ws, 1) == [1]
    await closing(ws)


@pytest.mark.parametrize("what", KINDS)
async def test_garbage_comes_besides_the_true_trades(server: Server, ws: ClientConnection, what: str) -> None:
    publish(server)
    assert await trade_ids(ws, 1) == [1]
    server.faults.add(Inject(what=what))
    garbage = await receive(ws)
    publish(server)
    assert await trade_ids(ws, 1) == [2]
    assert (len(garbage) > MEGABYTE) == (what == "huge")
    _, rows = await rest(server, "/api/v3/trades?symbol=BTCUSDT")
    assert [(row["id"], row["price"]) for row in rows] == [(1, "61837.63000000"), (2, "61837.63000000")]


@pytest.mark.parametrize(
    ("fault", "ids"),
    [(Skip(times=2), [3, 4]), (Duplicate(), [1, 1, 2, 3, 4]), (Reorder(), [2, 1, 3, 4])],
)
async def test_trades_are_lost_repeated_or_swapped_on_the_way_only(
    server: Server, ws: ClientConnection, fault: Fault, ids: list[int]
) -> None:
    server.faults.add(fault)
    publish(server, 4)
    assert await trade_ids(ws, len(ids)) == ids
    _, rows = await rest(server, "/api/v3/historicalTrades?symbol=BTCUSDT&fromId=1")
    assert [row["id"] for row in rows] == [1, 2, 3, 4]


async def test_a_halt_holds_all_back_and_loses_nothing(server: Server, ws: ClientConnection) -> None:
    publish(server)
    assert await trade_ids(ws, 1) == [1]
    server.faults.add(Halt(seconds=0.2))
    await asyncio.sleep(0.03)
    publish(server, 2)
    _, rows = await rest(server, "/api/v3/trades?symbol=BTCUSDT")
    assert [row["id"] for row in rows] == [1]
    assert await trade_ids(ws, 2) == [2, 3]


@pytest.mark.parametrize("status", [451, 503])
async def test_the_handshake_is_refused_once(server: Server, status: int) -> None:
    server.faults.add(RefuseUpgrade(status=status))
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"{server.ws_url}/ws/btcusdt@trade")
    assert caught.value.response.status_code == status
    async with connect(f"{server.ws_url}/ws/btcusdt@trade"):
        assert server.connections == 1


async def test_nobody_listens_for_a_while(server: Server, ws: ClientConnection) -> None:
    server.faults.add(RefuseConnections(duration=0.1))
    await asyncio.sleep(0.05)
    with pytest.raises(ConnectionRefusedError):
        await connect(f"{server.ws_url}/ws/btcusdt@trade")
    publish(server)
    assert await trade_ids(ws, 1) == [1]
    await asyncio.sleep(0.1)
    async with connect(f"{server.ws_url}/ws/btcusdt@trade") as again:
        publish(server)
        assert json.loads(await receive(again))["t"] == 2


async def test_those_who_are_cut_find_nobody_listening(server: Server, ws: ClientConnection) -> None:
    server.faults.add(RefuseConnections(duration=0.2, cut=True))
    assert (await closing(ws)).rcvd is None
    with pytest.raises(ConnectionRefusedError):
        await connect(f"{server.ws_url}/ws/btcusdt@trade")


async def test_rest_can_be_slow_short_or_refuse(server: Server) -> None:
    publish(server, 5)
    server.faults.add(SlowRest(delay=0.1))
    begun = asyncio.get_running_loop().time()
    assert (await rest(server, "/api/v3/ping"))[0] == 200
    assert asyncio.get_running_loop().time() - begun >= 0.1
    for status in (418, 429, 500, 503):
        server.faults.add(RestStatus(status=status, path="klines"))
        assert (await rest(server, "/api/v3/ping"))[0] == 200
        assert (await rest(server, "/api/v3/klines?symbol=BTCUSDT&interval=1m"))[0] == status
    server.faults.add(TruncatedPages(rows=2))
    assert len((await rest(server, "/api/v3/trades?symbol=BTCUSDT&limit=2"))[1]) == 2
    _, rows = await rest(server, "/api/v3/trades?symbol=BTCUSDT")
    assert [row["id"] for row in rows] == [1, 2]
    server.faults.add(NoHistoricalTrades())
    for _ in range(2):
        assert (await rest(server, "/api/v3/historicalTrades?symbol=BTCUSDT"))[0] == 404
    assert (await rest(server, "/api/v3/aggTrades?symbol=BTCUSDT"))[0] == 200


async def test_faults_are_armed_listed_and_cleared_by_the_control_route(server: Server, ws: ClientConnection) -> None:
    url = f"{server.rest_url}/control/faults"
    async with aiohttp.ClientSession() as session:
        async with session.post(url, json={"fault": "Halt", "seconds": 60, "symbol": "BTCUSDT"}) as response:
            [active] = (await response.json())["active"]
        assert (active["fault"], active["seconds"], active["symbol"]) == ("Halt", 60, "BTCUSDT")
        async with session.post(url, json={"fault": "Nonsense"}) as response:
            assert response.status == 400
        async with session.delete(url) as response:
            assert (await response.json()) == {"active": []}
        async with session.post(url, json={"fault": "Close", "code": 1001}) as response:
            assert response.status == 200
    await closing(ws)
