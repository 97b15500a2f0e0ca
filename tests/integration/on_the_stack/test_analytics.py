"""Statistics, scan and pair analysis on the whole local stack, from the exchange's history on."""

from __future__ import annotations

import json
import statistics
import time
from itertools import combinations
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config

from infra.local.environment import CREDENTIALS, REGION
from tests.integration.client import await_answer, get
from tests.integration.conftest import RunningStack

KEYS: dict[str, Any] = {name.lower(): value for name, value in CREDENTIALS.items()}


@pytest.fixture(scope="module")
def analysed(stack: RunningStack) -> dict[str, Any]:
    """The report of a run that is not waited for: once the day of history is there, it is called by hand."""
    for symbol in ("LTCUSDT", "BCHUSDT", "AVAXUSDT", "DOTUSDT", "LINKUSDT", "ADAUSDT"):
        await_answer(
            stack.url, f"/api/ohlc/{symbol}", lambda answer: len(answer["bars"]) == 1000, interval="1m", limit=1000
        )
    config = Config(read_timeout=90, retries={"total_max_attempts": 1})
    client: Any = boto3.client("lambda", endpoint_url=stack.emulator_url, region_name=REGION, config=config, **KEYS)
    answer = client.invoke(FunctionName="quant-analyse", Payload=json.dumps({"detail-type": "Scheduled Event"}))
    report: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "symbols" in report, f"{report}\n{stack.logs()}"
    return report


def test_a_run_knows_every_symbol(analysed: dict[str, Any]) -> None:
    assert (analysed["symbols"], analysed["summaries"], analysed["unfinished"]) == (12, 12, 0)


def test_statistics_are_served(stack: RunningStack, analysed: dict[str, Any]) -> None:
    found = get(stack.url, "/api/stats")
    assert len(found["symbols"]) == 12
    assert all(row["summary"]["volatility"]["n"] > 1_000 for row in found["symbols"])
    one = get(stack.url, "/api/stats/BTCUSDT", window="1h")
    assert one["summary"]["price"]["n"] > 50
    day = get(stack.url, "/api/stats/BTCUSDT")
    assert day["summary"]["price"]["low"] <= one["summary"]["price"]["high"]
    assert day["summary"]["completeness"]["unknown"] > 1_000


def test_the_scan_and_the_matrix_are_served(stack: RunningStack, analysed: dict[str, Any]) -> None:
    scan = get(stack.url, "/api/pairs/scan", limit=100)
    assert scan["pairs_tested"] == len(list(combinations(range(12), 2))) == len(scan["pairs"])
    assert scan["finished"]
    matrix = get(stack.url, "/api/pairs/correlation")["matrix"]
    assert [len(row) for row in matrix] == [12] * 12


def test_a_true_pair_is_analysed_at_once(stack: RunningStack, analysed: dict[str, Any]) -> None:
    path = f"{stack.url}/api/pairs/analyze"
    question = {"y": "AVAXUSDT", "x": "DOTUSDT", "lookback": 1_000, "window": 60, "transform": "log"}
    posted = requests.post(path, json=question, timeout=30)
    assert posted.status_code == 200, posted.text
    found = posted.json()
    assert found["n"] == 1_000
    assert found["half_life"]["is_mean_reverting"]
    spent = []
    for _ in range(5):
        began = time.perf_counter()
        assert requests.get(path, params=question, timeout=30).status_code == 200
        spent.append(time.perf_counter() - began)
    assert statistics.median(spent) < 3


def test_refusals_come_through_the_gateway(stack: RunningStack) -> None:
    path = f"{stack.url}/api/pairs/analyze"
    refused = requests.get(path, params={"y": "BTCUSDT", "x": "BTCUSDT"}, timeout=30)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "x")
    assert requests.delete(path, timeout=30).status_code == 405
