"""Answers of statistics, correlations and the scan."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from quant.contract.operation import ANSWER

Computed = Annotated[int | None, Meta(description="When it was computed, ms; null before the first run.")]
Age = Annotated[int | None, Meta(description="How long ago that was, ms.")]
Reason = Annotated[str | None, Meta(description="Why there is nothing, in words.")]
Share = Annotated[float, Meta(ge=0, le=1)]


class Window(Struct, **ANSWER):
    start: int
    end: int
    interval: str


class FilledWindow(Window, **ANSWER):
    fill: str


class PriceStatistics(Struct, **ANSWER):
    last: float
    open: float
    change: float
    change_percent: float
    high: float
    low: float
    mean: float
    median: float
    std: float | None
    skew: float | None
    excess_kurtosis: float | None
    max_drawdown: Annotated[float, Meta(description="Deepest fall of a close below the highest before it, a share.")]
    drawdown_from: int | None
    drawdown_to: int | None
    n: int


class MinuteProfile(Struct, **ANSWER):
    """Base volume per minute."""

    mean: float
    median: float
    highest: float
    highest_time: int
    by_minute_of_hour: tuple[float, ...]


class VolumeStatistics(Struct, **ANSWER):
    base: float
    quote: float
    trades: int
    average_trade: float | None
    average_trade_quote: float | None
    taker_buy_share: Share | None
    per_minute: MinuteProfile | None


class VolatilityStatistics(Struct, **ANSWER):
    """Of log returns between neighbouring bars."""

    mean_return: float
    std_return: float
    skew: float | None
    excess_kurtosis: float | None
    realised: float
    realised_annualised: float
    std_annualised: float
    parkinson: float
    parkinson_annualised: float
    garman_klass: float
    garman_klass_annualised: float
    bars_per_year: float
    annualisation_factor: float
    annualisation: str
    n: int


class Completeness(Struct, **ANSWER):
    expected: int
    bars: int
    complete: int
    incomplete: int
    unknown: int


class Summary(Struct, **ANSWER):
    start: int
    end: int
    interval_ms: int
    price: PriceStatistics
    volume: VolumeStatistics
    volatility: VolatilityStatistics | None
    vwap: float | None
    completeness: Completeness
    missing: Annotated[
        dict[str, str], Meta(description="What does not exist, and what it needs.", examples=[{"vwap": "needs volume"}])
    ] = {}


class SymbolStatistics(Struct, **ANSWER):
    exchange: str
    symbol: str
    summary: Summary | None
    reason: Reason = None


class StatsAnswer(Struct, **ANSWER):
    computed_at: Computed
    age_ms: Age
    symbols: list[SymbolStatistics]
    reason: Reason
    run_id: str | None = None
    duration_ms: int | None = None
    window: Window | None = None
    finished: bool | None = None


class StatsOfSymbolAnswer(Struct, **ANSWER):
    exchange: str
    symbol: str
    computed_at: int
    age_ms: int
    window: Window
    summary: Summary | None
    reason: Reason


class Coverage(Struct, **ANSWER):
    """Bars of one symbol: expected, there, put in at the previous close, known to lack trades, not known."""

    expected: int
    bars: int
    filled: int
    incomplete: int
    unknown: int


class CoveredSymbol(Struct, **ANSWER):
    exchange: str
    symbol: str
    coverage: Coverage
    complete: bool


class ExcludedSymbol(Struct, **ANSWER):
    exchange: str
    symbol: str
    code: str
    reason: str


class Passes(Struct, **ANSWER):
    both_orders: bool
    half_life: bool
    stability: bool
    data: bool


class OneOrder(Struct, **ANSWER):
    statistic: float | None
    p_value: Share | None
    lag: int | None


class AdmissionCard(Struct, **ANSWER):
    rank: int
    exchange: str
    y: str
    x_exchange: str
    x: str
    admitted: bool
    passes: Passes
    verdict: str
    p_value: Share | None
    q_value: Annotated[Share | None, Meta(description="p_value allowing for the number of pairs tested.")]
    y_on_x: OneOrder
    x_on_y: OneOrder
    hedge_ratio: float | None
    sub_hedge_ratios: list[float | None]
    drift: float | None
    half_life: Annotated[float | None, Meta(description="Bars; null where the spread does not return to a level.")]
    half_life_error: float | None
    zscore: float | None
    correlation: float | None
    r_squared: float | None
    collinear: bool
    n: int


class Criteria(Struct, **ANSWER):
    fdr: float
    min_half_life: float
    max_half_life_share: float
    subwindows: int
    max_drift: float


class _Found(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    computed_at: Computed
    age_ms: Age
    reason: Reason
    run_id: str | None = None
    duration_ms: int | None = None
    window: FilledWindow | None = None
    n: int | None = None
    null_hypothesis: str | None = None
    excluded: list[ExcludedSymbol] = []
    finished: bool | None = None


class ScanAnswer(_Found, kw_only=True, frozen=True, forbid_unknown_fields=True):
    pairs: list[AdmissionCard]
    symbols: list[CoveredSymbol] = []
    meaning: str | None = None
    criteria: Criteria | None = None
    pairs_tested: int | None = None
    pairs_total: int | None = None
    pairs_admitted: int | None = None
    pairs_found: Annotated[int | None, Meta(description="Of the pairs that are kept, how many the filters let by.")] = (
        None
    )


class CorrelationAnswer(_Found, kw_only=True, frozen=True, forbid_unknown_fields=True):
    symbols: list[CoveredSymbol]
    matrix: Annotated[
        list[list[float | None]],
        Meta(description="A row and a column for each symbol, in that order; null where one of the two did not move."),
    ]
    method: str | None = None
