"""The archive on the emulator's S3."""

from __future__ import annotations

import subprocess
import sys

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
    done = subprocess.run(
        [sys.executable, "-m", "infra.local", "tool", "infra.query", asked],
        cwd=ROOT,
        env=child_environment(STATE_DIR=str(stack.state_dir), PYTHONPATH=f"{ROOT / 'functions'}:{ROOT}"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "2000" in done.stdout
    assert str(batch.last_id) in done.stdout
