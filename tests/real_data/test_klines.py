"""Bars made of recorded trades equal the exchange's own, digit by digit."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from quant.analytics.resample import bars_of_trades, coarser
from quant.domain.decimals import format_scaled
from quant.domain.interval import M1, M5, S1
from tests.integration.client import all_ticks, await_answer, get
from tests.integration.conftest import RunningStack, started_stack
from tests.real_data.recording import recorded_trades

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not os.environ.get("REAL_DATA_DIR"), reason="REAL_DATA_DIR does not name the recorded data"),
]

# The 5m bars that the recording covers whole: 2024-08-08T23:55 and 2024-08-09T00:00.
WHOLE = (1_723_161_300_000, 1_723_161_600_000)
COLUMNS = {
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "volume": "volume",
    "quote_volume": "quote_volume",
    "trades": "count",
    "taker_buy_volume": "taker_buy_volume",
    "taker_buy_quote_volume": "taker_buy_quote_volume",
}


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(os.environ["REAL_DATA_DIR"]).resolve() / "binance-spot-20240808"


@pytest.fixture(scope="module")
def klines(folder: Path) -> dict[int, dict[str, Decimal]]:
    with (folder / "klines/BTCUSDT-5m.csv").open() as file:
        rows = {int(row["open_time"]): row for row in csv.DictReader(file)}
    return {time: {ours: Decimal(rows[time][theirs]) for ours, theirs in COLUMNS.items()} for time in WHOLE}


def test_bars_of_the_recorded_trades_equal_the_exchanges(folder: Path, klines: dict[int, dict[str, Decimal]]) -> None:
    trades = recorded_trades(folder / "frames", "BTCUSDT")
    bars = coarser(coarser(bars_of_trades(trades, S1.ms), M1.ms), M5.ms)
    for at, time in enumerate(bars.time.tolist()):
        if time in klines:
            decimals = {"trades": 0, "volume": 5, "taker_buy_volume": 5, "quote_volume": 7, "taker_buy_quote_volume": 7}
            ours = {
                name: Decimal(format_scaled(int(getattr(bars, name)[at]), decimals.get(name, 2))) for name in COLUMNS
            }
            assert ours == klines[time]
    assert set(klines) <= set(bars.time.tolist())


@pytest.fixture(scope="module")
def replay(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    state = tmp_path_factory.mktemp("replay")
    with started_stack(state, SOURCE=f"replay:{folder / 'frames'}", SPEED="40") as running:
        yield running
        assert running.stop() == 0, "\n".join(running.lines)


def test_the_whole_platform_gives_the_recording_back(
    replay: RunningStack, folder: Path, klines: dict[int, dict[str, Decimal]]
) -> None:
    """From frames on a socket to the API: every trade once, and the exchange's own bars, certified."""
    shifts = set()
    for symbol in ("BTCUSDT", "ETHUSDT"):
        recorded = recorded_trades(folder / "frames", symbol)
        path = f"/api/ticks/{symbol}"
        await_answer(replay.url, path, partial(_has, recorded.last_id), limit=1)
        ticks = all_ticks(replay.url, symbol)
        assert [tick["id"] for tick in ticks] == recorded.ids.tolist()
        price_decimals, quantity_decimals = recorded.price_decimals, recorded.quantity_decimals
        assert [tick["price"] for tick in ticks] == [
            Decimal(price).scaleb(-price_decimals) for price in recorded.prices.tolist()
        ]
        assert [tick["quantity"] for tick in ticks] == [
            Decimal(quantity).scaleb(-quantity_decimals) for quantity in recorded.quantities.tolist()
        ]
        assert [tick["buyer_is_maker"] for tick in ticks] == recorded.buyer_is_maker.tolist()
        shifts |= {tick["time"] - time for tick, time in zip(ticks, recorded.times.tolist(), strict=True)}
    (shift,) = shifts
    assert shift % M5.ms == 0
    bars = {bar["time"] - shift: bar for bar in get(replay.url, "/api/ohlc/BTCUSDT", interval="5m")["bars"]}
    for time, kline in klines.items():
        assert {name: bars[time][name] for name in COLUMNS} == kline
        assert (bars[time]["complete"], bars[time]["closed"], bars[time]["source"]) == (True, True, "trades")
    assert get(replay.url, "/api/health")["market"] == "replay"


def _has(trade_id: int, page: Any) -> bool:
    return bool(page["ticks"]) and page["ticks"][0]["id"] >= trade_id
