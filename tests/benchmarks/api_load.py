"""Fifty clients at once against the local port, and against a bare Lambda on the same emulator behind such a port."""

from __future__ import annotations

import asyncio
import io
import itertools
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import boto3

from infra.local.environment import CREDENTIALS, REGION
from infra.local.gateway import Gateway
from infra.local.ports import reserve
from tests.benchmarks.row import Row, percentile
from tests.integration.client import await_answer
from tests.integration.conftest import RunningStack, started_stack

CLIENTS, SECONDS, ROUNDS = 50, 20, 3
MIX = (
    "/api/health", "/api/symbols", "/api/ohlc/BTCUSDT?limit=100", "/api/ticks/BTCUSDT?limit=100", "/api/stats",
    "/api/ohlc/ETHUSDT?interval=5m&limit=100",
)  # fmt: skip
CONSTANT = """
def handler(event, context):
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": "{}"}
"""
FAST = {"API_RATE_LIMIT": "10000", "API_BURST_LIMIT": "5000", "SYMBOLS": "BTCUSDT,ETHUSDT,SOLUSDT"}


@dataclass
class Load:
    """What came of it; times in ms."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    spent: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.statuses.total() / self.seconds


def throughput() -> list[Row]:
    """Both in turns of twenty seconds, so that what else the machine does meets both alike."""
    with tempfile.TemporaryDirectory() as folder, started_stack(Path(folder), **FAST) as stack:
        await_answer(stack.url, "/api/stats", lambda found: found["computed_at"], 150.0)
        ours, theirs = asyncio.run(_measured(stack))
        stack.stop()
    failed = sum(count for status, count in ours.statuses.items() if status >= 500)
    text = (
        f"a Lambda that returns a constant, {theirs.rate:,.0f}/s; {CLIENTS} clients, {SECONDS * ROUNDS} s, {failed} 5xx"
    )
    return [
        Row("api.throughput", round(ours.rate, 1), "requests/s", text, ours.rate / theirs.rate, "≥ 0.6"),
        Row("api.load_p95_ms", round(percentile(ours.spent, 0.95), 1), "ms", f"{CLIENTS} clients at once"),
        Row("api.load_5xx", failed, "answers", f"of {ours.statuses.total():,}", goal="0"),
    ]


async def _measured(stack: RunningStack) -> tuple[Load, Load]:
    ours, theirs = Load(), Load()
    async with _bare(stack) as bare:
        for _ in range(ROUNDS):
            await _ask(bare, ("/api/constant",), theirs)
            await _ask(stack.url, MIX, ours)
    return ours, theirs


async def _ask(url: str, paths: tuple[str, ...], load: Load) -> None:
    """Fifty clients, each of which asks again as soon as it is answered."""
    connector = aiohttp.TCPConnector(limit=CLIENTS)
    async with aiohttp.ClientSession(connector=connector) as session:
        began = time.monotonic()
        await asyncio.gather(*(_client(session, url, paths, place, began + SECONDS, load) for place in range(CLIENTS)))
        load.seconds += time.monotonic() - began


async def _client(
    session: aiohttp.ClientSession, url: str, paths: tuple[str, ...], place: int, end: float, load: Load
) -> None:
    for path in itertools.islice(itertools.cycle(paths), place % len(paths), None):
        asked = time.monotonic()
        if asked >= end:
            return
        async with session.get(url + path) as answer:
            await answer.read()
            load.statuses[answer.status] += 1
        load.spent.append(1e3 * (time.monotonic() - asked))


@asynccontextmanager
async def _bare(stack: RunningStack) -> AsyncIterator[str]:
    """A REST API with one constant Lambda on the stack's emulator, behind a local port of the same kind."""
    target = await asyncio.to_thread(_deployed, stack.emulator_url)
    held = reserve(0, "PORT")
    with tempfile.TemporaryDirectory() as site:
        async with Gateway(held, Path(site)) as gateway:
            gateway.serve_api(target)
            yield f"http://127.0.0.1:{held.getsockname()[1]}"


def _deployed(endpoint: str) -> str:
    lambdas, gateway = (_client_of(name, endpoint) for name in ("lambda", "apigateway"))
    function = lambdas.create_function(
        FunctionName="bare",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/bare",
        Handler="bare.handler",
        Code={"ZipFile": _zipped("bare.py", CONSTANT)},
    )
    api = gateway.create_rest_api(name="bare")
    where = {
        "restApiId": api["id"],
        "resourceId": gateway.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="constant")[
            "id"
        ],
        "httpMethod": "ANY",
    }
    gateway.put_method(**where, authorizationType="NONE")
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function['FunctionArn']}/invocations"
    gateway.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    gateway.create_deployment(restApiId=api["id"], stageName="api")
    return f"{endpoint}/_aws/execute-api/{api['id']}"


def _zipped(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def _client_of(name: str, endpoint: str) -> Any:
    return boto3.client(name, endpoint_url=endpoint, region_name=REGION, **CREDENTIALS_OF)


CREDENTIALS_OF = {name.lower(): value for name, value in CREDENTIALS.items()}
