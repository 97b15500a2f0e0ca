"""End to end on LocalStack: CloudFormation, API Gateway, Events, S3, SES and SNS are its own; the engine of DynamoDB
and what runs the functions are not."""

from __future__ import annotations

import asyncio
import time
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
from tests.integration.client import await_answer
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
        site = localstack.deployed.api.removesuffix("/api")
        await asyncio.to_thread(await_answer, site, "/api/symbols", lambda answer: len(answer["symbols"]) == 2, 60.0)
        answer = await asyncio.to_thread(
            await_answer, site, "/api/ohlc/BTCUSDT", _has_stored_bars, 240.0, interval="1m", limit=5
        )
        assert _has_stored_bars(answer)
        ticks = await asyncio.to_thread(requests.get, f"{site}/api/ticks/BTCUSDT?limit=50", timeout=20)
        ids = [tick["id"] for tick in ticks.json()["ticks"]]
        assert sorted(ids) == list(range(min(ids), min(ids) + len(ids)))
    finally:
        if ingestor:
            await ingestor.stop(20)
        await simulator.child.stop(5)
    runs = await asyncio.to_thread(_invocations, localstack)
    assert runs, "the schedule has called the function"


def _has_stored_bars(answer: dict[str, Any]) -> bool:
    return any(bar["complete"] and bar["closed"] and bar["source"] == "trades" for bar in answer["bars"])


def _invocations(stack: Stack) -> list[dict[str, Any]]:
    found = stack.client("logs").filter_log_events(
        logGroupName=f"/aws/lambda/{WANTED.prefix}-resample", startTime=int((time.time() - 600) * 1000)
    )
    events: list[dict[str, Any]] = found["events"]
    return events


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
