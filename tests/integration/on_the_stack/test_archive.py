"""The archive on the emulator's S3."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import boto3
import numpy as np
import pytest

from infra.local.environment import CREDENTIALS, REGION
from quant.domain.market import Market
from quant.errors import ConflictError
from quant.settings import child_environment
from quant.storage.archive import TradeArchive, object_key
from quant.storage.objects import ABSENT, S3Objects
from tests.functional.world import START, random_trades
from tests.integration.client import all_ticks, await_answer
from tests.integration.conftest import ROOT, RunningStack
from tests.unit.quant.strategies import rows

MARKET = Market("binance", "TESTUSDT")


@pytest.fixture
def objects(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> S3Objects:
    for name, value in {**CREDENTIALS, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": stack.emulator_url}.items():
        monkeypatch.setenv(name, value)
    buckets = [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]]
    (name,) = [bucket for bucket in buckets if "archive" in bucket.lower()]
    return S3Objects(name)


def test_an_hour_is_merged_and_conditions_are_kept(objects: S3Objects) -> None:
    batch = random_trades(5_000)
    archive = TradeArchive(objects)
    archive.merge(MARKET, START, batch.take(np.delete(np.arange(5_000), range(100, 200))))
    archive.merge(MARKET, START, batch.take(slice(50, 250)))
    back = archive.read(MARKET, START)
    assert back is not None
    assert rows(back) == rows(batch)
    assert list(archive.hours(MARKET, START, START + 1)) == [START]
    for expected in (ABSENT, '"0123456789abcdef0123456789abcdef"'):
        with pytest.raises(ConflictError):
            objects.put(object_key(MARKET, START), b"other", expected=expected)


def test_the_archive_is_asked_in_sql(objects: S3Objects, stack: RunningStack) -> None:
    batch = random_trades(2_000)
    market = Market("binance", "QUERYUSDT")
    TradeArchive(objects).merge(market, START, batch)
    asked = "select count(*) as n, max(id) as last from ticks where symbol = 'QUERYUSDT'"
    answer = _tool(stack, "infra.query", asked)
    assert "2000" in answer
    assert str(batch.last_id) in answer


def test_a_damaged_chunk_is_noticed_shown_and_repaired(objects: S3Objects, stack: RunningStack) -> None:
    """As an operator meets it: health counts it, `make repair` fetches its trades, health is clean."""
    first = await_answer(stack.url, "/api/ticks/BTCUSDT", lambda page: page["ticks"], limit=1)["ticks"][0]
    table = boto3.client("dynamodb")
    hour = f"{datetime.fromtimestamp(first['time'] / 1000, UTC):%Y-%m-%dT%H}"
    found = table.query(
        TableName="quant-tick_data",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"binance#BTCUSDT#{hour}"}},
        ScanIndexForward=False,
        Limit=1,
    )["Items"][0]
    table.put_item(TableName="quant-tick_data", Item={**found, "p": {"B": found["p"]["B"][:-1] + b"?"}})
    boto3.client("lambda").invoke(FunctionName="quant-resample")
    await_answer(stack.url, "/api/health", lambda health: health["data"]["damaged_chunks"] == 1)
    done = _tool(stack, "ingestor.repair")
    assert "1 of 1 damaged chunks repaired" in done
    await_answer(stack.url, "/api/health", lambda health: health["data"]["damaged_chunks"] == 0)
    low, high = (int(part) for part in found["sk"]["S"].split("#")[:2])
    ids = {tick["id"] for tick in all_ticks(stack.url, "BTCUSDT")}
    assert set(range(low, high + 1)) <= ids


def _tool(stack: RunningStack, *words: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "infra.local", "tool", *words],
        cwd=ROOT,
        env=child_environment(STATE_DIR=str(stack.state_dir), PYTHONPATH=f"{ROOT / 'functions'}:{ROOT}"),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
