"""The light routes, called as API Gateway calls them, over a market in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from api.chalicelib.routes import create_app
from api.chalicelib.service import MarketData
from quant.contract.catalogue import LIGHT
from quant.domain.interval import DAY, MINUTE, SECOND
from quant.errors import ThrottledError, UnavailableError
from quant.storage.table import Item, MemoryTable
from tests.functional.api.client import Client, Reply
from tests.functional.world import MARKET, START, World, random_trades
from tests.unit.quant.reference import plain_bars

TRADES = random_trades(3_000)


def _served(world: World) -> dict[str, Callable[[], object]]:
    return {"tick_data": world.storage.heartbeats.all, "ohlc_data": world.storage.bars.watermarks}


@dataclass
class Api:
    """The app over a world."""

    world: World
    checks: dict[str, Callable[[], object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        data = MarketData(self.world.storage, self.checks or _served(self.world), 7 * DAY, "1.2.3")
        self.client = Client(create_app(lambda: data, lambda: self.world.now), LIGHT)

    def get(self, path: str, method: str = "GET", **query: str | int) -> Reply:
        return self.client.request(method, path, query=query)


@pytest.fixture
def world() -> World:
    """Three thousand trades, of which the last minutes are not resampled yet."""
    world = World()
    world.follow()
    first, last = TRADES.take(slice(2_200)), TRADES.take(slice(2_200, None))
    world.write(first)
    world.now = int(first.times[-1]) + 1
    world.beat(first)
    world.resample()
    world.write(last)
    world.now = int(last.times[-1]) + 500
    world.beat(last)
    return world


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def _decimals(value: int, decimals: int) -> Decimal:
    return Decimal(value).scaleb(-decimals)


@pytest.mark.parametrize("interval", ["1s", "1m", "5m", "15m"])
def test_bars_go_up_to_the_last_trade_and_equal_the_trades(api: Api, interval: str) -> None:
    length = {"1s": SECOND, "1m": MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE}[interval]
    bars = []
    query: dict[str, str | int] = {"interval": interval, "start": START, "limit": 200}
    while True:
        page = api.get("/ohlc/BTCUSDT", **query).json
        bars += page["bars"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    expected = plain_bars(TRADES, length)
    assert [bar["time"] for bar in bars] == [plain["time"] for plain in expected]
    for bar, plain in zip(bars, expected, strict=True):
        for name in ("open", "high", "low", "close"):
            assert bar[name] == _decimals(plain[name], 2)
        for name in ("volume", "taker_buy_volume"):
            assert bar[name] == _decimals(plain[name], 5)
        for name in ("quote_volume", "taker_buy_quote_volume"):
            assert bar[name] == _decimals(plain[name], 7)
        assert [bar[name] for name in ("trades", "first_id", "last_id")] == [
            plain[name] for name in ("trades", "first_id", "last_id")
        ]
        assert abs(bar["vwap"] - bar["quote_volume"] / bar["volume"]) <= Decimal("0.0000005")
    assert [bar["closed"] for bar in bars] == [True] * (len(bars) - 1) + [False]
    assert [bar["complete"] for bar in bars] == [False] + [True] * (len(bars) - 1)


def test_without_a_start_the_newest_bars_come(api: Api) -> None:
    newest = api.get("/ohlc/BTCUSDT", interval="1s", limit=7).json
    assert [bar["time"] for bar in newest["bars"]] == [bar["time"] for bar in plain_bars(TRADES, SECOND)[-7:]]
    assert newest["next_cursor"] is None
    assert (newest["symbol"], newest["interval"], newest["exchange"]) == ("BTCUSDT", "1s", "binance")


def test_numbers_are_printed_exactly(api: Api) -> None:
    text = api.get("/ohlc/BTCUSDT", interval="1m", limit=1).text
    bar = plain_bars(TRADES, MINUTE)[-1]
    assert f'"close":{bar["close"] // 100}.{bar["close"] % 100:02d},' in text
    assert "e-" not in text


def test_empty_intervals_are_filled_when_asked_for(api: Api) -> None:
    query: dict[str, str | int] = {"interval": "1s", "start": START + MINUTE, "end": START + 3 * MINUTE}
    plain = api.get("/ohlc/BTCUSDT", **query).json["bars"]
    bars = api.get("/ohlc/BTCUSDT", fill="previous", **query).json["bars"]
    assert len(plain) < len(bars) == 120
    assert [bar for bar in bars if bar["trades"]] == plain
    for before, bar in pairwise(bars):
        if not bar["trades"]:
            assert bar["open"] == bar["high"] == bar["low"] == bar["close"] == before["close"]
            assert (bar["volume"], bar["vwap"], bar["first_id"], bar["complete"]) == (0, None, None, True)


def test_csv_holds_the_same_figures(api: Api) -> None:
    reply = api.get("/ohlc/BTCUSDT", interval="1m", format="csv")
    rows = list(csv.DictReader(io.StringIO(reply.text)))
    bars = api.get("/ohlc/BTCUSDT", interval="1m").json["bars"]
    assert reply.headers["Content-Type"].startswith("text/csv")
    assert [Decimal(row["quote_volume"]) for row in rows] == [bar["quote_volume"] for bar in bars]
    assert {row["source"] for row in rows} == {"trades"}


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_every_tick_comes_exactly_once_over_pages(api: Api, order: str) -> None:
    ids: list[int] = []
    query: dict[str, str | int] = {"start": START, "order": order, "limit": 700}
    while True:
        page = api.get("/ticks/BTCUSDT", **query).json
        ids += [tick["id"] for tick in page["ticks"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert ids == TRADES.ids.tolist()[:: 1 if order == "asc" else -1]


def test_recent_ticks_come_by_default_the_newest_first(api: Api) -> None:
    ticks = api.get("/ticks/BTCUSDT", limit=3).json["ticks"]
    assert [tick["id"] for tick in ticks] == TRADES.ids.tolist()[:-4:-1]
    assert ticks[0] == {
        "id": TRADES.last_id,
        "time": int(TRADES.times[-1]),
        "price": _decimals(int(TRADES.prices[-1]), 2),
        "quantity": _decimals(int(TRADES.quantities[-1]), 5),
        "buyer_is_maker": bool(TRADES.buyer_is_maker[-1]),
    }


def test_iso_times_and_milliseconds_mean_the_same(api: Api) -> None:
    by_ms = api.get("/ticks/BTCUSDT", start=START + MINUTE, end=START + 2 * MINUTE).json
    by_iso = api.get("/ticks/BTCUSDT", start="2024-08-08T23:01:00Z", end="2024-08-09T01:02:00+02:00").json
    assert by_ms == by_iso
    assert len(by_ms["ticks"]) > 100


def test_symbols_with_price_change_and_completeness(api: Api) -> None:
    body = api.get("/symbols").json
    (row,) = body["symbols"]
    assert body["market"] == "simulated"
    assert (row["symbol"], row["price_decimals"], row["last_price"]) == ("BTCUSDT", 2, Decimal("60000.00"))
    assert row["last_time"] == int(TRADES.times[-1])
    assert 0 < row["complete"] < 1


def test_health_tells_lag_watermark_and_market(api: Api) -> None:
    reply = api.get("/health")
    assert reply.status == 200
    assert (reply.json["status"], reply.json["version"], reply.json["market"]) == ("ok", "1.2.3", "simulated")
    assert reply.json["checks"] == {"tick_data": {"ok": True}, "ohlc_data": {"ok": True}}
    assert reply.json["data"] == {
        "damaged_chunks": 0, "dirty_marks": 0, "incomplete_minutes": 1, "differing_bars": 0
    }  # fmt: skip
    (row,) = reply.json["symbols"]
    assert (row["lag_ms"], row["last_id"]) == (5, TRADES.last_id)
    assert START < row["watermark"] <= row["last_time"]


def test_health_is_degraded_when_the_ingestor_is_silent(api: Api) -> None:
    api.world.now += MINUTE
    reply = api.get("/health")
    assert (reply.status, reply.json["status"]) == (200, "degraded")
    assert reply.json["reasons"] == ["no ingestor has given a sign of life for 30 s"]


def test_health_is_down_when_a_table_does_not_answer(world: World) -> None:
    def refuse() -> None:
        raise UnavailableError("read", "no answer")

    reply = Api(world, _served(world) | {"archive": refuse}).get("/health")
    assert (reply.status, reply.json["status"], reply.json["reasons"]) == (503, "down", ["archive"])
    assert reply.json["checks"]["archive"] == {"ok": False, "problem": "UnavailableError"}


@pytest.mark.parametrize(
    ("path", "query", "status", "field"),
    [
        ("/ohlc/NOPEUSDT", {}, 404, "symbol"),
        ("/ohlc/BTC%00USDT", {}, 404, "symbol"),
        ("/ohlc/BTCUSDT", {"exchange": "kraken"}, 404, "symbol"),
        ("/ticks/NOPEUSDT", {}, 404, "symbol"),
        ("/ohlc/BTCUSDT", {"interval": "7m"}, 422, "interval"),
        ("/ohlc/BTCUSDT", {"interval": "1w"}, 422, "interval"),
        ("/ohlc/BTCUSDT", {"limit": "0"}, 422, "limit"),
        ("/ohlc/BTCUSDT", {"limit": "1001"}, 422, "limit"),
        ("/ohlc/BTCUSDT", {"limit": "ten"}, 422, "limit"),
        ("/ohlc/BTCUSDT", {"start": "yesterday"}, 422, "start"),
        ("/ohlc/BTCUSDT", {"start": "-1"}, 422, "start"),
        ("/ohlc/BTCUSDT", {"end": "99999999999999999"}, 422, "end"),
        ("/ohlc/BTCUSDT", {"start": str(START), "end": str(START)}, 422, "end"),
        ("/ohlc/BTCUSDT", {"start": str(START), "end": str(START - 1)}, 422, "end"),
        ("/ohlc/BTCUSDT", {"fill": "zero"}, 422, "fill"),
        ("/ohlc/BTCUSDT", {"format": "xml"}, 422, "format"),
        ("/ohlc/BTCUSDT", {"colour": "red"}, 422, "colour"),
        ("/ohlc/BTCUSDT", {"cursor": "*"}, 422, "cursor"),
        ("/ohlc/BTCUSDT", {"cursor": "eyJ4"}, 422, "cursor"),
        ("/ticks/BTCUSDT", {"order": "up"}, 422, "order"),
        ("/ticks/BTCUSDT", {"limit": "5000"}, 422, "limit"),
        ("/ticks/BTCUSDT", {"start": str(START), "end": "1"}, 422, "end"),
        ("/symbols", {"x": "1"}, 422, "x"),
    ],
)
def test_bad_input_is_refused_with_the_field(
    api: Api, path: str, query: dict[str, str], status: int, field: str
) -> None:
    reply = api.get(path, **query)
    error = reply.json["error"]
    assert (reply.status, error["field"]) == (status, field)
    assert error["code"] == {404: "not_found", 422: "invalid_parameter"}[status]
    assert error["message"].startswith(field)


def test_a_corrupt_chunk_is_skipped_counted_and_shown_and_its_bars_are_incomplete() -> None:
    world = World()
    world.follow()
    world.write(TRADES)
    partition = f"{MARKET.key}#2024-08-08T23"
    victim = list(world.tick_data.query(partition))[20]
    world.tick_data.put(replace(victim, payload=victim.payload[:-2]))
    world.now = int(TRADES.times[-1]) + 1
    world.beat(TRADES)
    world.resample()
    api = Api(world)
    assert api.get("/health").json["data"]["damaged_chunks"] == 1
    bars = api.get("/ohlc/BTCUSDT", interval="1m", start=START).json["bars"]
    lost = range(int(victim.sk[:19]), int(victim.sk[20:39]) + 1)
    broken = [bar for bar in bars[1:] if not bar["complete"]]
    assert broken
    for bar in broken:
        assert bar["first_id"] - 1 in lost or bar["last_id"] + 1 in lost or bar["first_id"] < lost[0] < bar["last_id"]


def test_a_wrong_method_is_405_in_the_same_shape(api: Api) -> None:
    reply = api.get("/ohlc/BTCUSDT", method="DELETE")
    assert (reply.status, reply.json["error"]["code"]) == (405, "method_not_allowed")


def test_a_throttled_table_is_503_and_tells_nothing_of_the_inside(world: World) -> None:
    world.tick_data = _ThrottledTable()
    reply = Api(world).get("/ticks/BTCUSDT")
    assert (reply.status, reply.json["error"]["code"], reply.headers["Retry-After"]) == (503, "unavailable", "1")
    assert "secret" not in reply.text


def test_a_symbol_that_has_just_been_added_has_no_bars_yet() -> None:
    world = World(now=START)
    world.follow()
    api = Api(world)
    assert api.get("/ohlc/BTCUSDT").json["bars"] == []
    assert api.get("/ticks/BTCUSDT").json["ticks"] == []
    assert api.get("/symbols").json["symbols"][0]["last_price"] is None


class _ThrottledTable(MemoryTable):
    """A table that knows its instruments and refuses all else."""

    def __init__(self) -> None:
        super().__init__()
        World(tick_data=self).follow()

    def query(self, pk: str, *args: Any, **kwargs: Any) -> Iterator[Item]:
        if pk != "instrument":
            raise ThrottledError("read secret-table", "ProvisionedThroughputExceededException")
        return super().query(pk, *args, **kwargs)
