"""Pages while the simulator trades 1,000 times a second: each tick and each bar exactly once, forwards and backwards.

The whole chain is at work: simulator, ingestor, emulator, API. The simulator is the exchange of a stack of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.local.environment import aws_environment, program_environment
from quant.domain.bar import FROM_EXCHANGE, UNKNOWN, Bars
from quant.domain.interval import DAY, MINUTE, floor
from quant.domain.market import Market
from quant.settings import Settings
from quant.storage.storage import open_storage
from tests.functional.analyse.market import minute_bars, walks
from tests.integration.client import await_answer, get, wait_until

from .conftest import ROOT, RunningStack, started_stack

RATE, TICKS, BARS, LATE = 1_000, 20_000, 5_000, 10_000
MARKET = Market("binance", "BTCUSDT")
TICKS_PATH, OHLC_PATH = f"/api/ticks/{MARKET.symbol}", f"/api/ohlc/{MARKET.symbol}"


@contextmanager
def _busy_exchange() -> Iterator[dict[str, str]]:
    """A simulator of one symbol; the settings by which it is the stack's exchange."""
    command = ["-m", "infra.local.exchange", "--symbols", MARKET.symbol, "--steady", str(RATE)]
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=program_environment(ROOT), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield {"SOURCE": "binance", "BINANCE_WS_URL": told["ws_url"], "BINANCE_REST_URL": told["rest_url"]}
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[RunningStack]:
    with _busy_exchange() as exchange, started_stack(tmp_path, **exchange, SYMBOLS=MARKET.symbol) as stack:
        yield stack
        assert stack.stop() == 0


def _pages(stack: RunningStack, path: str, name: str, **query: Any) -> list[dict[str, Any]]:
    """Rows of page after page, to the end."""
    rows: list[dict[str, Any]] = []
    while True:
        page = get(stack.url, path, **query)
        rows += page[name]
        if page["next_cursor"] is None:
            return rows
        query["cursor"] = page["next_cursor"]


def _ingestor(stack: RunningStack, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The ingestor's figures, once they are as they are wanted."""

    def is_it(told: dict[str, Any]) -> bool:
        return "trades" in told["ingestor"] and wanted(told["ingestor"])

    found: dict[str, Any] = await_answer(stack.url, "/api/health", is_it)["ingestor"]
    return found


@pytest.mark.timeout(400)
def test_twenty_thousand_ticks_and_five_thousand_bars_come_once_each_while_more_arrive(
    busy: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = _old_bars(busy, monkeypatch)
    # A first start brings the beginning of the open bar too: once none is missing, what was heard has to be stored.
    heard = _ingestor(busy, lambda told: told["trades"] >= TICKS and not told["holes_open"])["trades"]
    _ingestor(busy, lambda told: told["stored_trades"] >= heard)

    forwards = [tick["id"] for tick in _pages(busy, TICKS_PATH, "ticks", start=1, limit=1_000)]
    assert len(forwards) >= TICKS
    assert forwards == list(range(forwards[0], forwards[0] + len(forwards)))

    backwards = [tick["id"] for tick in _pages(busy, TICKS_PATH, "ticks", limit=999)]
    assert len(backwards) >= len(forwards)
    assert backwards == list(range(backwards[0], forwards[0] - 1, -1))

    for limit in (1_000, 137):
        found = [bar["time"] for bar in _pages(busy, OHLC_PATH, "bars", interval="1m", start=1, limit=limit)]
        assert found[:BARS] == bars.time.tolist()
        assert found[BARS:] == list(range(found[BARS], found[-1] + 1, MINUTE)), "the exchange's day and the bars of now"
    # The next ticks tell that meanwhile the market went on, at its pace.
    newest = get(busy.url, TICKS_PATH, limit=1)["ticks"][0]
    first = get(busy.url, TICKS_PATH, limit=1, start=1)["ticks"][0]
    assert newest["id"] > backwards[0]
    assert newest["time"] > 1_000 * time.time() - LATE, "and reached the API in time"
    assert (newest["id"] - first["id"]) / (newest["time"] - first["time"]) * 1_000 == pytest.approx(RATE, rel=0.01)


def _old_bars(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> Bars:
    """Bars of the exchange from before its last day, stored as a backfill would."""
    for name, value in aws_environment(stack.emulator_url).items():
        monkeypatch.setenv(name, value)
    storage = open_storage(Settings.load({}), lambda: 0)
    newest = get(stack.url, OHLC_PATH, interval="1m", limit=1)["bars"][0]["time"]
    # The exchange's day comes page by page; its youngest bars are made of trades once these are there.
    day = {"interval": "1m", "start": newest - DAY + MINUTE, "end": newest, "limit": 1_000}
    wait_until(lambda: len(_pages(stack, OHLC_PATH, "bars", **day)) == DAY // MINUTE - 1)
    made = minute_bars(walks(1, BARS)[0], floor(newest - 2 * DAY, MINUTE), decimals=2)
    none, unknown = np.full(BARS, -1), np.full(BARS, UNKNOWN, dtype=np.int8)
    bars = replace(made, first_id=none, last_id=none, complete=unknown, source=np.full(BARS, FROM_EXCHANGE, np.int8))
    storage.bars.merge(MARKET, bars)
    return bars
