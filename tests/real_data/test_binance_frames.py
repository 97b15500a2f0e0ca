"""The Binance adapter on frames that were recorded, as described in the README of REAL_DATA_DIR."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ingestor.exchanges.binance import Binance
from quant.domain.decimals import format_scaled
from quant.domain.interval import M1
from quant.domain.market import Instrument, Market
from quant.domain.trade import Trades, concatenate
from quant.storage.codec import pack, unpack

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not os.environ.get("REAL_DATA_DIR"), reason="REAL_DATA_DIR does not name the recorded data"),
]

SPOT = "binance-spot-20240808/frames"
# Ids and counts as the recording's README states them.
RECORDED = [
    ("btcusdt", "BTCUSDT", (2, 5), 19_904, (3735683259, 3735703162)),
    ("ethusdt", "ETHUSDT", (2, 4), 14_515, None),
]


@pytest.fixture
def folder() -> Path:
    return Path(os.environ["REAL_DATA_DIR"])


def lines(path: Path, separator: bytes) -> list[bytes]:
    with gzip.open(path) as file:
        return [line.split(separator, 1)[1].strip() for line in file if separator in line]


def adapter(symbol: str = "BTCUSDT", decimals: tuple[int, int] = (2, 5)) -> Binance:
    made = Binance("ws://host:1", "http://host:2")
    made.learn([Instrument(Market("binance", symbol), symbol[:3], "USDT", *decimals)])
    return made


def batches(frames: list[bytes], size: int) -> Iterator[list[bytes]]:
    return (frames[at : at + size] for at in range(0, len(frames), size))


@pytest.mark.parametrize("size", [1, 500, 100_000])
@pytest.mark.parametrize(("name", "symbol", "decimals", "count", "ids"), RECORDED, ids=["BTCUSDT", "ETHUSDT"])
def test_every_recorded_trade_is_read_once(
    folder: Path, name: str, symbol: str, decimals: tuple[int, int], count: int, ids: tuple[int, int] | None, size: int
) -> None:
    frames = [f for day in ("20240808", "20240809") for f in lines(folder / SPOT / f"{name}_{day}.gz", b" ")]
    if size == 1:
        frames = frames[:3000]
    exchange, parts = adapter(symbol, decimals), []
    for batch in batches(frames, size):
        parsed = exchange.parse(batch)
        assert parsed.rejected == ()
        parts += [found.trades for found in parsed.arrivals]
    trades = concatenate(parts)
    assert bool(np.all(np.diff(trades.ids) == 1))
    assert (trades.price_decimals, trades.quantity_decimals) == decimals
    if size > 1:
        assert len(trades) == count
        assert ids is None or (trades.first_id, trades.last_id) == ids
        repacked = concatenate([unpack(one) for one in pack(Market("binance", symbol), trades)])
        pairs = zip(repacked.columns(), trades.columns(), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)


def test_the_first_recorded_trade_is_read_digit_by_digit(folder: Path) -> None:
    frames = lines(folder / SPOT / "btcusdt_20240808.gz", b" ")
    trades: Trades = adapter().parse(frames).arrivals[0].trades
    assert trades.first_id == 3735683259
    assert trades.times[0] == 1723161255342
    assert format_scaled(int(trades.prices[0]), 2) == "61837.63"
    assert format_scaled(int(trades.quantities[0]), 5) == "0.02000"
    assert bool(trades.buyer_is_maker[0])


@pytest.mark.parametrize("name", ["BINANCE.ws.1.0.gz", "BINANCE.ws.1.0.old.gz"])
def test_streams_that_nobody_asked_for_are_ignored(folder: Path, name: str) -> None:
    frames = lines(folder / "binance-spot-30s" / name, b": ")
    parsed = adapter().parse(frames)
    assert (parsed.rejected, parsed.arrivals) == ((), ())
    assert parsed.ignored + len(parsed.events) == len(frames)


def test_no_control_frame_is_bad(folder: Path) -> None:
    frames = (folder / "binance-control-frames.jsonl").read_bytes().splitlines()
    parsed = adapter().parse(frames)
    assert parsed.rejected == ()
    trades = sum(len(found.trades) for found in parsed.arrivals)
    assert trades + len(parsed.events) + parsed.ignored == len(frames)
    assert trades == 3


def test_rest_answers_are_read(folder: Path) -> None:
    exchange = adapter("BTCUSDT", (2, 5))

    def body(name: str) -> bytes:
        return (folder / "binance-rest" / f"http_spot_market_{name}.json").read_bytes()

    trades = exchange.read_trades(body("historical_trades"), "BTCUSDT")
    assert (trades.first_id, int(trades.prices[0]), int(trades.quantities[0])) == (1111471896, 6081478, 34)
    assert len(exchange.read_trades(body("trades"), "BTCUSDT")) > 0
    aggregates = exchange.read_aggregates(body("agg_trades"), "BTCUSDT")
    assert aggregates.trades.first_id == 1111480471
    assert aggregates.next_page > 966492862
    bars = exchange.read_klines(body("klines"), "BTCUSDT", M1, 2**62)
    first = 0
    assert (int(bars.time[first]), int(bars.trades[first])) == (1634943780000, 617)
    scale = bars.price_decimals + bars.quantity_decimals
    assert format_scaled(int(bars.quote_volume[first]), scale).rstrip("0") == "1313200.0134041"
    listing = exchange.read_listing(body("exchange_info"), [])
    assert (listing.server_time, listing.weight_per_minute) == (1634942465856, 1200)
    assert all(instrument.price_decimals <= 8 for instrument in listing.instruments)
