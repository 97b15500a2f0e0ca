"""The local stack: its parts on the emulator with small functions, and the whole of it as a user starts it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import boto3
import psutil
import pytest

from infra.local.children import keep_alive
from infra.local.deployment import deploy
from infra.local.emulator import Emulator
from infra.local.environment import CREDENTIALS, REGION
from infra.local.errors import DeploymentError
from infra.local.ports import choose
from infra.local.running import Run
from infra.local.sources import SIMULATOR, Simulator
from quant.domain.interval import MINUTE
from quant.settings import Settings
from tests.integration.client import all_ticks, await_answer, get

from .conftest import ROOT, started_stack

API = """
import json, os
from quant.settings import Settings

def handler(event, context):
    facts = {"resource": event["resource"], "method": event["httpMethod"], "endpoint": os.environ["AWS_ENDPOINT_URL"],
             "region": os.environ["AWS_REGION"], "tick_ttl": Settings.load().tick_ttl_seconds, "path": os.sys.path}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(facts)}
"""
RESAMPLE = """
import os, time, boto3

def handler(event, context):
    item = {"pk": {"S": "fired"}, "sk": {"S": event["detail-type"]}}
    boto3.client("dynamodb").put_item(TableName=os.environ["PREFIX"] + "-ohlc_data", Item=item)
"""
BARS = "/api/ohlc/BTCUSDT"
SETTINGS = Settings.load({"TICK_TTL_SECONDS": "7200"})


@pytest.fixture(scope="module")
def small_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real template and settings, with functions that say what they see."""
    root = tmp_path_factory.mktemp("project")
    (root / "template.yaml").write_bytes((ROOT / "template.yaml").read_bytes())
    for name in ("__init__", "settings", "errors", "domain/market", "domain/alert"):
        path = f"functions/quant/{name}.py"
        _write(root / path, (ROOT / path).read_text())
    _write(root / "functions/quant/domain/__init__.py", "")
    _write(root / "functions/api/__init__.py", "")
    _write(root / "functions/api/app.py", API)
    _write(root / "functions/resample/__init__.py", "")
    _write(root / "functions/resample/handler.py", RESAMPLE)
    _write(root / "functions/analyse/__init__.py", "")
    _write(root / "functions/analyse/handler.py", API)
    _write(root / "functions/check_alerts/__init__.py", "")
    _write(root / "functions/check_alerts/handler.py", RESAMPLE)
    return root


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@contextlib.asynccontextmanager
async def emulator_in(folder: Path) -> AsyncIterator[Emulator]:
    folder.mkdir(parents=True, exist_ok=True)
    emulator = Emulator.of(SETTINGS, folder, choose(0, "EMULATOR_PORT"))
    try:
        await emulator.start()
        yield emulator
    finally:
        await emulator.child.stop(60)


def dynamodb(emulator: Emulator) -> Any:
    keys = {"aws_access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": "test"}
    return boto3.client("dynamodb", endpoint_url=emulator.url, region_name=REGION, **keys)


def put(emulator: Emulator, name: str) -> None:
    dynamodb(emulator).put_item(TableName=SETTINGS.table("tick_data"), Item={"pk": {"S": name}, "sk": {"S": "1"}})


def names(emulator: Emulator) -> set[str]:
    return {item["pk"]["S"] for item in dynamodb(emulator).scan(TableName=SETTINGS.table("tick_data"))["Items"]}


async def until(what: Callable[[], bool], patience: float) -> None:
    async with asyncio.timeout(patience):
        while not await asyncio.to_thread(what):
            await asyncio.sleep(0.1)


async def test_the_template_is_deployed_with_its_routes_and_answers(small_project: Path, tmp_path: Path) -> None:
    template = small_project / "template.yaml"
    async with emulator_in(tmp_path) as emulator, aiohttp.ClientSession() as session:
        first = await asyncio.to_thread(deploy, template, SETTINGS, emulator.url)
        again = await asyncio.to_thread(deploy, template, SETTINGS, emulator.url)
        assert (first.changed, again.changed) == (True, False)
        assert again.api_url == first.api_url

        for method in ("GET", "DELETE"):
            async with session.request(method, f"{first.api_url}/api/ohlc/BTCUSDT") as answer:
                seen = await answer.json()
            assert (seen["resource"], seen["method"]) == ("/ohlc/{symbol}", method)
        assert (seen["endpoint"], seen["region"], seen["tick_ttl"]) == (emulator.url, REGION, 7200)
        assert not [part for part in seen["path"] if Path(part) in (ROOT, ROOT / "functions")]

        async with session.get(f"{first.api_url}/api/nothing/here") as answer:
            assert answer.status == 404
            assert (await answer.json())["error"]["code"] == "not_found"
            assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_changed_code_is_served_after_the_next_deployment(small_project: Path, tmp_path: Path) -> None:
    template, app = small_project / "template.yaml", small_project / "functions/api/app.py"
    async with emulator_in(tmp_path) as emulator, aiohttp.ClientSession() as session:
        await asyncio.to_thread(deploy, template, SETTINGS, emulator.url)
        app.write_text(API.replace('"statusCode": 200', '"statusCode": 418'))
        try:
            changed = await asyncio.to_thread(deploy, template, SETTINGS, emulator.url)
        finally:
            app.write_text(API)
        async with session.get(f"{changed.api_url}/api/health") as answer:
            assert answer.status == 418


async def test_a_template_that_fails_says_which_resource_and_the_next_one_succeeds(
    small_project: Path, tmp_path: Path
) -> None:
    template = small_project / "broken.yaml"
    text = (small_project / "template.yaml").read_text()
    template.write_text(text.replace("  ApiLogs:", "  Broken:\n    Type: AWS::Nowhere::Thing\n  ApiLogs:"))
    async with emulator_in(tmp_path) as emulator:
        with pytest.raises(DeploymentError, match="Nowhere"):
            await asyncio.to_thread(deploy, template, SETTINGS, emulator.url)
        assert (await asyncio.to_thread(deploy, small_project / "template.yaml", SETTINGS, emulator.url)).changed


async def test_state_outlives_a_stop_and_a_crash_after_a_save(small_project: Path, tmp_path: Path) -> None:
    template = small_project / "template.yaml"
    async with emulator_in(tmp_path) as emulator:
        await asyncio.to_thread(deploy, template, SETTINGS, emulator.url)
        put(emulator, "before the stop")
    async with emulator_in(tmp_path) as emulator:
        assert not (await asyncio.to_thread(deploy, template, SETTINGS, emulator.url)).changed
        assert names(emulator) == {"before the stop"}
        put(emulator, "before the save")
        saved = tmp_path / "emulator" / "dynamodb.json"
        emulator.save()
        await until(lambda: "before the save" in saved.read_text(), 30)
        emulator.child.kill()
        await emulator.child.wait()
    async with emulator_in(tmp_path) as emulator:
        assert names(emulator) == {"before the stop", "before the save"}


async def test_a_stop_leaves_no_function_behind(small_project: Path, tmp_path: Path) -> None:
    async with emulator_in(tmp_path) as emulator, aiohttp.ClientSession() as session:
        deployed = await asyncio.to_thread(deploy, small_project / "template.yaml", SETTINGS, emulator.url)
        async with session.get(f"{deployed.api_url}/api/health") as answer:
            assert answer.status == 200
        assert emulator.child.pid is not None
        functions = psutil.Process(emulator.child.pid).children(recursive=True)
        assert functions
    _, alive = psutil.wait_procs(functions, timeout=20)
    assert not alive


@pytest.mark.timeout(180)
async def test_the_schedule_fires_by_itself(small_project: Path, tmp_path: Path) -> None:
    async with emulator_in(tmp_path) as emulator:
        await asyncio.to_thread(deploy, small_project / "template.yaml", SETTINGS, emulator.url)
        key = {"pk": {"S": "fired"}, "sk": {"S": "Scheduled Event"}}
        client = dynamodb(emulator)
        await until(lambda: "Item" in client.get_item(TableName=SETTINGS.table("ohlc_data"), Key=key), 130)


async def test_the_simulator_keeps_its_addresses_when_it_is_started_again(tmp_path: Path) -> None:
    simulator = Simulator.of(SETTINGS, SIMULATOR, symbols=True, root=ROOT, folder=tmp_path)
    await simulator.start()
    try:
        assert SETTINGS.symbols[0] in await simulator.markets()
        before = simulator.rest_url
        watcher = asyncio.create_task(keep_alive(simulator.child, say=lambda _: None, restart=simulator.start))
        killed = simulator.child.pid
        simulator.child.kill()
        await until(lambda: simulator.child.pid not in (None, killed), 30)
        async with asyncio.timeout(30):
            while not await _answers(before):
                await asyncio.sleep(0.1)
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
    finally:
        await simulator.child.stop(5)


async def _answers(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/api/v3/ping") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


@pytest.mark.timeout(400)
async def test_a_second_run_is_quick_has_the_first_ones_state_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """The first bar of the first run may still be healing when it ends: more may be there later, never less."""
    with started_stack(tmp_path, SYMBOLS="BTCUSDT,ETHUSDT") as first:
        bars = await_answer(first.url, BARS, lambda answer: len(answer["bars"]) == 1000, interval="1m", limit=1000)
        ticks = all_ticks(first.url, "BTCUSDT")
        parts = psutil.Process(first.process.pid).children(recursive=True)
        assert first.stop(signal.SIGTERM) == 0
        _, alive = psutil.wait_procs(parts, timeout=5)
        assert not alive
    with started_stack(tmp_path, SYMBOLS="BTCUSDT,ETHUSDT") as second:
        assert second.ready_after <= 20
        after = {tick["id"]: tick for tick in all_ticks(second.url, "BTCUSDT")}
        assert [after.get(tick["id"]) for tick in ticks] == ticks
        # Those of the 5m bar that was open then are made of trades as soon as these are there.
        old = [bar for bar in bars["bars"] if bar["source"] == "exchange"][:-5]
        window = {"start": old[0]["time"], "end": old[-1]["time"] + MINUTE, "limit": 1000}
        assert get(second.url, BARS, interval="1m", **window)["bars"] == old
        parts = psutil.Process(second.process.pid).children(recursive=True)
        os.kill(second.process.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(parts, timeout=60)
        assert not alive
    assert Run.read(tmp_path) is None
