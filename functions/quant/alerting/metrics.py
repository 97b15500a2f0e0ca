"""What can be watched: one row per metric. The table of docs/alerts.md is made of these rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from quant.domain.interval import M1, M5, S1

INF = math.inf
STORED = (S1.name, M1.name, M5.name)
MINUTES = (M1.name, M5.name)
FINEST_LAST = (*MINUTES, S1.name)
SCAN, CLOCK = "scan", "clock"


@dataclass(frozen=True, slots=True)
class Metric:
    """One row.

    Attributes:
        unit: of value and threshold.
        lowest, highest: between which the value lies, whatever the market does.
        intervals: of the bars that it may be computed of, the usual one first; ``scan`` or ``clock`` where it has a
            cadence of its own.
        window: how many bars: the fewest, the usual and the most. (1, 1, 1) where the metric looks at one bar.
        is_pair: whether it wants an ``x``.
        is_signed: whether ``outside`` and ``inside`` make sense.
        is_score: whether it is a deviation of the window's newest point from the window's own mean.
        before: how many bars before the window it needs too.
    """

    unit: str
    help: str
    lowest: float
    highest: float
    intervals: tuple[str, ...] = MINUTES
    window: tuple[int, int, int] = (1, 1, 1)
    is_pair: bool = False
    is_signed: bool = False
    is_score: bool = False
    before: int = 0

    @property
    def can_be_replayed(self) -> bool:
        """Whether stored bars tell what it was in the past."""
        return self.intervals[0] not in (SCAN, CLOCK)

    def bounds(self, window: int) -> tuple[float, float]:
        """Lowest and highest value for a window."""
        if not self.is_score:
            return self.lowest, self.highest
        # Samuelson's inequality: no point of n lies farther from their mean than (n - 1) / sqrt(n) deviations.
        most = (window - 1) / math.sqrt(window)
        return -most, most


METRICS: dict[str, Metric] = {
    "price": Metric(
        unit="quote asset",
        help="The price; a bar's high and low count, so that no wick is missed (its close where it must hold)",
        lowest=0,
        highest=INF,
        intervals=STORED,
    ),
    "change": Metric(
        unit="%",
        help="Change of the close over the window",
        lowest=-100,
        highest=INF,
        intervals=FINEST_LAST,
        window=(1, 60, 1_440),
        is_signed=True,
        before=1,
    ),
    "volume": Metric(
        unit="base asset",
        help="Traded over the window",
        lowest=0,
        highest=INF,
        intervals=FINEST_LAST,
        window=(1, 1, 1_440),
    ),
    "volume_ratio": Metric(
        unit="times",
        help="Volume of the newest bar over the mean of the window's bars before it",
        lowest=0,
        highest=INF,
        window=(3, 60, 1_440),
        before=1,
    ),
    "volatility": Metric(
        unit="% per year",
        help="Root mean square of the log returns over the window, annualised on 365 days of 24 h",
        lowest=0,
        highest=INF,
        window=(3, 60, 1_440),
        before=1,
    ),
    "vwap_deviation": Metric(
        unit="%",
        help="Distance of the close from the window's volume-weighted average price",
        lowest=-100,
        highest=INF,
        window=(2, 60, 1_440),
        is_signed=True,
    ),
    "pair_zscore": Metric(
        unit="standard deviations",
        help="Where y stands against its regression on x over the window",
        lowest=-INF,
        highest=INF,
        window=(10, 60, 1_440),
        is_pair=True,
        is_signed=True,
        is_score=True,
    ),
    "spread": Metric(
        unit="quote asset of y",
        help="y less the intercept and the hedge ratio times x, regressed over the window",
        lowest=-INF,
        highest=INF,
        window=(10, 60, 1_440),
        is_pair=True,
        is_signed=True,
    ),
    "correlation": Metric(
        unit="",
        help="Pearson's, of the log returns of both over the window",
        lowest=-1,
        highest=1,
        window=(10, 60, 1_440),
        is_pair=True,
        is_signed=True,
        before=1,
    ),
    "cointegration_pvalue": Metric(
        unit="",
        help="The larger of both orders' Engle-Granger p-values, of the latest scan of all pairs",
        lowest=0,
        highest=1,
        intervals=(SCAN,),
        is_pair=True,
    ),
    "staleness": Metric(
        unit="s",
        help="How far what is known of the symbol lies behind now; a halt of the market is no staleness",
        lowest=0,
        highest=INF,
        intervals=(CLOCK,),
    ),
}
"""By the name that a rule gives."""
