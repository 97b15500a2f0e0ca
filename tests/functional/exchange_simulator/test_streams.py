"""The WebSocket side over real sockets."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.server import ExchangeServer
from infra.local.exchange.simulated import SimulatedMarket
from infra.local.exchange.websocket import Limits

TIME = 1_795_348_800_000


def publish(server: ExchangeServer[Any], price: str = "61837.63", **given: Any) -> int:
    return server.market.publish("BTCUSDT", price=price, quantity="0.02", **{"time": TIME, **given})


async def receive(socket: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), 5))


async def everything(socket: ClientConnection) -> None:
    while True:
        await receive(socket)


def fixed() -> int:
    return TIME + 3


async def test_a_raw_stream_carries_bare_trades() -> None:
    async with (
        ExchangeServer(ScriptedMarket(), clock=fixed) as server,
        connect(f"{server.ws_url}/ws/btcusdt@trade") as ws,
    ):
        number = publish(server, buyer_is_maker=True)
        text = await asyncio.wait_for(ws.recv(), 5)
    assert number == 1
    assert text == (
        f'{{"e":"trade","E":{TIME + 3},"s":"BTCUSDT","t":1,"p":"61837.63000000","q":"0.02000000",'
        f'"T":{TIME},"m":true,"M":true}}'
    )


async def test_a_combined_stream_wraps_them_and_keeps_their_order() -> None:
    async with (
        ExchangeServer(ScriptedMarket(["BTCUSDT", "ETHUSDT"])) as server,
        connect(f"{server.ws_url}/stream?streams=btcusdt@trade/ethusdt@trade") as ws,
    ):
        for at in range(300):
            publish(server, time=TIME + at)
        frames = [await receive(ws) for _ in range(300)]
    assert {frame["stream"] for frame in frames} == {"btcusdt@trade"}
    assert [frame["data"]["t"] for frame in frames] == list(range(1, 301))


async def test_microseconds_are_asked_for_in_the_url() -> None:
    async with (
        ExchangeServer(ScriptedMarket()) as server,
        connect(f"{server.ws_url}/stream?streams=btcusdt@trade&timeUnit=MICROSECOND") as ws,
    ):
        publish(server)
        assert (await receive(ws))["data"]["T"] == TIME * 1_000


async def test_trades_before_the_subscription_are_not_sent() -> None:
    async with ExchangeServer(ScriptedMarket()) as server, connect(f"{server.ws_url}/ws") as ws:
        publish(server)
        await ws.send('{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}')
        assert await receive(ws) == {"result": None, "id": 1}
        publish(server)
        assert (await receive(ws))["t"] == 2
        await ws.send('{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":2}')
        assert await receive(ws) == {"result": None, "id": 2}
        publish(server)
        await ws.send('{"method":"LIST_SUBSCRIPTIONS","id":3}')
        assert await receive(ws) == {"result": [], "id": 3}


async def test_two_connections_get_the_same_trades() -> None:
    async with ExchangeServer(ScriptedMarket()) as server:
        url = f"{server.ws_url}/ws/btcusdt@trade"
        async with connect(url) as one, connect(url) as other:
            publish(server)
            assert await receive(one) == await receive(other)


async def test_aggregates_join_the_trades_of_one_order() -> None:
    async with ExchangeServer(ScriptedMarket()) as server, connect(f"{server.ws_url}/ws/btcusdt@aggTrade") as ws:
        publish(server)
        publish(server, same_order=True)
        publish(server)
        frames = [await receive(ws) for _ in range(2)]
    assert [(one["a"], one["f"], one["l"], one["q"]) for one in frames] == [
        (1, 1, 2, "0.04000000"),
        (2, 3, 3, "0.02000000"),
    ]


async def test_a_bar_is_sent_once_more_when_it_closes() -> None:
    async with ExchangeServer(ScriptedMarket()) as server, connect(f"{server.ws_url}/ws/btcusdt@kline_1m") as ws:
        publish(server)
        publish(server, time=TIME + 60_000)
        bars = [(await receive(ws))["k"] for _ in range(1)]
        while not bars[-1]["x"]:
            bars.append((await receive(ws))["k"])
    assert (bars[-1]["t"], bars[-1]["f"], bars[-1]["L"], bars[-1]["v"]) == (TIME, 1, 1, "0.02000000")


async def test_the_seeded_market_sends_contiguous_ids_when_their_time_has_come() -> None:
    now = [TIME]
    async with (
        ExchangeServer(SimulatedMarket(["BTCUSDT", "ETHUSDT"]), clock=lambda: now[0]) as server,
        connect(f"{server.ws_url}/stream?streams=btcusdt@trade") as ws,
    ):
        first = server.market.published("BTCUSDT", now[0])
        now[0] += 10_000
        stop = server.market.published("BTCUSDT", now[0])
        frames = [(await receive(ws))["data"] for _ in range(stop - first)]
    assert [frame["t"] for frame in frames] == list(range(first, stop))
    assert all(TIME < frame["T"] <= now[0] == frame["E"] for frame in frames)


async def test_an_unknown_path_is_not_found() -> None:
    async with ExchangeServer(ScriptedMarket()) as server:
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"{server.ws_url}/elsewhere")
    assert caught.value.response.status_code == 404


async def test_more_than_five_messages_a_second_end_the_connection() -> None:
    async with ExchangeServer(ScriptedMarket()) as server, connect(f"{server.ws_url}/ws") as ws:
        for _ in range(6):
            await ws.send('{"method":"LIST_SUBSCRIPTIONS","id":3}')
        with pytest.raises(ConnectionClosed) as caught:
            await asyncio.gather(ws.wait_closed(), everything(ws))
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1008


async def test_the_server_pings_and_drops_who_does_not_answer() -> None:
    limits = Limits(ping_interval=0.05, ping_timeout=0.1, messages_per_second=100)
    async with (
        ExchangeServer(ScriptedMarket(), limits=limits) as server,
        connect(f"{server.ws_url}/ws/btcusdt@trade") as answering,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.ws_url.rpartition(":")[2]))
        writer.write(
            b"GET /ws/btcusdt@trade HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        heard = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        publish(server)
        assert (await receive(answering))["t"] == 1
    assert b"\x89" in heard
    assert b"Pong timeout" in heard


async def test_a_connection_is_told_before_its_life_ends() -> None:
    limits = Limits(lifetime=0.2, shutdown_notice=0.1)
    async with (
        ExchangeServer(ScriptedMarket(), limits=limits, clock=fixed) as server,
        connect(f"{server.ws_url}/stream?streams=btcusdt@trade") as ws,
    ):
        notice = await receive(ws)
        assert notice == {"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": TIME + 3}}
        with pytest.raises(ConnectionClosed):
            await receive(ws)


class DefectiveMarket(ScriptedMarket):
    def published(self, symbol: str, now: int) -> int:
        if super().published(symbol, now) > 1:
            raise ZeroDivisionError
        return super().published(symbol, now)


async def test_a_defect_of_the_market_does_not_look_like_a_silent_market() -> None:
    server = ExchangeServer(DefectiveMarket())
    await server.__aenter__()
    async with connect(f"{server.ws_url}/ws/btcusdt@trade"):
        publish(server)
        await asyncio.wait_for(server.failed(), 5)
    with pytest.raises(ZeroDivisionError):
        await server.__aexit__(None, None, None)
