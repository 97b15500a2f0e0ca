"""A second exchange beside the first: the same promises, and bars of both."""

from __future__ import annotations

from pathlib import Path

from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.server import ExchangeServer
from ingestor.exchanges.coinbase import Coinbase
from quant.domain.interval import DAY, HOUR, MINUTE, S1, floor
from quant.domain.market import Market
from quant.domain.ports import Heartbeat, MarketPulse
from resample.service import Resampler
from tests.functional.ingestor.coinbase_server import PRODUCT, CoinbaseServer
from tests.functional.ingestor.conftest import BTC, away_from_edges, now_ms, running

BTC_USD = Market("coinbase", PRODUCT)


def _far(market: Market) -> MarketPulse:
    time = now_ms()
    return MarketPulse(market, 1, time, 1, time, time + HOUR)


async def test_a_hole_and_a_lost_connection_are_healed_by_cursor(
    server: ExchangeServer[ScriptedMarket], tmp_path: Path
) -> None:
    async with CoinbaseServer() as coinbase:
        url = f"127.0.0.1:{coinbase.port}"
        adapter = Coinbase(f"ws://{url}", f"http://{url}")
        await away_from_edges()
        # The first start goes back to the beginning of the 5m bar and one trade further: to the first trade of all.
        first = floor(now_ms(), 5 * MINUTE)
        await coinbase.publish("61837.62", "0.00000001", time=first - 1)
        for _ in range(1_499):
            await coinbase.publish("61837.63", "0.00000001", time=first)
        async with running(server, tmp_path, markets=(BTC_USD,), others=(adapter,)) as run:
            for k in range(60):
                await coinbase.publish(f"61837.{k:02d}", "1008.2", sent=k % 7 != 3, time=now_ms())
            await coinbase.drop()
            for _ in range(1_200):
                await coinbase.publish("61838", "0.5", time=now_ms())
            trades = await run.until_stored(range(5_001, 5_001 + 1_500 + 60 + 1_200), BTC_USD, seconds=30)
        assert int(trades.prices[-1]) == 6_183_800
        assert (trades.price_decimals, trades.quantity_decimals) == (2, 8)
        assert any(int(query["limit"]) == 1000 for query in coinbase.asked)


async def test_bars_of_two_exchanges_stand_side_by_side(server: ExchangeServer[ScriptedMarket], tmp_path: Path) -> None:
    async with CoinbaseServer() as coinbase:
        url = f"127.0.0.1:{coinbase.port}"
        adapter = Coinbase(f"ws://{url}", f"http://{url}")
        async with running(server, tmp_path, markets=(BTC, BTC_USD), others=(adapter,)) as run:
            time = now_ms()
            await coinbase.publish("100.5", "2", time=time)
            server.market.publish("BTCUSDT", price="99.5", quantity="3")
            await run.until_stored(range(100, 101))
            await run.until_stored(range(5_001, 5_002), BTC_USD)
            # A trade of a later minute closes the bars of this one.
            beat = Heartbeat("1/1", "test", now_ms(), "live", tuple(_far(one) for one in (BTC, BTC_USD)))
            run.storage.heartbeats.put(beat)
            await run.end()
            storage = run.storage
        later = now_ms() + HOUR
        Resampler(storage.ticks, storage.bars, storage.heartbeats, DAY).run(now_ms() + HOUR)
        assert {one.market for one in storage.instruments.all()} == {BTC, BTC_USD}
        # Minutes that are over have their bars; the clock of this run is put an hour ahead.
        bars = {market: storage.bars.read(market, S1, time - HOUR, later) for market in (BTC, BTC_USD)}
        assert {market: (one.open.tolist(), one.volume.tolist()) for market, one in bars.items()} == {
            BTC: ([9950], [300_000]),
            BTC_USD: ([10_050], [200_000_000]),
        }
