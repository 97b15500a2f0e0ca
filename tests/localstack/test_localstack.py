"""End to end on LocalStack: CloudFormation, API Gateway, Events, S3, SES and SNS are its own; the engine of DynamoDB
and what runs the functions are not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from infra.deploy.commands import up
from infra.local.children import Child
from infra.local.ingestion import ingestor_child
from infra.local.sources import SIMULATOR, Simulator
from quant.domain.market import Market
from quant.settings import Settings
from tests.integration.test_deploy_contract import run_contract
from tests.localstack.conftest import ROOT, WANTED, Stack

pytestmark = pytest.mark.timeout(300)
SETTINGS = Settings.load({"PREFIX": WANTED.prefix, "SYMBOLS": WANTED.symbols, "FLUSH_SECONDS": "1"})


def test_it_listens_on_loopback_only(localstack: Stack) -> None:
    for part in (localstack.server.child, localstack.server.substitute.child):
        listening = [one for one in psutil.Process(part.pid).net_connections("inet") if one.status == "LISTEN"]
        assert {one.laddr.ip for one in listening} == {"127.0.0.1"}


def test_the_template_is_deployed_and_a_second_time_replaces_nothing(localstack: Stack) -> None:
    """LocalStack says of an update that changes nothing that it was one, so the resources themselves are compared."""
    assert localstack.deployed.changed
    before = _resources(localstack)
    again = up(WANTED, localstack.tools)
    assert again.uploaded == 0
    assert _resources(localstack) == before


def _resources(stack: Stack) -> dict[str, str]:
    pages = stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=WANTED.prefix)
    found = [one for page in pages for one in page["StackResourceSummaries"]]
    # An API's deployment is named by its content and made anew with it.
    kept = [one for one in found if one["ResourceType"] != "AWS::ApiGateway::Deployment"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in kept}


def test_routes_and_errors_have_the_apis_shape(localstack: Stack) -> None:
    base = localstack.deployed.api
    assert requests.get(f"{base}/health", timeout=30).json()["status"]
    assert requests.get(f"{base}/ohlc/NOSUCHSYMBOL", timeout=30).json()["error"]["code"]
    assert requests.delete(f"{base}/symbols", timeout=30).status_code == 405


def test_what_a_function_has_gzipped_comes_as_bytes(localstack: Stack) -> None:
    reply = requests.get(f"{localstack.deployed.api}/openapi.json", headers={"Accept-Encoding": "gzip"}, timeout=30)
    assert reply.headers["Content-Encoding"] == "gzip"
    assert reply.json()["paths"]


def test_the_site_is_served_with_its_types(localstack: Stack) -> None:
    page = requests.get(localstack.deployed.url, timeout=10)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["Cache-Control"] == "no-cache"


async def test_trades_become_bars_by_the_schedule(localstack: Stack, tmp_path: Path) -> None:
    """The ingestor writes, Events calls the function within a minute or two, the API shows complete bars."""
    simulator = Simulator.of(SETTINGS, SIMULATOR, symbols=True, root=ROOT, folder=tmp_path)
    await simulator.start()
    ingestor: Child | None = None
    try:
        markets = [Market("binance", symbol) for symbol in WANTED.symbols.split(",")]
        ingestor = ingestor_child(
            SETTINGS, SIMULATOR, markets, root=ROOT, folder=tmp_path, emulator_url=localstack.server.url,
            simulator=simulator,
        )  # fmt: skip
        await ingestor.start()
        api = localstack.deployed.api
        await _until(f"{api}/symbols", lambda answer: len(answer["symbols"]) == 2)
        await _resampled(localstack)
        await _until(f"{api}/ohlc/BTCUSDT?interval=1m&limit=5", _has_closed_bars)
        ids = [tick["id"] for tick in _ask(f"{api}/ticks/BTCUSDT?limit=50")["ticks"]]
        assert sorted(ids) == list(range(min(ids), min(ids) + len(ids)))
    finally:
        if ingestor:
            await ingestor.stop(20)
        await simulator.child.stop(5)


def _ask(url: str) -> Any:
    return requests.get(url, timeout=20).json()


async def _until(url: str, wanted: Callable[[Any], bool], patience: float = 200.0) -> None:
    async with asyncio.timeout(patience):
        while "error" in (answer := await asyncio.to_thread(_ask, url)) or not wanted(answer):
            await asyncio.sleep(1)


def _has_closed_bars(answer: dict[str, Any]) -> bool:
    return any(bar["complete"] and bar["closed"] and bar["source"] == "trades" for bar in answer["bars"])


async def _resampled(stack: Stack, patience: float = 200.0) -> None:
    """Wait for a watermark: only the function that the schedule calls writes one (docs/data-model.md)."""
    dynamodb = stack.client("dynamodb")
    key = {":pk": {"S": "watermark"}}
    async with asyncio.timeout(patience):
        while not (await asyncio.to_thread(_items, dynamodb, key)):
            await asyncio.sleep(1)


def _items(dynamodb: Any, key: dict[str, Any]) -> list[Any]:
    found: list[Any] = dynamodb.query(
        TableName=f"{WANTED.prefix}-ohlc_data", KeyConditionExpression="pk = :pk", ExpressionAttributeValues=key
    )["Items"]
    return found


def test_its_services_keep_what_they_are_given(localstack: Stack) -> None:
    ses, sns, ssm = (localstack.client(name) for name in ("ses", "sns", "ssm"))
    ses.verify_email_identity(EmailAddress="alerts@example.com")
    sent = ses.send_email(
        Source="alerts@example.com", Destination={"ToAddresses": ["me@example.com"]},
        Message={"Subject": {"Data": "BTCUSDT"}, "Body": {"Text": {"Data": "above 60,000"}}},
    )  # fmt: skip
    kept = requests.get(f"{localstack.server.url}/_aws/ses", timeout=10).json()["messages"]
    assert sent["MessageId"] in {message["Id"] for message in kept}
    topics = {topic["TopicArn"].rpartition(":")[2] for topic in sns.list_topics()["Topics"]}
    assert f"{WANTED.prefix}-alarms" in topics
    assert ssm.get_parameter(Name=f"/{WANTED.prefix}/symbols")["Parameter"]["Value"] == WANTED.symbols


def test_localstack_keeps_the_contract_of_the_repositories(localstack: Stack) -> None:
    last = run_contract(localstack.server.url)
    assert "passed" in last
    assert "failed" not in last
    print(last)
