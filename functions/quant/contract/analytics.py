"""Statistics, correlations, the scan of all pairs and the analysis of one."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from quant.contract.operation import REQUEST, Operation
from quant.contract.pairs import PairAnswer
from quant.contract.statistics import CorrelationAnswer, ScanAnswer, StatsAnswer, StatsOfSymbolAnswer
from quant.contract.types import Exchange, IntervalName, MarketName, Nothing, Symbol

# Every length from five minutes to thirty days, in each unit.
_WINDOW = (
    r"^(([5-9]|[1-9][0-9]{1,3}|[1-3][0-9]{4}|4[0-2][0-9]{3}|43[01][0-9]{2}|43200)m"
    r"|([1-9][0-9]?|[1-6][0-9]{2}|7[01][0-9]|720)h|([1-9]|[12][0-9]|30)d)$"
)
MAX_PAIRS, MAX_LOOKBACK, FEWEST_POINTS = 1_000, 10_000, 30
OfExchange = Annotated[Exchange, Meta(description="Only of this exchange.")] | None


class StatsParameters(Struct, **REQUEST):
    exchange: OfExchange = None


class StatsOfSymbolParameters(Struct, **REQUEST):
    symbol: Symbol
    exchange: Exchange = "binance"
    window: (
        Annotated[
            str,
            Meta(
                pattern=_WINDOW,
                description="From 5m to 30d; without it the day that was computed last.",
                examples=["4h"],
                extra={"remedy": "must be a length from 5m to 30d, such as 15m, 4h or 7d"},
            ),
        ]
        | None
    ) = None


class ScanParameters(Struct, **REQUEST):
    exchange: OfExchange = None
    symbol: Annotated[Symbol, Meta(description="Only pairs with this symbol.")] | None = None
    admitted: Annotated[bool, Meta(description="Only pairs that pass, or fail, every point of the card.")] | None = None
    max_p_value: Annotated[float, Meta(ge=0, le=1, description="Only pairs up to this Engle-Granger p-value.")] = 1
    limit: Annotated[int, Meta(ge=1, le=MAX_PAIRS, description="Pairs in the answer, the best first.")] = 100


class CorrelationParameters(Struct, **REQUEST):
    exchange: OfExchange = None
    symbols: (
        Annotated[
            tuple[Symbol, ...], Meta(min_length=1, max_length=200, description="Only these, with commas between them.")
        ]
        | None
    ) = None


class PairParameters(Struct, **REQUEST):
    y: Annotated[MarketName, Meta(description="What is explained.", examples=["ETHUSDT"])]
    x: Annotated[MarketName, Meta(description="What explains it.", examples=["BTCUSDT"])]
    exchange: Exchange = "binance"
    interval: IntervalName = "1m"
    lookback: Annotated[
        int, Meta(ge=FEWEST_POINTS, le=MAX_LOOKBACK, description="Bars that are looked at.", examples=[720])
    ] = 1_440
    window: (
        Annotated[
            int,
            Meta(ge=3, le=MAX_LOOKBACK, description="Bars of the rolling figures, at most lookback; 60 without it."),
        ]
        | None
    ) = None
    method: Annotated[
        Literal["ols", "tls", "huber", "kalman"], Meta(description="How the spread's hedge ratio is found.")
    ] = "ols"
    fill: Annotated[
        Literal["none", "previous", "strict"],
        Meta(description="Bars that one symbol lacks: left out, at the previous close, or refused."),
    ] = "none"
    transform: Annotated[Literal["price", "log"], Meta(description="Of both series.")] = "price"
    entry: Annotated[float, Meta(ge=0.01, le=100, description="z-score at which the rule enters.")] = 2.0
    exit: (
        Annotated[float, Meta(ge=0, le=100, description="z-score at which it leaves, below entry; 0.5 without it.")]
        | None
    ) = None
    stop: (
        Annotated[float, Meta(ge=0, le=1_000, description="z-score at which it gives up, above entry; 0 for none.")]
        | None
    ) = None
    cost: Annotated[float, Meta(ge=0, le=0.1, description="Of each trade, as a share of its value.")] = 0.001
    delta: Annotated[float, Meta(ge=1e-15, le=0.5, description="Kalman filter: how fast the ratio may move.")] = 1e-9
    noise: Annotated[float, Meta(ge=1e-15, le=1e6, description="Kalman filter: variance of the observations.")] = 1e-5
    johansen: Annotated[bool, Meta(description="Whether Johansen's test is made.")] = True
    series: Annotated[bool, Meta(description="Whether the series are in the answer, or its figures only.")] = True


STATS = Operation(
    id="listStatistics",
    brief=True,
    method="GET",
    path="/stats",
    tag="analytics",
    summary="Statistics of all symbols over a day",
    parameters=StatsParameters,
    body=Nothing,
    answer=StatsAnswer,
)
STATS_OF_SYMBOL = Operation(
    id="getStatistics",
    brief=True,
    method="GET",
    path="/stats/{symbol}",
    tag="analytics",
    summary="Statistics of one symbol",
    description="Without a window those that were computed last; with one they are computed up to now.",
    parameters=StatsOfSymbolParameters,
    body=Nothing,
    answer=StatsOfSymbolAnswer,
)
SCAN = Operation(
    id="scanPairs",
    brief=True,
    method="GET",
    path="/pairs/scan",
    tag="pairs",
    summary="All pairs, ranked by their cointegration",
    description="The latest scan. A pair is admitted if it passes every point of its card.",
    parameters=ScanParameters,
    body=Nothing,
    answer=ScanAnswer,
)
CORRELATION = Operation(
    id="getCorrelations",
    brief=True,
    method="GET",
    path="/pairs/correlation",
    tag="pairs",
    summary="Correlations of all symbols",
    parameters=CorrelationParameters,
    body=Nothing,
    answer=CorrelationAnswer,
)
_ANALYSIS = (
    "Correlation, hedge ratio, spread, z-score, ADF, Engle-Granger in both orders, Johansen, half-life and a backtest "
    "of the z-score rule. A statistic that does not exist says why in its place."
)
ANALYZE = Operation(
    id="analyzePair",
    method="GET",
    path="/pairs/analyze",
    tag="pairs",
    summary="One pair in full",
    description=_ANALYSIS,
    parameters=PairParameters,
    body=Nothing,
    answer=PairAnswer,
)
ANALYZE_POSTED = Operation(
    id="analyzePairPosted",
    method="POST",
    path="/pairs/analyze",
    tag="pairs",
    summary="The same, asked in JSON",
    description=_ANALYSIS,
    parameters=Nothing,
    body=PairParameters,
    answer=PairAnswer,
    example=PairParameters(y="ETHUSDT", x="BTCUSDT", lookback=720),
)
OPERATIONS = (STATS, STATS_OF_SYMBOL, SCAN, CORRELATION)
"""Of the light api."""
ANALYSE_OPERATIONS = (ANALYZE, ANALYZE_POSTED)
"""Of the analyse function."""
