"""The whole pipeline on the emulator: trades of a real server process become bars of the API."""

from __future__ import annotations

import signal
import time
from itertools import pairwise
from typing import Any

import boto3
import psutil
import requests

from infra.local.environment import CREDENTIALS, REGION
from quant.domain.interval import MINUTE
from quant.settings import DEFAULT_SYMBOLS
from tests.integration.client import all_ticks, await_answer, get, wait_until
from tests.integration.conftest import RunningStack

SYMBOL = "BTCUSDT"
# Other tests of the stack fetch pieces of the past for BTCUSDT and ETHUSDT: ids before the start, with holes between.
UNFILLED = "SOLUSDT"


def test_bars_of_a_day_are_there_at_once(stack: RunningStack) -> None:
    """History comes from the exchange's own klines, marked as such."""
    bars = await_answer(
        stack.url, f"/api/ohlc/{SYMBOL}", lambda answer: len(answer["bars"]) == 1000, interval="1m", limit=1000
    )["bars"]
    exchange = [bar for bar in bars if bar["source"] == "exchange"]
    # The newest are the stack's own, one more for each minute that it has been running.
    assert len(exchange) > 900
    assert {bar["complete"] for bar in exchange} == {None}
    assert [after["time"] - before["time"] for before, after in pairwise(exchange)] == [MINUTE] * (len(exchange) - 1)


def test_all_symbols_are_served(stack: RunningStack) -> None:
    wanted = set(DEFAULT_SYMBOLS.split(","))
    answer = await_answer(stack.url, "/api/symbols", lambda answer: wanted <= _priced(answer))
    assert answer["market"] == "simulated"


def _priced(answer: dict[str, Any]) -> set[str]:
    return {row["symbol"] for row in answer["symbols"] if row["last_price"]}


def test_the_schedule_fires_and_its_bar_outlives_the_ticks(stack: RunningStack) -> None:
    """The bar is in ohlc_data and still served when the chunks of the tail are gone."""
    client: Any = boto3.client("dynamodb", endpoint_url=stack.emulator_url, region_name=REGION, **_keys())
    health = await_answer(stack.url, "/api/health", lambda answer: _watermark(answer) is not None, 150.0)
    bar = _watermark(health) - MINUTE
    before = get(stack.url, f"/api/ohlc/{SYMBOL}", interval="1s", start=bar, end=bar + MINUTE)
    assert {one["source"] for one in before["bars"]} == {"trades"}
    for item in _chunks(client, bar):
        client.delete_item(TableName="quant-tick_data", Key={"pk": item["pk"], "sk": item["sk"]})
    assert get(stack.url, f"/api/ticks/{SYMBOL}", start=bar, end=bar + MINUTE)["ticks"] == []
    assert get(stack.url, f"/api/ohlc/{SYMBOL}", interval="1s", start=bar, end=bar + MINUTE) == before


def test_after_a_kill_of_the_ingestor_nothing_is_missing_and_nothing_twice(stack: RunningStack) -> None:
    started = all_ticks(stack.url, UNFILLED)[-1]["id"]
    (victim,) = _ingestors(stack)
    victim.send_signal(signal.SIGKILL)
    psutil.wait_procs([victim], timeout=10)
    fresh = await_answer(
        stack.url,
        f"/api/ticks/{UNFILLED}",
        lambda answer: answer["ticks"][0]["id"] > started + 20 and _ingestors(stack) not in ([], [victim]),
        limit=1,
    )["ticks"][0]["id"]
    ids: list[int] = []

    def healed() -> bool:
        ids[:] = [tick["id"] for tick in all_ticks(stack.url, UNFILLED) if tick["id"] <= fresh]
        return len({*ids}) == fresh + 1 - ids[0]

    wait_until(healed)
    assert ids == list(range(ids[0], fresh + 1))


def test_an_unknown_path_and_a_wrong_method_are_refused_in_the_same_shape(stack: RunningStack) -> None:
    lost = requests.get(f"{stack.url}/api/nowhere", timeout=10)
    assert (lost.status_code, lost.json()["error"]["code"]) == (404, "not_found")
    wrong = requests.delete(f"{stack.url}/api/health", timeout=10)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")
    bad = requests.get(f"{stack.url}/api/ohlc/{SYMBOL}?interval=7m", timeout=10)
    assert (bad.status_code, bad.json()["error"]["field"]) == (422, "interval")


def _watermark(health: Any) -> Any:
    return next((row["watermark"] for row in health["symbols"] if row["symbol"] == SYMBOL), None)


def _ingestors(stack: RunningStack) -> list[psutil.Process]:
    children = psutil.Process(stack.process.pid).children(recursive=True)
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if child.cmdline()[1:3] == ["-m", "ingestor"]]


def _chunks(client: Any, time_ms: int) -> list[dict[str, Any]]:
    hour = time.strftime("%Y-%m-%dT%H", time.gmtime(time_ms / 1000))
    pages = client.get_paginator("query").paginate(
        TableName="quant-tick_data",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"binance#{SYMBOL}#{hour}"}},
    )
    return [item for page in pages for item in page["Items"] if time_ms <= int(item["a"]["N"]) < time_ms + MINUTE]


def _keys() -> dict[str, str]:
    return {
        "aws_access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    }
