"""Figures that the picture shows. Each was printed by a row of `make bench`, which measures it again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value.

    Attributes:
        row: of `make bench`.
        text: as the picture says it.
    """

    row: str
    text: str


# From the trade's own time to the bar that /api/ohlc serves, on the local stack with FLUSH_SECONDS=1; 1,015 trades.
MEDIAN_TO_BAR = Figure("pipeline.trade_to_ohlc_p50_ms", "792 ms")
SLOWEST_TO_BAR = Figure("pipeline.trade_to_ohlc_p95_ms", "1,350 ms")
# Recorded trades of BTCUSDT and ETHUSDT, in chunks of 5 s.
PER_TRADE = Figure("chunk.bytes_per_trade", "2.8 bytes")
# 19,900 pairs in both orders on one core.
SCAN = Figure("scan.200", "0.38 s")

FIGURES = (MEDIAN_TO_BAR, SLOWEST_TO_BAR, PER_TRADE, SCAN)
