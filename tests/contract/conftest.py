"""The same repositories on a table in memory and on DynamoDB as moto plays it.

With CONTRACT_ENDPOINT set they are held to their promises on the emulator at that address too: tests/integration does
so with ministack, tests/localstack with LocalStack.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import boto3
import pytest
from moto import mock_aws

from infra.local.environment import aws_environment
from quant.settings import Settings
from quant.storage.dynamo import DynamoTable
from quant.storage.storage import Storage, storage_on
from quant.storage.table import MemoryTable, Table

NAMES = ("contract-tick_data", "contract-ohlc_data")
ALERT_NAMES = ("contract-alert_rules", "contract-alert_history")
ENDPOINT = os.environ.get("CONTRACT_ENDPOINT", "")
BACKENDS = ["memory", "moto", *(["endpoint"] if ENDPOINT else [])]


class FixedClock:
    """A clock that a test sets."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@dataclass(frozen=True)
class Backend:
    tables: tuple[Table, Table]
    storage: Storage
    clock: FixedClock


@cache
def session() -> boto3.Session:
    """One for all clients: it parses the description of DynamoDB once."""
    return boto3.Session()


def create_tables(names: Sequence[str], endpoint_url: str | None = None) -> None:
    client = session().client("dynamodb", endpoint_url=endpoint_url)
    for name in names:
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        )


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto in this process, with credentials that open nothing."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator at CONTRACT_ENDPOINT, without the tables of the test before."""
    for name, value in aws_environment(ENDPOINT).items():
        monkeypatch.setenv(name, value)
    client = session().client("dynamodb")
    for name in {*NAMES, *ALERT_NAMES} & set(client.list_tables()["TableNames"]):
        client.delete_table(TableName=name)


def reach(request: pytest.FixtureRequest, backend: str) -> None:
    """Make AWS clients lead to moto or to the emulator."""
    request.getfixturevalue("aws" if backend == "moto" else "endpoint")


@pytest.fixture(params=BACKENDS)
def tables(request: pytest.FixtureRequest) -> tuple[Table, Table]:
    if request.param == "memory":
        return MemoryTable(), MemoryTable()
    reach(request, request.param)
    create_tables(NAMES)
    return DynamoTable(NAMES[0]), DynamoTable(NAMES[1])


@pytest.fixture
def backend(tables: tuple[Table, Table]) -> Backend:
    clock = FixedClock(1_723_165_200_000)
    return Backend(tables, storage_on(*tables, Settings.load({}), clock), clock)


@pytest.fixture(params=BACKENDS)
def alert_tables(request: pytest.FixtureRequest) -> tuple[Table, Table]:
    """alert_rules and alert_history."""
    if request.param == "memory":
        return MemoryTable(), MemoryTable()
    reach(request, request.param)
    create_tables(ALERT_NAMES)
    return DynamoTable(ALERT_NAMES[0]), DynamoTable(ALERT_NAMES[1])
