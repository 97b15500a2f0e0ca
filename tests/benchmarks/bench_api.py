"""The API: warm handlers in process and what they read, the cold import, and the running stack under fifty clients.

``python -m tests.benchmarks api`` takes about four minutes. The handlers are timed from API Gateway's event to the body
that it is given, packed as a browser asks for it, over tables in memory that count their requests.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from quant.settings import child_environment
from tests.benchmarks.api_load import throughput
from tests.benchmarks.api_world import BEGIN, ApiWorld
from tests.benchmarks.measure import ROOT
from tests.benchmarks.row import Row, percentile
from tests.functional.api.client import event

TIMES, COLD_RUNS = 200, 7
BROWSER = {"accept": "*/*", "accept-encoding": "gzip, deflate, br"}
SYMBOL = {"symbol": "SYM0000USDT"}
Query = dict[str, list[str]]


@dataclass(frozen=True)
class Asked:
    """One route as it is asked; ``goal`` is of its p95, ``most_reads`` of its requests to tables."""

    name: str
    template: str
    about: str
    query: Query | None = None
    path: Mapping[str, str] | None = None
    goal: str = ""
    reads_goal: str = ""

    @property
    def event(self) -> dict[str, Any]:
        return event(self.template, "GET", self.query, self.path, None, BROWSER)


THOUSAND = {"limit": ["1000"]}
ROUTES = (
    Asked("ohlc", "/ohlc/{symbol}", "1,000 bars of 1m", {"interval": ["1m"], **THOUSAND}, SYMBOL, "≤ 15", "≤ 3"),
    Asked("ticks", "/ticks/{symbol}", "1,000 ticks, the newest", THOUSAND, SYMBOL, "≤ 15"),
    Asked("symbols", "/symbols", "20 symbols"),
    Asked("stats", "/stats", "20 symbols, from the cache"),
    Asked("rules", "/alerts/rules", "1,000 rules, the first page"),
    Asked("health", "/health", "20 symbols, asked four times a second"),
)


def run() -> list[Row]:
    return [*_handlers(), *_cold(), *throughput()]


def _handlers() -> list[Row]:
    world = ApiWorld()
    rows: list[Row] = []
    for asked in ROUTES:
        rows += _timed(world, asked)
    return rows


def _timed(world: ApiWorld, asked: Asked) -> list[Row]:
    spent, size, reads = [], 0, []
    world.now = BEGIN
    for turn in range(TIMES + 1):
        # Time passes between two requests, as it does for a reader; what is kept for a second or two gets old.
        world.now += 250
        before = world.requests
        began = time.perf_counter()
        answer = world.api(asked.event)
        if turn:
            spent.append(1e3 * (time.perf_counter() - began))
            reads.append(world.requests - before)
        assert answer["statusCode"] == 200, answer["body"]
        size = len(answer["body"])
    about = f"{asked.about}; {size / 1024:,.0f} KB sent"
    return [
        Row(f"api.{asked.name}_p50_ms", round(percentile(spent, 0.5), 3), "ms", about),
        Row(f"api.{asked.name}_p95_ms", round(percentile(spent, 0.95), 3), "ms", about, goal=asked.goal),
        Row(f"api.{asked.name}_reads", median(reads), "requests to tables", "median", goal=asked.reads_goal),
    ]


OURS = "import api.app"
THEIRS = "import boto3; boto3.client('dynamodb')"


def _cold() -> list[Row]:
    """Fresh processes in turn, each without the interpreter's own start."""
    spent: dict[str, list[float]] = {OURS: [], THEIRS: []}
    for _ in range(COLD_RUNS):
        for program in spent:
            spent[program].append(_seconds(program))
    ours, theirs = median(spent[OURS]), median(spent[THEIRS])
    text = f'boto3.client("dynamodb") alone, {theirs * 1000:,.0f} ms; ratio: how many times as long'
    return [Row("api.cold_import", round(ours * 1000, 1), "ms", text, round(ours / theirs, 3), "≤ 2")]


def _seconds(program: str) -> float:
    timed = f"import time; began = time.perf_counter(); {program}; print(time.perf_counter() - began)"
    environment = child_environment(PYTHONPATH=str(ROOT / "functions"), AWS_DEFAULT_REGION="us-east-1")
    done = subprocess.run([sys.executable, "-c", timed], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)
