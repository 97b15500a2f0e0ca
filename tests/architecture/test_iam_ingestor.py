"""The ingestor's task role: it may do what an ingestor does in its life, and nothing else.

A real ingestor listens to a scripted exchange, ends, starts again and heals what it missed; an hour is archived and
found again; trades older than ticks are kept go to archive and bars. All of it in moto, under the role's own policy.
"""

from __future__ import annotations

import asyncio
import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from moto import mock_aws
from samtranslator.yaml_helper import yaml_parse

from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.server import ExchangeServer
from ingestor.archive import Archiver
from ingestor.old_trades import OldTrades
from ingestor.threads import in_thread
from quant.domain.bar import FROM_EXCHANGE
from quant.domain.interval import DAY, HOUR, MINUTE, floor
from quant.domain.market import Market
from quant.domain.trade import Trades
from quant.settings import Settings
from quant.storage import codec
from quant.storage.archive import TradeArchive
from quant.storage.objects import S3Objects
from quant.storage.storage import Storage, open_storage
from tests.architecture.permissions import ACCOUNT, PREFIX, REGION, Guard, Names, Permission, guarded, refused, unused
from tests.functional.analyse.market import minute_bars
from tests.functional.ingestor.conftest import BTC, Events, now_ms, running
from tests.functional.world import random_trades

SERVICE = Path(__file__).parents[2] / "infra/ingestor-service.yaml"
BUCKET = "archivebucket"
SYMBOLS = ("BTCUSDT", "ETHUSDT", "LTCUSDT")
MARKETS = tuple(Market("binance", symbol) for symbol in SYMBOLS)
TABLES = ("tick_data", "ohlc_data")
Statements = list[dict[str, Any]]


def _template() -> dict[str, Any]:
    template: dict[str, Any] = yaml_parse(SERVICE.read_text())
    template["Parameters"]["ArchiveBucketName"]["Default"] = BUCKET
    return template


def _statements(template: dict[str, Any]) -> Statements:
    [policy] = template["Resources"]["TaskRole"]["Properties"]["Policies"]
    found: Statements = policy["PolicyDocument"]["Statement"]
    return found


def _permissions(template: dict[str, Any]) -> list[Permission]:
    names = Names(template)
    return [
        Permission(statement["Sid"], action, names.arn(resource))
        for statement in _statements(template)
        for action in statement["Action"]
        for resource in statement["Resource"]
    ]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION, "PREFIX": PREFIX,
        "MOTO_ACCOUNT_ID": ACCOUNT,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)


async def _played(template: dict[str, Any], folder: Path) -> Guard:
    """An ingestor's life; what is refused is noted, and stops the part that asked for it, not the life."""
    guard = Guard(_permissions(template))
    with mock_aws(), guarded(guard):
        _create()
        storage, archive = open_storage(Settings.load(), now_ms), TradeArchive(S3Objects(BUCKET))
        past = random_trades(400, start=floor(now_ms(), HOUR) - 2 * HOUR, first_id=10)
        storage.ticks.write([chunk for part in (past,) for chunk in codec.pack(BTC, part)])
        _other_opinion(storage)
        guard.on = True
        try:
            await _archive_an_hour(storage, archive)
            await in_thread(OldTrades(archive, storage.bars, now_ms).store, BTC, _old())
            await _listen_twice(storage, folder)
        except Exception:
            if not guard.refused:
                raise
        guard.on = False
    return guard


async def _archive_an_hour(storage: Storage, archive: TradeArchive) -> None:
    archiver = Archiver(storage.ticks, archive, now_ms, Events(), in_thread, again=3 * HOUR, oldest=3 * HOUR)
    work = asyncio.create_task(archiver.run([BTC]))
    try:
        async with asyncio.timeout(5):
            while not archiver.hours:
                await asyncio.sleep(0.02)
    finally:
        work.cancel()


def _old() -> Trades:
    return random_trades(3_000, start=floor(now_ms(), DAY) - 9 * DAY, first_id=1)


def _other_opinion(storage: Storage) -> None:
    """Bars of the exchange that say something else than the old trades: differences are noted."""
    first = floor(now_ms(), DAY) - 9 * DAY
    bars = minute_bars(np.full(15, 1.0), first + 15 * MINUTE, decimals=2)
    storage.bars.merge(BTC, replace(bars, source=np.full(15, FROM_EXCHANGE)))


async def _listen_twice(storage: Storage, folder: Path) -> None:
    async with ExchangeServer(ScriptedMarket(SYMBOLS, first_id=10_000)) as server, asyncio.timeout(20):
        at = now_ms() - 5 * MINUTE
        for start in (10_000, 10_040):
            # Of several symbols, so that a flush writes more than one chunk at once.
            async with running(server, folder, storage=storage, markets=MARKETS):
                _publish(server.market, at)
                await _stored(storage, start + 20)
            _publish(server.market, at + MINUTE)
            at += 2 * MINUTE


def _publish(market: ScriptedMarket, at: int) -> None:
    for k in range(20):
        for symbol in SYMBOLS:
            market.publish(symbol, price="61837.50", quantity="0.02", time=at + k)


async def _stored(storage: Storage, count: int) -> None:
    while (await in_thread(storage.ticks.last_id, BTC, now_ms() - HOUR, now_ms() + HOUR) or 0) < count - 1:
        await asyncio.sleep(0.05)


def _create() -> None:
    client = boto3.client("dynamodb")
    for name in TABLES:
        client.create_table(
            TableName=f"{PREFIX}-{name}",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        )
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})


async def test_the_role_allows_all_that_an_ingestor_does_and_nothing_else(tmp_path: Path) -> None:
    template = _template()
    guard = await _played(template, tmp_path)
    assert guard.refused == set()
    too_many = unused(guard.allowed, guard.made)
    assert not too_many, "\n".join(map(str, too_many))
    for number in range(len(_statements(template))):
        smaller = copy.deepcopy(template)
        left_out = _statements(smaller).pop(number)
        assert refused(_permissions(smaller), guard.made), left_out["Sid"]


async def test_what_no_statement_allows_is_refused_as_aws_does_it(tmp_path: Path) -> None:
    template = _template()
    _statements(template).clear()
    assert (await _played(template, tmp_path)).refused != set()
