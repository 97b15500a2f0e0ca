"""Bars of the exchange, on the first start."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from infra.local.exchange.faults import TruncatedPages
from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.server import ExchangeServer
from quant.domain.bar import FROM_EXCHANGE, UNKNOWN
from quant.domain.decimals import format_scaled
from quant.domain.interval import DAY, HOUR, M1, M5, MINUTE, floor
from quant.errors import UnavailableError
from quant.storage.codec import pack
from quant.storage.storage import memory_storage
from tests.functional.ingestor.conftest import BTC, away_from_edges, now_ms, running

Server = ExchangeServer[ScriptedMarket]


async def test_closed_bars_of_the_last_day_are_there_at_once(server: Server, tmp_path: Path) -> None:
    first = floor(now_ms(), 5 * MINUTE) - HOUR
    for k in range(30):
        server.market.publish("BTCUSDT", price=f"{100 + k}.5", quantity="0.1", time=first + k * MINUTE)
    async with running(server, tmp_path, history=True) as run:
        facts = await run.log.wait("history")
        assert facts == {"market": "binance:BTCUSDT", "done": 1, "of": 1, "bars": 36}
        minutes = run.storage.bars.read(BTC, M1, now_ms() - DAY, now_ms())
        fives = run.storage.bars.read(BTC, M5, now_ms() - DAY, now_ms())
    assert minutes.time.tolist() == [first + k * MINUTE for k in range(30)]
    assert [format_scaled(int(price), minutes.price_decimals) for price in minutes.close[:2]] == ["100.50", "101.50"]
    assert set(minutes.source.tolist()) == {FROM_EXCHANGE}
    assert set(minutes.complete.tolist()) == {UNKNOWN}
    assert set(minutes.first_id.tolist()) == {-1}
    assert fives.trades.tolist() == [5] * 6


async def test_a_page_that_is_cut_short_is_followed_by_another(server: Server, tmp_path: Path) -> None:
    first = floor(now_ms(), 5 * MINUTE) - HOUR
    for k in range(30):
        server.market.publish("BTCUSDT", price=f"{100 + k}.5", quantity="0.1", time=first + k * MINUTE)
    server.faults.add(TruncatedPages(rows=280, times=8))
    async with running(server, tmp_path, history=True) as run:
        await run.log.wait("history")
        assert len(run.storage.bars.read(BTC, M1, now_ms() - DAY, now_ms())) == 30
        assert len(run.storage.bars.read(BTC, M5, now_ms() - DAY, now_ms())) == 6


class AwayAtFirst:
    """Bars that cannot be stored the first two times."""

    def __init__(self, bars: Any) -> None:
        self._bars, self.refused = bars, 0

    def merge(self, *what: Any) -> Any:
        if self.refused < 2:
            self.refused += 1
            raise UnavailableError("write", "away")
        return self._bars.merge(*what)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bars, name)


async def test_a_storage_that_is_away_for_a_moment_costs_no_history(server: Server, tmp_path: Path) -> None:
    first, storage = floor(now_ms(), 5 * MINUTE) - HOUR, memory_storage(now_ms)
    server.market.publish("BTCUSDT", price="100", quantity="1", time=first)
    bars: Any = AwayAtFirst(storage.bars)
    async with running(server, tmp_path, history=True, storage=replace(storage, bars=bars)) as run:
        facts = await run.log.wait("history")
        assert (facts["bars"], bars.refused) == (2, 2)


async def test_a_second_start_asks_only_for_what_is_missing(server: Server, tmp_path: Path) -> None:
    first = floor(now_ms(), 5 * MINUTE) - HOUR
    server.market.publish("BTCUSDT", price="100", quantity="1", time=first)
    async with running(server, tmp_path, history=True) as run:
        await run.log.wait("history")
        storage = run.storage
        assert await run.end()
    async with running(server, tmp_path, history=True, storage=storage) as run:
        await run.log.wait("history")
        assert len(storage.bars.read(BTC, M1, first, first + MINUTE)) == 1


async def test_instruments_are_stored_with_their_decimals(server: Server, tmp_path: Path) -> None:
    async with running(server, tmp_path) as run:
        (instrument,) = run.storage.instruments.all()
    assert (instrument.market, instrument.price_decimals, instrument.quantity_decimals) == (BTC, 2, 5)


class StreamIsFaster:
    """Ticks whose first read does not begin before a trade of the stream is stored."""

    def __init__(self, ticks: Any, publish: Callable[[], None]) -> None:
        self._ticks, self._publish, self._stored = ticks, publish, threading.Event()

    def write(self, chunks: Any) -> None:
        self._ticks.write(chunks)
        self._stored.set()

    def read(self, *place: Any, **limits: Any) -> Any:
        # Published again and again, since nobody may listen yet.
        while not self._stored.wait(0.05):
            self._publish()
        return self._ticks.read(*place, **limits)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ticks, name)


async def test_a_first_start_completes_its_first_bar_though_the_stream_is_stored_before_storage_is_read(
    server: Server, tmp_path: Path
) -> None:
    for _ in range(2500):
        server.market.publish("BTCUSDT", price="100.5", quantity="0.1")
    loop, storage = asyncio.get_running_loop(), memory_storage(now_ms)

    def publish() -> None:
        loop.call_soon_threadsafe(partial(server.market.publish, "BTCUSDT", price="100.5", quantity="0.1"))

    faster: Any = StreamIsFaster(storage.ticks, publish)
    async with running(server, tmp_path, storage=replace(storage, ticks=faster)) as run:
        async with asyncio.timeout(10):
            while 100 + 2499 not in run.stored().ids:
                run.ticks.written.clear()
                await run.ticks.written.wait()


async def test_a_start_after_one_that_ended_before_its_first_heartbeat_completes_the_first_bar(
    server: Server, tmp_path: Path
) -> None:
    """The stream's own trades were stored, and nothing told where that start had begun."""
    await away_from_edges()
    for _ in range(50):
        server.market.publish("BTCUSDT", price="100.5", quantity="0.1")
    async with running(server, tmp_path / "whole") as run:
        whole = await run.until_stored(range(100, 150))
    storage = memory_storage(now_ms)
    storage.ticks.write(pack(BTC, whole.take(slice(20, 25))))
    async with running(server, tmp_path / "left", storage=storage) as run:
        await run.until_stored(range(100, 150))
