"""What takes hours in life: the end of a connection's day, the cap on attempts, an unclean end, a long absence."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np

from infra.local.exchange.faults import NoHistoricalTrades, RestStatus, Skip
from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.server import ExchangeServer
from infra.local.exchange.websocket import Limits as ServerLimits
from ingestor.backoff import AttemptLimit, Backoff
from ingestor.budget import WeightBudget
from ingestor.connection import Feed
from ingestor.exchanges.base import Limits
from ingestor.exchanges.binance import Binance
from ingestor.heartbeat import late
from ingestor.locate import first_id_at, newest_trade
from ingestor.rest import RestClient
from quant.domain.interval import DAY, HOUR, M1, MINUTE, floor
from quant.domain.market import Market
from quant.domain.ports import DirtyMark, Heartbeat, MarketPulse
from quant.domain.trade import Trades
from quant.storage.codec import pack
from quant.storage.storage import Storage, memory_storage
from resample.service import Resampler
from tests.functional.ingestor.conftest import BTC, Events, away_from_edges, now_ms, running

Server = ExchangeServer[ScriptedMarket]


def publish(server: Server, count: int, time: int | None = None, first: int = 0) -> None:
    for k in range(first, first + count):
        at = None if time is None else time + k
        server.market.publish("BTCUSDT", price=f"61837.{k % 100:02d}", quantity="0.02", time=at)


def stored_as(first: int, count: int, time: int) -> Trades:
    """What an earlier run has stored of ``publish``."""
    return Trades.of(
        np.arange(first, first + count),
        np.arange(time, time + count),
        [6_183_700 + k % 100 for k in range(count)],
        [2_000] * count,
        [False] * count,
        price_decimals=2,
        quantity_decimals=5,
    )


async def test_the_end_of_a_connections_life_is_met_with_a_handover(tmp_path: Path) -> None:
    """The server closes each connection after 2 s and says so 1 s before: the day of 24 h, scaled."""
    limits = ServerLimits(lifetime=2.0, shutdown_notice=1.0)
    async with ExchangeServer(ScriptedMarket(first_id=100), limits=limits) as server, running(server, tmp_path) as run:
        for _ in range(250):
            publish(server, 1)
            await asyncio.sleep(0.02)
        await run.until_stored(range(100, 350))
        assert len(run.log.named("handed_over")) >= 2
        assert run.log.named("disconnected") == []
        assert run.log.named("hole_opened") == []


async def test_an_old_connection_is_handed_over_before_the_exchange_cuts_it(server: Server) -> None:
    exchange, log = Binance(server.ws_url, server.rest_url), Events()
    opening, aged = exchange.opening(["BTCUSDT"]), replace(exchange.limits, connection_life_seconds=600.5)
    feed = Feed("test", opening, aged, AttemptLimit(100), log)
    running_feed = asyncio.create_task(feed.run())
    await log.wait("connected")
    (first,) = feed.sessions()
    async with asyncio.timeout(10):
        # Ten minutes before its end, which is half a second after it was opened.
        while not log.named("handover_wanted"):
            feed.watch(asyncio.get_running_loop().time())
            await asyncio.sleep(0.05)
        await log.wait("connected", 2)
        assert not first.reader.done()
        feed.delivered(feed.sessions()[-1])
        await log.wait("handed_over")
    assert first.reader.done()
    assert feed.reconnects == 0
    await feed.stop()
    running_feed.cancel()
    await asyncio.wait({running_feed})


async def test_a_full_connection_is_subscribed_in_groups_at_the_exchanges_pace(server: Server) -> None:
    """1,024 streams: a hundred in the address, the others in messages of which the exchange allows five a second."""
    exchange, log = Binance(server.ws_url, server.rest_url), Events()
    symbols = [f"S{number}USDT" for number in range(exchange.limits.streams_per_connection)]
    feed = Feed("full", exchange.opening(symbols), exchange.limits, AttemptLimit(100), log)
    running_feed = asyncio.create_task(feed.run())
    async with asyncio.timeout(20):
        while not (found := server.hearing(symbols[-1])):
            await asyncio.sleep(0.05)
    (session,) = found
    assert len(session.subscriptions.streams) == 1_024
    assert log.named("disconnected") == []
    await feed.stop()
    running_feed.cancel()
    await asyncio.wait({running_feed})


async def test_attempts_end_at_the_cap_and_go_on_with_the_window(server: Server) -> None:
    """A server that refuses is not hammered: the backoff is reset by trades only, the cap by time alone."""
    exchange, log = Binance("ws://127.0.0.1:9", server.rest_url), Events()
    limits = Limits(1024, 4, 86_400, 5)
    attempts = AttemptLimit(5, window=1.0)
    feed = Feed("test", exchange.opening(["BTCUSDT"]), limits, attempts, log, backoff=Backoff(base=0.001, cap=0.001))
    running_feed = asyncio.create_task(feed.run())
    await log.wait("attempts_exhausted")
    assert len(log.named("connect_failed")) == 5
    await log.wait("connect_failed", 6)
    running_feed.cancel()
    await asyncio.wait({running_feed})


async def test_a_feed_without_a_connection_is_ever_later(server: Server) -> None:
    exchange, log, clock = Binance("ws://127.0.0.1:9", server.rest_url), Events(), asyncio.get_running_loop().time
    feed = Feed("test", exchange.opening(["BTCUSDT"]), exchange.limits, AttemptLimit(100), log)
    running_feed = asyncio.create_task(feed.run())
    await log.wait("connect_failed")
    feed.watch(clock())
    assert feed.absent(clock() + 600) > 599
    assert late(70, round(1_000 * feed.absent(clock() + 600))) > 599_000
    assert late(70, 9_000) == 70
    assert late(None, 0) is None
    running_feed.cancel()
    await asyncio.wait({running_feed})


async def test_a_feed_with_a_connection_is_not_absent(server: Server) -> None:
    exchange, log, clock = Binance(server.ws_url, server.rest_url), Events(), asyncio.get_running_loop().time
    feed = Feed("test", exchange.opening(["BTCUSDT"]), exchange.limits, AttemptLimit(100), log)
    running_feed = asyncio.create_task(feed.run())
    await log.wait("connected")
    assert feed.absent(clock() + 600) == 0
    feed.watch(clock() + 500)
    await feed.stop()
    assert 90 < feed.absent(clock() + 600) < 110
    running_feed.cancel()
    await asyncio.wait({running_feed})


async def test_after_an_unclean_end_the_holes_of_the_run_before_are_found(server: Server, tmp_path: Path) -> None:
    """The run before had stored ids 100…149 and 160…199, had seen all stored up to 120, and was killed."""
    storage, time = memory_storage(now_ms), now_ms() - 2 * MINUTE
    publish(server, 100, time)
    before = stored_as(100, 100, time)
    storage.ticks.write(pack(BTC, before.take((before.ids < 150) | (before.ids >= 160))))
    pulse = MarketPulse(BTC, 199, time + 99, 199, time + 99, time + 99, counters={"contiguous_id": 120})
    storage.heartbeats.put(Heartbeat("1/1", "before", now_ms() - 30_000, "live", (pulse,)))
    async with running(server, tmp_path, storage=storage) as run:
        await run.until_stored(range(100, 200))
        assert run.log.named("resumed")[0]["missing"] == 10


async def test_without_any_heartbeat_all_that_is_stored_is_looked_through(server: Server, tmp_path: Path) -> None:
    storage, time = memory_storage(now_ms), now_ms() - 5 * HOUR
    publish(server, 100, time)
    before = stored_as(100, 100, time)
    storage.ticks.write(pack(BTC, before.take((before.ids < 130) | (before.ids >= 135))))
    async with running(server, tmp_path, storage=storage) as run:
        publish(server, 20)
        await run.until_stored(range(100, 220))


def _followed_long_ago(storage: Storage, time: int) -> None:
    """Ticks and bars of a run that ended then."""
    storage.ticks.write(pack(BTC, stored_as(100, 50, time)))
    storage.heartbeats.put(
        Heartbeat("1/1", "long ago", now_ms(), "live", (MarketPulse(BTC, 149, time, 149, time, time + 2 * MINUTE),))
    )
    Resampler(storage.ticks, storage.bars, storage.heartbeats, DAY).run(time + 2 * MINUTE)


async def test_what_lies_beyond_the_horizon_is_one_recorded_gap(server: Server, tmp_path: Path) -> None:
    """Away for two hours where one is healed: said in the log, counted, told in the heartbeat, and closed by bars."""
    storage, time = memory_storage(now_ms), floor(now_ms() - 2 * HOUR, MINUTE)
    publish(server, 50, time)
    _followed_long_ago(storage, time)
    publish(server, 30, time + 10 * MINUTE, first=50)
    publish(server, 40, now_ms() - 30 * MINUTE, first=80)
    async with running(server, tmp_path, storage=storage, heal_max=HOUR, heartbeat_seconds=0.2) as run:
        publish(server, 5)
        await run.until_stored([*range(100, 150), *range(180, 225)])
        (said,) = run.log.named("gap")
        assert (said["first_id"], said["last_id"]) == (150, 179)
        async with asyncio.timeout(5):
            while not (told := run.storage.heartbeats.all()[-1].figures.get("recorded_gaps")):
                await run.log.wait("heartbeat", len(run.log.named("heartbeat")) + 1)
        assert [(gap["symbol"], gap["first_id"], gap["last_id"]) for gap in told] == [("BTCUSDT", 150, 179)]
        assert run.storage.heartbeats.all()[-1].pulses[0].counters["gap_ids"] == 30
        # Somebody brings the trades and their bars: a gap that is filled is not shown any longer.
        missing = stored_as(150, 30, time + 10 * MINUTE + 50)
        for chunk in pack(BTC, missing):
            storage.ticks.write([chunk])
        _mark_and_resample(storage, missing)
        await run.log.wait("gap_closed")
    assert storage.bars.read(BTC, M1, time, now_ms()).trades.sum() >= 80


def _mark_and_resample(storage: Storage, missing: Trades) -> None:
    hour = floor(int(missing.times[0]), HOUR)
    storage.ticks.mark_dirty(DirtyMark(BTC, hour, missing.first_id, missing.last_id, len(missing)))
    Resampler(storage.ticks, storage.bars, storage.heartbeats, DAY).run(now_ms() + 6 * MINUTE)


async def test_a_first_start_brings_the_whole_bar_and_the_trade_before_it(server: Server, tmp_path: Path) -> None:
    await away_from_edges()
    bar = floor(now_ms(), 5 * MINUTE)
    publish(server, 10, bar - 1_000)
    publish(server, 2_500, bar)
    async with running(server, tmp_path) as run:
        await run.until_stored(range(109, 100 + 2_510))
        heartbeat = run.storage.heartbeats.all()[0]
        assert heartbeat.source == "live"


async def test_a_first_start_of_a_busy_market_keeps_to_its_share(server: Server, tmp_path: Path) -> None:
    """More than its pages hold: it begins with the stream, and the exchange's bars stand in."""
    await away_from_edges()
    publish(server, 3_000, floor(now_ms(), MINUTE))
    async with running(server, tmp_path, first_pages=1) as run:
        publish(server, 5)
        await run.until_stored(range(3_100, 3_105))
        assert run.log.named("begins_with_the_stream") == [{"market": str(BTC)}]


class Archive:
    """Takes old trades."""

    def __init__(self) -> None:
        self.kept: list[tuple[Market, list[int]]] = []

    def store(self, market: Market, trades: Trades) -> int:
        self.kept.append((market, trades.ids.tolist()))
        return 0


async def test_trades_older_than_ticks_are_kept_go_to_the_archive(server: Server, tmp_path: Path) -> None:
    storage, time, archive = memory_storage(now_ms), floor(now_ms() - 4 * HOUR, MINUTE), Archive()
    publish(server, 50, time)
    _followed_long_ago(storage, time)
    publish(server, 2_030, time + 10 * MINUTE, first=50)
    publish(server, 40, now_ms() - 30 * MINUTE, first=2_080)
    async with running(server, tmp_path, storage=storage, old_trades=archive, tick_ttl=2 * HOUR) as run:
        publish(server, 5)
        await run.until_stored([*range(100, 150), *range(2_180, 2_225)])
    # All pages at once: the archive rewrites whole hours.
    assert archive.kept == [(BTC, list(range(150, 2_180)))]


async def test_a_host_without_single_trades_gives_aggregates_that_are_counted_apart(
    server: Server, tmp_path: Path
) -> None:
    async with running(server, tmp_path) as run:
        publish(server, 10)
        await run.until_stored(range(100, 110))
        server.faults.add(NoHistoricalTrades())
        server.faults.add(RestStatus(status=503, times=1, path="aggTrades"))
        server.faults.add(Skip(times=6))
        for k in range(10):
            server.market.publish("BTCUSDT", price="61837.00", quantity="0.02", same_order=k % 2 == 1)
        await run.log.wait("hole_healed", seconds=15)
        async with asyncio.timeout(15):
            while run.ingestor.writer.queued or int((run.stored().last_ids - run.stored().ids + 1).sum()) < 20:
                await asyncio.sleep(0.05)
        assert run.ingestor.healer.aggregates > 0


async def test_the_newest_trade_is_told_however_many_share_its_order(server: Server, tmp_path: Path) -> None:
    publish(server, 3)
    for _ in range(20):
        server.market.publish("BTCUSDT", price="61837.00", quantity="0.02", same_order=True)
    exchange = Binance(server.ws_url, server.rest_url)
    client = RestClient(WeightBudget(), Events())
    newest = await newest_trade(exchange, client, "BTCUSDT")
    assert (newest.first_id, newest.last_id) == (102, 122)
    assert await first_id_at(exchange, client, "BTCUSDT", now_ms() + HOUR) == 123
    assert await first_id_at(exchange, client, "BTCUSDT", now_ms() - HOUR) == 100
