"""The Coinbase adapter on the feed that was recorded, as described in the README of REAL_DATA_DIR."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from ingestor.exchanges.coinbase import Coinbase
from quant.domain.decimals import format_scaled
from quant.domain.market import Market
from quant.domain.trade import merge
from quant.storage.codec import pack, unpack

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not os.environ.get("REAL_DATA_DIR"), reason="REAL_DATA_DIR does not name the recorded data"),
]
MATCHES = ("match", "last_match")


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(os.environ["REAL_DATA_DIR"]) / "coinbase"


@pytest.fixture(scope="module")
def frames(folder: Path) -> list[bytes]:
    with gzip.open(folder / "COINBASE.ws.28.0.gz") as file:
        lines = [line for line in file if b"<-" not in line[:60]]
    return [line.split(b": ", 1)[1].strip() for line in lines if b": " in line]


@pytest.fixture(scope="module")
def products(folder: Path) -> bytes:
    with gzip.open(folder / "COINBASE.0.gz") as file:
        lines = file.read().splitlines()
    return next(line.split(b": ", 1)[1] for line in lines if b"/products -> " in line)


def learned(products: bytes) -> Coinbase:
    exchange = Coinbase("ws://host:1", "http://host:2")
    exchange.learn(exchange.read_listing(products, []).instruments)
    return exchange


def plain(frames: list[bytes]) -> list[dict[str, Any]]:
    decoded = [json.loads(frame) for frame in frames]
    return [one for one in decoded if one["type"] in MATCHES]


def test_every_recorded_match_is_read_as_it_is_printed(frames: list[bytes], products: bytes) -> None:
    parsed = learned(products).parse(frames)
    expected = plain(frames)
    # The README counts 107: 97 of them came live, one for each of the ten products told the last one before.
    assert len(expected) == 107
    assert parsed.rejected == ()
    assert parsed.ignored == 9719 + 10 + 107
    read = {(one.market.symbol, int(one.trades.ids[row])): (one.trades, row)
            for one in parsed.arrivals for row in range(len(one.trades))}  # fmt: skip
    assert len(read) == 107
    for match in expected:
        trades, row = read[match["product_id"], match["trade_id"]]
        for printed, value, decimals in (
            (match["price"], trades.prices[row], trades.price_decimals),
            (match["size"], trades.quantities[row], trades.quantity_decimals),
        ):
            assert format_scaled(int(value), decimals).rstrip("0") == (
                printed + ("" if "." in printed else ".")
            ).rstrip("0")
        assert bool(trades.buyer_is_maker[row]) == (match["side"] == "buy")
        assert int(trades.times[row]) % 1000 == int(match["time"][20:23])


def test_the_ids_of_a_product_have_no_gaps_and_its_trades_survive_packing(frames: list[bytes], products: bytes) -> None:
    for arrivals in learned(products).parse(frames).arrivals:
        trades = merge([arrivals.trades])
        assert trades.ids.tolist() == list(range(trades.first_id, trades.last_id + 1))
        (chunk, *rest) = pack(arrivals.market, trades)
        assert unpack(chunk).ids.tolist() == trades.ids.tolist()[: chunk.count]
        assert sum(one.count for one in [chunk, *rest]) == len(trades)


def test_decimals_come_from_the_increments(products: bytes) -> None:
    listing = learned(products).read_listing(products, ["SKL-EUR", "BTC-GBP"])
    assert {
        (one.market, one.base, one.quote, one.price_decimals, one.quantity_decimals) for one in listing.instruments
    } == {
        (Market("coinbase", "SKL-EUR"), "SKL", "EUR", 4, 1),
        (Market("coinbase", "BTC-GBP"), "BTC", "GBP", 2, 8),
    }
    assert listing.server_time is None
