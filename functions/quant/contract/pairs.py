"""The answer of /pairs/analyze. A statistic that does not exist says so in its place."""

from __future__ import annotations

from msgspec import Struct

from quant.contract.operation import ANSWER
from quant.contract.statistics import Coverage


class WhyNone(Struct, **ANSWER):
    code: str
    message: str


class NoStatistic(Struct, **ANSWER):
    """There is no such statistic of these series."""

    error: WhyNone


class Maybe:
    """A statistic ``of`` this type, or a NoStatistic that says why there is none."""

    of: type[Struct]


class PairSide(Struct, **ANSWER):
    exchange: str
    symbol: str
    coverage: Coverage


class CorrelationTest(Struct, **ANSWER):
    coefficient: float
    p_value: float | None
    low: float | None
    high: float | None
    n: int
    null_hypothesis: str
    verdict: str


class MaybeCorrelationTest(Maybe):
    of = CorrelationTest


class LeastSquares(Struct, **ANSWER):
    slope: float
    intercept: float
    slope_error: float
    intercept_error: float
    r_squared: float
    residual_std: float
    n: int


class MaybeLeastSquares(Maybe):
    of = LeastSquares


class TotalLeastSquares(Struct, **ANSWER):
    slope: float
    intercept: float
    n: int


class MaybeTotalLeastSquares(Maybe):
    of = TotalLeastSquares


class HuberRegression(Struct, **ANSWER):
    slope: float
    intercept: float
    slope_error: float
    scale: float
    tuning: float
    n: int


class MaybeHuberRegression(Maybe):
    of = HuberRegression


class KalmanRatio(Struct, **ANSWER):
    slope: float
    intercept: float
    zscore: float
    delta: float
    noise: float
    convention: str
    n: int


class MaybeKalmanRatio(Maybe):
    of = KalmanRatio


class Spread(Struct, **ANSWER):
    method: str
    hedge_ratio: float
    intercept: float
    last: float
    mean: float
    std: float
    zscore: float
    rolling_zscore: float | None
    window: int
    convention: str
    n: int


class MaybeSpread(Maybe):
    of = Spread


class UnitRootTest(Struct, **ANSWER):
    statistic: float
    p_value: float
    lag: int
    n: int
    critical_values: dict[str, float]
    null_hypothesis: str
    verdict: str
    note: str


class MaybeUnitRootTest(Maybe):
    of = UnitRootTest


class BothOrders(Struct, **ANSWER):
    y_on_x: UnitRootTest
    x_on_y: UnitRootTest
    agree: bool
    verdict: str


class MaybeBothOrders(Maybe):
    of = BothOrders


class JohansenTest(Struct, **ANSWER):
    trace: list[float]
    trace_critical: list[list[float]]
    eigenvalue: list[float]
    eigenvalue_critical: list[list[float]]
    eigenvectors: list[list[float]]
    hedge_ratio: float | None
    rank: int
    lag: int
    n: int
    null_hypothesis: str
    verdict: str


class MaybeJohansenTest(Maybe):
    of = JohansenTest


class HalfLife(Struct, **ANSWER):
    """In bars."""

    coefficient: float
    coefficient_error: float
    bars: float | None
    bars_error: float | None
    low: float | None
    high: float | None
    is_mean_reverting: bool
    n: int
    verdict: str


class MaybeHalfLife(Maybe):
    of = HalfLife


class BacktestRule(Struct, **ANSWER):
    entry: float
    exit: float
    stop: float | None
    cost: float


class RoundTrip(Struct, **ANSWER, rename={"result": "return"}):
    entry_time: int
    exit_time: int
    side: str
    hedge_ratio: float
    result: float
    ended_by: str


class PairBacktest(Struct, **ANSWER, rename={"total_return": "return"}):
    rule: BacktestRule
    convention: str
    trades: int
    total_return: float
    sharpe: float | None
    max_drawdown: float
    exposure: float
    win_share: float | None
    costs: float
    bars_per_year: float
    n: int
    round_trips: list[RoundTrip]
    equity: list[float] | None


class MaybePairBacktest(Maybe):
    of = PairBacktest


class Correlations(Struct, **ANSWER):
    of: str
    pearson: MaybeCorrelationTest
    spearman: MaybeCorrelationTest


class HedgeRatios(Struct, **ANSWER):
    ols: MaybeLeastSquares
    tls: MaybeTotalLeastSquares
    huber: MaybeHuberRegression
    kalman: MaybeKalmanRatio


Column = list[float | None]


class PairSeries(Struct, **ANSWER):
    """Columns of equal length; null where a value does not exist."""

    time: list[int]
    y: Column
    x: Column
    spread: Column
    zscore: Column
    rolling_correlation: Column
    rolling_hedge_ratio: Column
    rolling_spread: Column
    rolling_zscore: Column


class PairAnswer(Struct, **ANSWER):
    y: PairSide
    x: PairSide
    interval: str
    lookback: int
    window: int
    method: str
    transform: str
    fill: str
    start: int
    end: int
    n: int
    dropped: int
    notes: list[str]
    computed_at: int
    correlation: Correlations
    hedge_ratios: HedgeRatios
    spread: MaybeSpread
    adf: MaybeUnitRootTest
    engle_granger: MaybeBothOrders
    johansen: MaybeJohansenTest | None
    half_life: MaybeHalfLife
    backtest: MaybePairBacktest
    series: PairSeries | None
