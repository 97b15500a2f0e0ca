"""From a trade to the bar that shows it: how old a trade is when /api/ohlc first counts it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.benchmarks.row import Row, percentile
from tests.integration.client import all_ticks, await_answer, get
from tests.integration.conftest import started_stack

SECONDS = 120
PAUSE = 0.03
SYMBOL = "BTCUSDT"


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, started_stack(Path(folder), FLUSH_SECONDS="1") as stack:
        await_answer(stack.url, f"/api/ohlc/{SYMBOL}", lambda answer: answer["bars"], interval="1s", limit=1)
        seen = _watch(stack.url)
        latencies = _latencies(seen, all_ticks(stack.url, SYMBOL))
        stack.stop()
    count = f"{len(latencies)} trades"
    return [
        Row("pipeline.trade_to_ohlc_p50_ms", round(percentile(latencies, 0.5)), "ms", count),
        Row("pipeline.trade_to_ohlc_p95_ms", round(percentile(latencies, 0.95)), "ms", count, goal="≤ 1500"),
    ]


def _watch(url: str) -> list[tuple[float, int]]:
    """When the tail was asked, and the last id that it counted."""
    seen, end = [], time.monotonic() + SECONDS
    while time.monotonic() < end:
        bars = get(url, f"/api/ohlc/{SYMBOL}", interval="1s", limit=1)["bars"]
        seen.append((time.time() * 1000, bars[-1]["last_id"]))
        time.sleep(PAUSE)
    return seen


def _latencies(seen: list[tuple[float, int]], ticks: list[dict[str, int]]) -> list[float]:
    """The trade's own time is when the exchange made it, so its way to the ingestor is counted too."""
    first, last = seen[0][1], seen[-1][1]
    latencies = []
    for tick in ticks:
        if first < tick["id"] <= last:
            latencies.append(next(when for when, counted in seen if counted >= tick["id"]) - tick["time"])
    return latencies
