"""Pages while 1,000 trades a second arrive: each tick and each bar exactly once, forwards and backwards."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from infra.local.environment import aws_environment
from quant.domain.bar import FROM_EXCHANGE, UNKNOWN, Bars
from quant.domain.interval import DAY, M1, MINUTE, floor
from quant.domain.market import Market
from quant.settings import Settings, child_environment
from quant.storage.storage import open_storage
from tests.functional.analyse.market import minute_bars, walks
from tests.integration.client import await_answer, get

from .conftest import ROOT, RunningStack, started_stack

RATE, TICKS, BARS = 1_000, 20_000, 5_000
MARKET = Market("binance", "BTCUSDT")


@contextmanager
def exchange() -> Iterator[dict[str, str]]:
    """The simulator at a steady rate, and the settings that lead a stack to it."""
    command = [sys.executable, "-m", "infra.local.exchange", "--symbols", "BTCUSDT", "--steady", str(RATE)]
    environment = child_environment(PYTHONPATH=f"{ROOT / 'functions'}:{ROOT}")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    try:
        assert process.stdout is not None
        addresses = json.loads(process.stdout.readline())
        yield {"BINANCE_WS_URL": addresses["ws_url"], "BINANCE_REST_URL": addresses["rest_url"]}
    finally:
        process.kill()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("loaded")
    with exchange() as urls, started_stack(folder, SOURCE="binance", SYMBOLS="BTCUSDT", **urls) as running:
        # While the exchange makes up a day of bars for the history it sends no trades.
        for interval, count in (("1m", 1_000), ("5m", 280)):
            query = {"interval": interval, "limit": count}
            await_answer(
                running.url, "/api/ohlc/BTCUSDT", lambda found, count=count: len(found["bars"]) == count, 240.0, **query
            )
        yield running
        assert running.stop() == 0


def _pages(stack: RunningStack, path: str, name: str, most: int, **query: Any) -> list[dict[str, Any]]:
    """Rows of page after page, until there are ``most`` or no more."""
    rows: list[dict[str, Any]] = []
    while len(rows) < most:
        page = get(stack.url, path, **query)
        rows += page[name]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    return rows


def _newest(stack: RunningStack) -> int:
    return int(get(stack.url, "/api/ticks/BTCUSDT", limit=1)["ticks"][0]["id"])


@pytest.mark.timeout(600)
def test_twenty_thousand_ticks_come_once_each_while_more_arrive(loaded: RunningStack) -> None:
    first = await_answer(loaded.url, "/api/ticks/BTCUSDT", lambda found: found["ticks"], start=0, limit=1)["ticks"][0]
    await_answer(
        loaded.url, "/api/ticks/BTCUSDT", lambda found: found["ticks"][0]["id"] > first["id"] + TICKS, 200.0, limit=1
    )
    before = _newest(loaded)
    forwards = _pages(loaded, "/api/ticks/BTCUSDT", "ticks", TICKS, start=first["time"], limit=1_000)
    ids = [tick["id"] for tick in forwards]
    assert len(ids) >= TICKS
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    after = _newest(loaded)
    assert after > before + 1_000, "nothing arrived meanwhile"
    backwards = [tick["id"] for tick in _pages(loaded, "/api/ticks/BTCUSDT", "ticks", TICKS, limit=1_000)]
    assert len(backwards) >= TICKS
    assert backwards == list(range(backwards[0], backwards[0] - len(backwards), -1))
    assert _newest(loaded) > after


@pytest.mark.timeout(300)
def test_five_thousand_bars_come_once_each_while_more_arrive(
    loaded: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in aws_environment(loaded.emulator_url).items():
        monkeypatch.setenv(name, value)
    bars = _old_bars(BARS, floor(get(loaded.url, "/api/health")["time"], MINUTE) - 2 * DAY)
    open_storage(Settings.load({}), lambda: 0).bars.merge(MARKET, bars)
    before = _newest(loaded)
    start = int(bars.time[0])
    for order, limit in enumerate((1_000, 137)):
        found = _pages(loaded, "/api/ohlc/BTCUSDT", "bars", 10 * BARS, interval="1m", start=start, limit=limit)
        times = [bar["time"] for bar in found]
        assert times[:BARS] == bars.time.tolist()
        assert len(times) > BARS, "the bars of today follow"
        assert times == sorted(set(times)), order
        assert times == list(range(start, times[BARS - 1] + MINUTE, MINUTE)) + times[BARS:]
    assert _newest(loaded) > before + 1_000, "nothing arrived meanwhile"


def _old_bars(count: int, end: int) -> Bars:
    """Bars of an exchange from before the stack began."""
    made = minute_bars(walks(1, count)[0], end)
    none, unknown = np.full(count, -1), np.full(count, UNKNOWN, dtype=np.int8)
    bars = replace(made, first_id=none, last_id=none, complete=unknown, source=np.full(count, FROM_EXCHANGE, np.int8))
    assert bars.interval == M1.ms
    return bars
