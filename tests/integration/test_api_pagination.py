"""Pages while 1,000 trades a second arrive: each tick and each bar exactly once, forwards and backwards.

The trades are written as an ingestor writes them, a chunk each second, to a market of their own on the running stack.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from infra.local.environment import aws_environment
from quant.domain.bar import FROM_EXCHANGE, UNKNOWN, Bars
from quant.domain.interval import DAY, MINUTE, SECOND, floor
from quant.domain.market import Instrument, Market
from quant.domain.ports import Watermark
from quant.domain.trade import Trades
from quant.settings import Settings
from quant.storage import codec
from quant.storage.storage import Storage, open_storage
from tests.functional.analyse.market import minute_bars, walks
from tests.integration.client import get

from .conftest import RunningStack

RATE, TICKS, BARS = 1_000, 20_000, 5_000
MARKET = Market("binance", "LOADUSDT")
TICKS_PATH, OHLC_PATH = f"/api/ticks/{MARKET.symbol}", f"/api/ohlc/{MARKET.symbol}"


def _now() -> int:
    return time.time_ns() // 1_000_000


class Writer:
    """Writes a second of trades each second until it is stopped."""

    def __init__(self, storage: Storage) -> None:
        self.storage, self.next_id = storage, 1
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """The first twenty thousand at once, as if written in the twenty seconds before; then it goes on."""
        begin = floor(_now(), SECOND) - TICKS
        for second in range(TICKS // RATE):
            self._write(begin + second * SECOND)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stopped.wait(1.0):
            self._write(floor(_now(), SECOND) - SECOND)

    def _write(self, at: int) -> None:
        ids = np.arange(self.next_id, self.next_id + RATE)
        times = at + np.arange(RATE) * SECOND // RATE
        flags = (ids % 2).astype(bool).tolist()
        prices = (6_000_000 + ids % 100).tolist()
        trades = Trades.of(
            ids, times, prices, [100_000] * RATE, flags, price_decimals=2, quantity_decimals=5
        )  # fmt: skip
        self.storage.ticks.write(codec.pack(MARKET, trades))
        self.next_id += RATE


@pytest.fixture
def writer(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writer]:
    for name, value in aws_environment(stack.emulator_url).items():
        monkeypatch.setenv(name, value)
    storage = open_storage(Settings.load({}), _now)
    storage.instruments.put([Instrument(MARKET, "LOAD", "USDT", 2, 5)])
    made = Writer(storage)
    made.start()
    yield made
    made.stop()


def _pages(stack: RunningStack, path: str, name: str, **query: Any) -> list[dict[str, Any]]:
    """Rows of page after page, to the end."""
    rows: list[dict[str, Any]] = []
    while True:
        page = get(stack.url, path, **query)
        rows += page[name]
        if page["next_cursor"] is None:
            return rows
        query["cursor"] = page["next_cursor"]


@pytest.mark.timeout(300)
def test_twenty_thousand_ticks_and_five_thousand_bars_come_once_each_while_more_arrive(
    stack: RunningStack, writer: Writer
) -> None:
    bars = _bars(floor(_now(), MINUTE) - 2 * DAY)
    writer.storage.bars.merge(MARKET, bars)
    mark = floor(_now(), MINUTE) - MINUTE
    writer.storage.bars.advance(Watermark(MARKET, mark, 1, 0, mark - 1, True, _now()))
    known = writer.next_id

    forwards = [tick["id"] for tick in _pages(stack, TICKS_PATH, "ticks", start=1, limit=1_000)]
    assert len(forwards) >= TICKS
    assert forwards == list(range(1, len(forwards) + 1))

    backwards = [tick["id"] for tick in _pages(stack, TICKS_PATH, "ticks", limit=999)]
    assert len(backwards) >= TICKS
    assert backwards == list(range(backwards[0], 0, -1))

    for limit in (1_000, 137):
        found = [bar["time"] for bar in _pages(stack, OHLC_PATH, "bars", interval="1m", start=1, limit=limit)]
        assert found[:BARS] == bars.time.tolist()
        assert found == sorted(set(found))
        assert found[-1] >= mark, "the bars of now follow"
    assert writer.next_id >= known + 2 * RATE, "more arrived meanwhile"


def _bars(end: int) -> Bars:
    """Bars of an exchange from before the stack began."""
    made = minute_bars(walks(1, BARS)[0], end, decimals=2)
    none, unknown = np.full(BARS, -1), np.full(BARS, UNKNOWN, dtype=np.int8)
    return replace(made, first_id=none, last_id=none, complete=unknown, source=np.full(BARS, FROM_EXCHANGE, np.int8))
