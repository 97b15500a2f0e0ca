"""A run of the local stack, as its user sees it."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import psutil

from infra.local.running import Run
from tests.integration.conftest import RunningStack
from tests.integration.test_local_stack import until


async def get(url: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200, await answer.text()
        found = await answer.json()
        assert isinstance(found, dict)
        return found


async def test_a_run_serves_site_and_api_on_one_port(stack: RunningStack) -> None:
    bars = (await get(f"{stack.url}/api/ohlc/BTCUSDT?interval=1m&limit=1"))["bars"]
    assert len(bars) == 1
    async with asyncio.timeout(30):  # the ingestor says its market with its first sign of life
        while (await get(f"{stack.url}/api/health"))["market"] != "simulated":
            await asyncio.sleep(0.5)
    async with aiohttp.ClientSession() as session, session.get(stack.url) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")


def test_a_run_says_ready_once_and_where(stack: RunningStack) -> None:
    assert [line for line in stack.lines if line.startswith("ready")] == [f"ready {stack.url}"]
    found = Run.read(stack.state_dir)
    assert found is not None
    assert (found.url, found.pid, found.source) == (stack.url, stack.process.pid, "simulator")


async def test_a_killed_ingestor_is_started_again(stack: RunningStack) -> None:
    [ingestor] = _parts(stack, "ingestor")
    ingestor.kill()
    await until(lambda: [part.pid for part in _parts(stack, "ingestor")] not in ([], [ingestor.pid]), 30)
    assert any("the ingestor ended with SIGKILL" in line for line in stack.lines)


def _parts(stack: RunningStack, module: str) -> list[psutil.Process]:
    return [part for part in psutil.Process(stack.process.pid).children() if _runs(part, module)]


def _runs(process: psutil.Process, module: str) -> bool:
    try:
        return process.cmdline()[1:] == ["-m", module]
    except psutil.Error:
        return False
