"""A past range on request: what is missing, once, announced, and from where it was interrupted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.server import ExchangeServer
from ingestor.backfill import Backfill, Checkpoint, Progress
from ingestor.budget import WeightBudget
from ingestor.commands.backfill import Bar, main, moment
from ingestor.exchanges.binance import Binance
from ingestor.history import History
from ingestor.options import Codec, Ports
from ingestor.rest import RestClient
from quant.domain.interval import HOUR, M1, MINUTE, floor
from quant.domain.market import Market
from quant.domain.trade import Trades
from quant.errors import UnavailableError, ValidationError
from quant.storage.codec import pack_all, unpack
from quant.storage.storage import memory_storage
from tests.functional.ingestor.conftest import BTC, Events, now_ms
from tests.functional.ingestor.test_long_runs import publish

Server = ExchangeServer[ScriptedMarket]


async def once(call: Callable[[], Awaitable[None]]) -> None:
    await call()


class Archive:
    """Takes old trades; fails when told."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.away = False

    def store(self, market: Market, trades: Trades) -> int:
        if self.away:
            raise UnavailableError("write", "away")
        self.ids += trades.ids.tolist()
        return 0


async def fetch(server: Server, storage, folder: Path, start: int, end: int, archive=None):  # type: ignore[no-untyped-def]
    ports = Ports(storage.ticks, storage.bars, storage.heartbeats, storage.instruments, archive)
    said: list[Progress] = []
    exchange = Binance(server.ws_url, server.rest_url)
    backfill = Backfill(ports, Codec(pack_all, unpack), now_ms, 2 * HOUR, Checkpoint(folder / "done.json"), once)
    client = RestClient(WeightBudget(6_000), Events())
    return await backfill.trades(exchange, client, BTC, start, end, said.append), said


async def test_only_what_is_missing_is_fetched_and_it_is_announced(server: Server, tmp_path: Path) -> None:
    storage, time = memory_storage(now_ms), floor(now_ms() - HOUR, MINUTE)
    publish(server, 2_500, time)
    fetched, said = await fetch(server, storage, tmp_path, time, time + 2_000)
    assert (fetched, said[-1].done, said[-1].total) == (2_000, 2_000, 2_000)
    stored = storage.ticks.read(BTC, time, now_ms())
    assert stored.ids.tolist() == list(range(100, 2_100))
    assert {(mark.first_id, mark.last_id) for mark in storage.ticks.dirty_marks()} == {(100, 1_099), (1_100, 2_099)}
    again, _ = await fetch(server, storage, tmp_path, time, time + 2_500)
    assert again == 500


async def test_old_trades_go_to_the_archive_and_an_interruption_costs_no_second_fetch(
    server: Server, tmp_path: Path
) -> None:
    storage, time, archive = memory_storage(now_ms), floor(now_ms() - 5 * HOUR, MINUTE), Archive()
    publish(server, 1_200, time)
    publish(server, 30, now_ms() - 10 * MINUTE)
    archive.away = True
    with pytest.raises(UnavailableError):
        await fetch(server, storage, tmp_path, time, now_ms(), archive)
    archive.away = False
    fetched, _ = await fetch(server, storage, tmp_path, time, now_ms(), archive)
    assert fetched == 1_230
    assert archive.ids == list(range(100, 1_300))
    assert storage.ticks.read(BTC, time, now_ms()).ids.tolist() == list(range(1_300, 1_330))
    fetched, _ = await fetch(server, storage, tmp_path, time, now_ms(), archive)
    assert fetched == 0


async def test_bars_are_fetched_page_by_page_with_progress_and_only_once(server: Server) -> None:
    time = floor(now_ms() - 40 * HOUR, MINUTE)
    for k in range(0, 1_500, 5):
        server.market.publish("BTCUSDT", price="61837.63", quantity="0.02", time=time + k * MINUTE)
    server.market.publish("BTCUSDT", price="61837.63", quantity="0.02", time=time + 1_499 * MINUTE)
    exchange, said = Binance(server.ws_url, server.rest_url), list[tuple[int, int]]()
    history = History(memory_storage(now_ms).bars, now_ms, Events())

    async def fill() -> int:
        client = RestClient(WeightBudget(6_000), Events())
        start, end = time - 1, time + 1_500 * MINUTE
        return await history.fill(exchange, client, BTC, M1, start, end, said=lambda *told: said.append(told))

    assert await fill() == 301
    assert said == [(0, 1_500), (996, 1_500), (1_500, 1_500)]
    # Minutes without a trade have no bar and are asked for again: from the first of them to the last.
    assert await fill() == 299
    assert said[3:] == [(1, 1_500), (1_001, 1_500), (1_496, 1_500), (1_500, 1_500)]


def test_a_bar_of_progress_grows_and_says_of_what(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar()
    show = bar.of(BTC, "1m bars")
    show(0, 1_440)
    show(1_440, 1_440)
    bar.end(BTC, 1_440, "1m bars")
    assert capsys.readouterr().err.splitlines() == [
        "binance:BTCUSDT [..............................]   0% 0/1,440 1m bars",
        "binance:BTCUSDT [##############################] 100% 1,440/1,440 1m bars",
        "binance:BTCUSDT: 1,440 1m bars fetched",
    ]


def test_times_are_utc_where_they_name_no_zone() -> None:
    assert moment("FROM", "2026-11-22T10:00") == moment("FROM", "2026-11-22T12:00+02:00")
    with pytest.raises(ValidationError, match="FROM must be a time such as"):
        moment("FROM", "yesterday")


def test_a_range_that_ends_before_it_begins_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--from", "2026-01-02", "--to", "2026-01-01"]) == 2
    assert capsys.readouterr().err == "FROM must be before TO, and before now\n"
