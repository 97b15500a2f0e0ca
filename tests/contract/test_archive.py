"""What the archive promises, in memory, on S3 as moto plays it and on an emulator; others can read its files too."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import boto3
import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from quant.domain.interval import HOUR
from quant.domain.market import Market
from quant.domain.trade import INT64_MAX, Trades
from quant.errors import ChunkError, ConflictError
from quant.storage.archive import TradeArchive, hour_of, object_key
from quant.storage.objects import ABSENT, MemoryObjects, Objects, S3Objects
from quant.storage.parquet import from_parquet, to_parquet
from tests.contract.conftest import BACKENDS, reach
from tests.functional.world import START, random_trades
from tests.unit.quant.strategies import rows, trades

MARKET = Market("binance", "BTCUSDT")
KEY = "ticks/exchange=binance/symbol=BTCUSDT/date=2024-08-08/hour=23.parquet"


@pytest.fixture(params=BACKENDS)
def objects(request: pytest.FixtureRequest) -> Objects:
    if request.param == "memory":
        return MemoryObjects()
    reach(request, request.param)
    name, where = f"archive-{uuid4()}", {"LocationConstraint": "eu-central-1"}
    client = boto3.client("s3", region_name="eu-central-1")
    client.create_bucket(Bucket=name, CreateBucketConfiguration=where)  # type: ignore[arg-type]
    return S3Objects(name)


@pytest.fixture
def archive(objects: Objects) -> TradeArchive:
    return TradeArchive(objects)


def test_an_object_is_written_only_on_what_was_read(objects: Objects) -> None:
    assert objects.get("a/b") is None
    objects.put("a/b", b"1", expected=ABSENT)
    with pytest.raises(ConflictError):
        objects.put("a/b", b"2", expected=ABSENT)
    stored = objects.get("a/b")
    assert stored is not None
    objects.put("a/b", b"2", expected=stored[1])
    with pytest.raises(ConflictError):
        objects.put("a/b", b"3", expected=stored[1])
    objects.put("a/a", b"0", expected=ABSENT)
    assert list(objects.keys("a/")) == ["a/a", "a/b"]


def test_an_hour_reads_back_under_its_key(archive: TradeArchive, objects: Objects) -> None:
    batch = random_trades(2_000)
    archive.merge(MARKET, START, batch)
    assert list(objects.keys("ticks/")) == [KEY]
    back = archive.read(MARKET, START)
    assert back is not None
    assert rows(back) == rows(batch)
    assert (back.price_decimals, back.quantity_decimals) == (2, 5)
    assert archive.read(MARKET, START + HOUR) is None
    assert list(archive.hours(MARKET, START, START + HOUR)) == [START]
    assert list(archive.hours(MARKET, START + 1, START + HOUR)) == []


def test_the_key_names_its_hour() -> None:
    assert object_key(MARKET, START) == KEY
    assert hour_of(KEY) == START


def test_an_hour_never_shrinks_and_the_same_trades_write_nothing(archive: TradeArchive, objects: Objects) -> None:
    batch = random_trades(2_000)
    holed = batch.take(np.delete(np.arange(2_000), range(500, 600)))
    archive.merge(MARKET, START, holed)
    first = objects.get(KEY)
    archive.merge(MARKET, START, batch.take(slice(400, 700)))
    healed = objects.get(KEY)
    assert first is not None
    assert healed is not None
    assert healed[0] == to_parquet(batch) != first[0]
    archive.merge(MARKET, START, holed)
    assert objects.get(KEY) == healed


class _Rival(MemoryObjects):
    """Another ingestor writes between our read and our write."""

    def __init__(self, theirs: Trades) -> None:
        super().__init__()
        self.theirs: Trades | None = theirs

    def get(self, key: str) -> tuple[bytes, str] | None:
        seen = super().get(key)
        if self.theirs is not None:
            theirs, self.theirs = self.theirs, None
            self.put(key, to_parquet(theirs), expected=seen[1] if seen else ABSENT)
        return seen


def test_two_writers_lose_nothing() -> None:
    batch = random_trades(1_000)
    archive = TradeArchive(_Rival(batch.take(slice(0, 600))))
    assert rows(archive.merge(MARKET, START, batch.take(slice(500, 1_000)))) == rows(batch)
    back = archive.read(MARKET, START)
    assert back is not None
    assert rows(back) == rows(batch)


@settings(max_examples=60)
@given(trades(widest=INT64_MAX))
def test_every_legal_trade_survives(batch: Trades) -> None:
    back = from_parquet(to_parquet(batch), "key")
    assert rows(back) == rows(batch)
    assert (back.price_decimals, back.quantity_decimals) == (batch.price_decimals, batch.quantity_decimals)
    assert to_parquet(batch.take(np.arange(len(batch)))) == to_parquet(batch)


def test_a_damaged_file_is_an_error_that_names_it() -> None:
    payload = to_parquet(random_trades(100))
    chance = random.Random(3)
    for cut in [0, 3, *(chance.randrange(len(payload)) for _ in range(20))]:
        with pytest.raises(ChunkError, match=r"chunk some/key cannot be read"):
            from_parquet(payload[:cut], "some/key")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The archive as files on a disk."""
    for hour in (START, START + HOUR):
        path = tmp_path / object_key(MARKET, hour)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(to_parquet(replace(random_trades(500), times=random_trades(500, start=hour).times)))
    return tmp_path


def test_duckdb_reads_it_exactly_and_by_partition(folder: Path) -> None:
    batch = random_trades(500)
    source = f"read_parquet('{folder}/ticks/**/*.parquet', hive_partitioning=true)"
    found = (
        duckdb.connect()
        .execute(f"select sum(price * quantity), count(*), min(symbol) from {source} where date = '2024-08-08'")
        .fetchone()
    )
    exact = sum(
        price * quantity for price, quantity in zip(batch.prices.tolist(), batch.quantities.tolist(), strict=True)
    )
    assert found == (Decimal(exact).scaleb(-7), 500, "BTCUSDT")


def test_pandas_reads_it_exactly(folder: Path) -> None:
    batch = random_trades(500)
    frame = pd.read_parquet(folder / KEY)
    assert list(frame.columns[:5]) == ["id", "time", "price", "quantity", "buyer_is_maker"]
    assert frame["price"].tolist() == [Decimal(price).scaleb(-2) for price in batch.prices.tolist()]
    assert frame["time"].iloc[0] == pd.Timestamp(int(batch.times[0]), unit="ms", tz="UTC")
