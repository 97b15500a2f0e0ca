"""An upgrade from the previous commit's deployment, made and filled by that commit's own code, to today's.

``UPGRADE_FROM=⟨revision⟩`` takes another commit than the one before this.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.deploy import stacks
from infra.deploy.commands import Wanted, up
from infra.local.children import Child
from infra.local.environment import aws_environment
from infra.local.ingestion import ingestor_child
from infra.local.sources import SIMULATOR, Simulator
from quant.domain.market import Market
from quant.settings import Settings
from tests.integration.client import all_ticks, await_answer, get
from tests.integration.conftest import ROOT
from tests.integration.deploying import Session
from tests.integration.earlier import Earlier, check_out

PREFIX, SYMBOLS = "upgraded", "BTCUSDT,ETHUSDT"
SETTINGS = Settings.load({"PREFIX": PREFIX, "SYMBOLS": SYMBOLS, "FLUSH_SECONDS": "1"})
FUNCTIONS = ("api", "resample", "analyse", "check_alerts")
# What functions and ingestors write anew as they go on. All else is data.
MARKS = {"watermark", "heartbeat", "incomplete", "dirty", "monitor", "state", "latest", "outbox"}

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Earlier:
    found = check_out(os.environ.get("UPGRADE_FROM", "HEAD~1"), ROOT, tmp_path_factory.mktemp("earlier"))
    if isinstance(found, str):
        pytest.skip(found)
    return found


@dataclass(frozen=True)
class Contents:
    """Everything that is stored, by table and key, and in the archive; and what the API makes of it."""

    items: Mapping[tuple[str, str, str], str]
    objects: Mapping[str, bytes]
    answers: Mapping[str, list[Any]]

    @property
    def data(self) -> dict[tuple[str, str, str], str]:
        """Items that no run replaces: an open hour's bars grow, so they are compared as the API's answers."""
        return {key: item for key, item in self.items.items() if key[1] not in MARKS and "ohlc" not in key[0]}


async def test_the_previous_commits_stack_with_its_data_is_upgraded_and_nothing_is_lost(
    earlier: Earlier, emulator: Session, tmp_path: Path
) -> None:
    simulator = Simulator.of(SETTINGS, SIMULATOR, symbols=True, root=ROOT, folder=tmp_path)
    await simulator.start()
    try:
        await asyncio.to_thread(earlier.deploy, PREFIX, SYMBOLS, aws_environment(emulator.url))
        url = api(emulator)
        old = ingestor(earlier.root, simulator, emulator, tmp_path / "old")
        await old.start()
        try:
            await asyncio.to_thread(fill, emulator, url)
        finally:
            await old.stop(20)
        before = await asyncio.to_thread(contents, emulator, url)
        assert {table for table, _, _ in before.data} >= {f"{PREFIX}-{name}" for name in ("tick_data", "alert_rules")}
        wanted = Wanted(root=ROOT, prefix=PREFIX, symbols=SYMBOLS)
        deployed = await asyncio.to_thread(up, wanted, emulator.tools)
        url = deployed.api.removesuffix("/api")
        for function in FUNCTIONS[1:]:
            assert isinstance(invoke(emulator, function), dict)
        after = await asyncio.to_thread(contents, emulator, url)
        assert lost(before, after) == []
        await goes_on(simulator, emulator, url, tmp_path / "new")
    finally:
        await simulator.child.stop(5)


def api(emulator: Session) -> str:
    outputs = stacks.outputs(emulator.client("cloudformation"), PREFIX)
    return f"{emulator.url}/_aws/execute-api/{outputs['RestApiId']}"


def ingestor(root: Path, simulator: Simulator, emulator: Session, folder: Path) -> Child:
    markets = [Market("binance", symbol) for symbol in SYMBOLS.split(",")]
    archive = stacks.outputs(emulator.client("cloudformation"), PREFIX)["ArchiveBucketName"]
    return ingestor_child(
        SETTINGS, SIMULATOR, markets, root=root, folder=folder, emulator_url=emulator.url,
        archive_bucket=archive, simulator=simulator,
    )  # fmt: skip


def fill(emulator: Session, url: str) -> None:
    """Ticks, the exchange's bars and our own, a rule, its event, its deliveries, and results."""
    await_answer(url, "/api/symbols", lambda answer: len(answer["symbols"]) == 2)
    await_answer(url, "/api/ohlc/ETHUSDT", lambda answer: len(answer["bars"]) == 1000, interval="1m", limit=1000)
    topic = stacks.outputs(emulator.client("cloudformation"), PREFIX)["AlertTopicArn"]
    rule = {"name": "one", "metric": "price", "symbol": "BTCUSDT", "operator": ">", "threshold": 1,
            "channels": [{"type": "sns", "target": topic}]}  # fmt: skip
    token = emulator.client("ssm").get_parameter(Name=f"/{PREFIX}/api-tokens", WithDecryption=True)
    allowed = {"Authorization": f"Bearer {token['Parameter']['Value']}"}
    made = requests.post(f"{url}/api/alerts/rules", json=rule, headers=allowed, timeout=30)
    assert made.status_code == 201, made.text
    until(lambda: invoke(emulator, "resample") and invoke(emulator, "check_alerts") and has_ended(url))
    invoke(emulator, "analyse")
    emulator.client("s3").put_object(
        Bucket=stacks.outputs(emulator.client("cloudformation"), PREFIX)["ArchiveBucketName"],
        Key="ticks/exchange=binance/symbol=NOSUCH/date=2026-11-22/hour=10.parquet", Body=b"trades",
    )  # fmt: skip


def has_ended(url: str) -> bool:
    """Whether an event is recorded and its delivery has ended: of a simulated market nothing leaves for a topic."""
    events = get(url, "/api/alerts/history")["events"]
    return bool(events) and all(one["status"] != "pending" for one in events[0]["deliveries"])


def invoke(emulator: Session, function: str) -> Any:
    reply = emulator.client("lambda").invoke(FunctionName=f"{PREFIX}-{function}", Payload=b'{"source": "aws.events"}')
    answer = json.loads(reply["Payload"].read())
    assert "FunctionError" not in reply, answer
    return answer


def contents(emulator: Session, url: str) -> Contents:
    """All tables, the archive, and the API's answers, read once no trade is on its way."""
    invoke(emulator, "resample")
    answers = {"rules": get(url, "/api/alerts/rules")["rules"], "events": get(url, "/api/alerts/history")["events"]}
    for symbol in SYMBOLS.split(","):
        answers[f"ticks {symbol}"] = all_ticks(url, symbol)
        for interval in ("1s", "1m", "5m"):
            bars = get(url, f"/api/ohlc/{symbol}", interval=interval, limit=1000)["bars"]
            answers[f"{interval} {symbol}"] = [bar for bar in bars if bar["closed"] and bar["complete"] is not False]
    s3, dynamodb = emulator.client("s3"), emulator.client("dynamodb")
    archive = stacks.outputs(emulator.client("cloudformation"), PREFIX)["ArchiveBucketName"]
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=archive).get("Contents", [])]
    names = [name for name in dynamodb.list_tables()["TableNames"] if name.startswith(f"{PREFIX}-")]
    items = {(name, item["pk"]["S"], item["sk"]["S"]): json.dumps(item, sort_keys=True, default=repr)
             for name in names for page in dynamodb.get_paginator("scan").paginate(TableName=name)
             for item in page["Items"]}  # fmt: skip
    return Contents(items, {key: s3.get_object(Bucket=archive, Key=key)["Body"].read() for key in keys}, answers)


def lost(before: Contents, after: Contents) -> list[Any]:
    """Each item, object and part of an answer that is no longer as it was."""
    gone = [key for key in before.items if key[1] not in MARKS and key not in after.items]
    changed = [key for key, item in before.data.items() if after.items.get(key) != item]
    objects = [key for key, body in before.objects.items() if after.objects.get(key) != body]
    parts = [(name, one) for name, all_of in before.answers.items() for one in all_of if one not in after.answers[name]]
    return [*gone, *changed, *objects, *parts]


async def goes_on(simulator: Simulator, emulator: Session, url: str, folder: Path) -> None:
    """The new ingestor heals what came while there was none: from the first trade to the newest no id is missing."""
    last = {symbol: all_ticks(url, symbol)[-1]["id"] for symbol in SYMBOLS.split(",")}
    new = ingestor(ROOT, simulator, emulator, folder)
    await new.start()
    try:
        for symbol, known in last.items():
            await asyncio.to_thread(until, lambda symbol=symbol, known=known: is_whole(url, symbol, known))
    finally:
        await new.stop(20)


def is_whole(url: str, symbol: str, known: int) -> bool:
    ids = [tick["id"] for tick in all_ticks(url, symbol)]
    return bool(ids[-1] > known + 10 and ids == list(range(ids[0], ids[-1] + 1)))


def until(wanted: Callable[[], Any], patience: float = 120.0) -> None:
    deadline = time.monotonic() + patience
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_a_lost_item_is_found() -> None:
    """The comparison itself: it says of each part that it is gone or was changed."""
    whole = Contents({("t-tick_data", "a", "1"): "x", ("t-ohlc_data", "b", "1"): "y"}, {"key": b"z"}, {"rules": [1]})
    assert lost(whole, whole) == []
    without = {("t-tick_data", "a", "1"): "x"}
    assert lost(whole, replace(whole, items=without)) == [("t-ohlc_data", "b", "1")]
    changed = {**whole.items, ("t-tick_data", "a", "1"): "other"}
    assert lost(whole, replace(whole, items=changed)) == [("t-tick_data", "a", "1")]
    assert lost(whole, replace(whole, objects={})) == ["key"]
    assert lost(whole, replace(whole, answers={"rules": []})) == [("rules", 1)]


def test_a_checkout_without_history_says_so(tmp_path: Path) -> None:
    assert check_out("HEAD~1", tmp_path, tmp_path / "tree") == "this checkout has no history: git knows no HEAD~1"
