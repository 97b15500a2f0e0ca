"""The whole analysis of one pair. What cannot be computed is an error in its own field; the rest still stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from quant.analytics import econometrics as tests
from quant.analytics.backtest import CONVENTION, Backtest, Rule, backtest
from quant.analytics.econometrics import Correlation, Huber, JohansenTest, LeastSquares, UnitRootTest
from quant.analytics.hedge import Kalman, Line, kalman, refuse_collinear, total_least_squares
from quant.analytics.rolling import RollingPair, rolling_correlation, rolling_pair
from quant.analytics.series import Floats, checked_pair, checked_window, logarithm
from quant.analytics.spread import HalfLife, half_life, zscore
from quant.errors import SeriesError

Method = Literal["ols", "tls", "huber", "kalman"]
METHODS: tuple[Method, ...] = ("ols", "tls", "huber", "kalman")
Transform = Literal["price", "log"]
TRANSFORMS: tuple[Transform, ...] = ("price", "log")
FEWEST_POINTS = 30

ZSCORE_CONVENTION = (
    "whole sample: (spread - mean) / standard deviation (ddof 1) over all points, which knows later ones; rolling: the "
    "newest residual of a least-squares fit in the window over the deviation of that window's residuals, no later point"
)
KALMAN_CONVENTION = (
    "on moves since the first bar, relative ones of prices and logarithms alike; state noise per bar is "
    "delta / (1 - delta) for slope and intercept, noise is the variance of an observation, the start is zero with "
    "variance 1; the estimate at a bar uses no later one"
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """What the caller chose.

    Attributes
    ----------
    window : int
        Bars of the rolling statistics.
    method : {"ols", "tls", "huber", "kalman"}
        Whose hedge ratio makes the spread.
    transform : {"price", "log"}
        Whether levels are prices or their logarithms.
    bars_per_year : float
        For annualised figures.
    delta, noise : float
        Of the Kalman filter, for moves since the first bar. The intercept's memory is about sqrt(noise / delta) bars.
    rule : Rule
        Of the backtest.
    with_johansen : bool
    """

    window: int
    bars_per_year: float
    method: Method = "ols"
    transform: Transform = "price"
    delta: float = 1e-9
    noise: float = 1e-5
    rule: Rule = field(default_factory=Rule)
    with_johansen: bool = True


@dataclass(frozen=True, slots=True)
class KalmanRatio:
    """The filter's newest estimate, in units of the levels given."""

    slope: float
    intercept: float
    zscore: float
    delta: float
    noise: float
    convention: str
    n: int


@dataclass(frozen=True, slots=True)
class Spread:
    """y - intercept - hedge_ratio · x. ``rolling_zscore`` is None where its window has none."""

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


@dataclass(frozen=True, slots=True)
class BothOrders:
    """Engle-Granger in both orders: its result depends on which series is called y."""

    y_on_x: UnitRootTest
    x_on_y: UnitRootTest
    agree: bool
    verdict: str


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What charts show, each of shape (n,); NaN where a value does not exist. ``rolling_correlation`` is of as many
    returns as the window has bars; all other rolling ones are of the window's bars."""

    y: Floats
    x: Floats
    spread: Floats
    zscore: Floats
    rolling_correlation: Floats
    rolling_hedge_ratio: Floats
    rolling_spread: Floats
    rolling_zscore: Floats


@dataclass(frozen=True, slots=True, eq=False)
class PairAnalysis:
    """Every part is its result, or the SeriesError that says why there is none."""

    n: int
    pearson: Correlation | SeriesError
    spearman: Correlation | SeriesError
    ols: LeastSquares | SeriesError
    tls: Line | SeriesError
    huber: Huber | SeriesError
    kalman: KalmanRatio | SeriesError
    spread: Spread | SeriesError
    adf: UnitRootTest | SeriesError
    engle_granger: BothOrders | SeriesError
    johansen: JohansenTest | SeriesError | None
    half_life: HalfLife | SeriesError
    backtest: Backtest | SeriesError
    backtest_convention: str
    columns: Columns


def analyse_pair(y: ArrayLike, x: ArrayLike, question: Question) -> PairAnalysis:
    """Everything that is known of a pair, y on x.

    Correlations are of log returns; all else is of the levels that ``question.transform`` names.

    Parameters
    ----------
    y, x : array_like, shape (n,), n ≥ 30
        Aligned prices.
    question : Question

    Raises
    ------
    SeriesError
        The series themselves cannot be used: ``too_few``, ``unequal``, ``not_finite``, ``not_positive``, ``constant``,
        or the window is longer than they are.
    """
    prices_y, prices_x = checked_pair(y, x, FEWEST_POINTS)
    checked_window(question.window, len(prices_y))
    log_y, log_x = logarithm(prices_y, "y"), logarithm(prices_x, "x")
    levels = (log_y, log_x) if question.transform == "log" else (prices_y, prices_x)
    returns = np.diff(log_y), np.diff(log_x)
    filtered = _or_error(lambda: _kalman(*levels, question))
    fits: dict[str, LeastSquares | Line | Huber | SeriesError] = {
        "ols": _or_error(lambda: tests.ols(*levels)),
        "tls": _or_error(lambda: total_least_squares(*levels)),
        "huber": _or_error(lambda: tests.huber(*levels)),
    }
    residual = _or_error(lambda: _residual(*levels, question.method, fits, filtered))
    rolling = rolling_pair(*levels, question.window)
    return PairAnalysis(
        n=len(prices_y),
        pearson=_or_error(lambda: tests.pearson(*returns)),
        spearman=_or_error(lambda: tests.spearman(*returns)),
        ols=fits["ols"],  # type: ignore[arg-type]
        tls=fits["tls"],  # type: ignore[arg-type]
        huber=fits["huber"],  # type: ignore[arg-type]
        kalman=_or_error(lambda: _newest(_value(filtered))),
        spread=_or_error(lambda: _spread(_value(residual), question, rolling)),
        adf=_or_error(lambda: tests.adf(_value(residual)[0])),
        engle_granger=_or_error(lambda: _both_orders(*levels)),
        johansen=_or_error(lambda: tests.johansen(*levels)) if question.with_johansen else None,
        half_life=_or_error(lambda: half_life(_value(residual)[0])),
        backtest=_or_error(lambda: _backtest(prices_y, prices_x, question, rolling, filtered)),
        backtest_convention=CONVENTION,
        columns=_columns(prices_y, prices_x, returns, residual, question, rolling),
    )


def _or_error(compute: Callable[[], T]) -> T | SeriesError:
    try:
        return compute()
    except SeriesError as exc:
        return exc


def _value(result: T | SeriesError) -> T:
    """The result; what depends on one that does not exist does not exist for the same reason."""
    if isinstance(result, SeriesError):
        raise result
    return result


def _kalman(y: Floats, x: Floats, question: Question) -> Kalman:
    """The filter on moves since the first bar, so that its noise means the same for every pair; scaled back to
    levels.
    """
    is_price = question.transform == "price"
    unit_y, unit_x = (float(series[0]) if is_price else 1.0 for series in (y, x))
    found = kalman(
        (y - y[0]) / unit_y, (x - x[0]) / unit_x, delta=question.delta, noise=question.noise, start_variance=1.0
    )
    slope = found.slope * (unit_y / unit_x)
    return replace(
        found,
        slope=slope,
        intercept=y[0] + unit_y * found.intercept - slope * x[0],
        error=found.error * unit_y,
        variance=found.variance * unit_y**2,
    )


def _newest(found: Kalman) -> KalmanRatio:
    return KalmanRatio(
        slope=float(found.slope[-1]),
        intercept=float(found.intercept[-1]),
        zscore=float(found.zscore[-1]),
        delta=found.delta,
        noise=found.noise,
        convention=KALMAN_CONVENTION,
        n=len(found.slope),
    )


def _residual(
    y: Floats,
    x: Floats,
    method: Method,
    fits: dict[str, LeastSquares | Line | Huber | SeriesError],
    filtered: Kalman | SeriesError,
) -> tuple[Floats, float, float]:
    """The spread with the chosen method's hedge ratio, that ratio and its intercept."""
    refuse_collinear(y, x)
    if method == "kalman":
        found = _value(filtered)
        slope, intercept = float(found.slope[-1]), float(found.intercept[-1])
    else:
        line = fits[method]
        if isinstance(line, SeriesError):
            raise line
        slope, intercept = line.slope, line.intercept
    return y - intercept - slope * x, slope, intercept


def _spread(residual: tuple[Floats, float, float], question: Question, rolling: RollingPair) -> Spread:
    values, slope, intercept = residual
    newest = float(rolling.zscore[-1])
    return Spread(
        method=question.method,
        hedge_ratio=slope,
        intercept=intercept,
        last=float(values[-1]),
        mean=float(values.mean()),
        std=float(values.std(ddof=1)),
        zscore=float(zscore(values)[-1]),
        rolling_zscore=None if np.isnan(newest) else newest,
        window=question.window,
        convention=ZSCORE_CONVENTION,
        n=len(values),
    )


def _both_orders(y: Floats, x: Floats) -> BothOrders:
    forward, backward = tests.engle_granger(y, x), tests.engle_granger(x, y)
    passed = [one.p_value <= tests.LEVEL for one in (forward, backward)]
    if all(passed):
        verdict = "cointegrated at the 5 % level in both orders"
    elif any(passed):
        verdict = "undecided: cointegrated at the 5 % level in one order and not in the other"
    else:
        verdict = "no evidence of cointegration at the 5 % level in either order"
    return BothOrders(forward, backward, passed[0] == passed[1], verdict)


def _backtest(
    y: Floats, x: Floats, question: Question, rolling: RollingPair, filtered: Kalman | SeriesError
) -> Backtest:
    """Always on causal figures: the Kalman filter's where it was chosen, the rolling window's else."""
    if question.method == "kalman":
        found = _value(filtered)
        scores, ratios = found.zscore.copy(), found.slope
        # The filter begins at zero and needs a while to find the pair.
        scores[: question.window] = np.nan
    else:
        scores, ratios = rolling.zscore, rolling.hedge_ratio
    # Of logarithms the ratio says how many percent; y / x turns percent into units.
    units = ratios * (y / x) if question.transform == "log" else ratios
    return backtest(y, x, scores, units, question.rule, question.bars_per_year)


def _columns(
    y: Floats,
    x: Floats,
    returns: tuple[Floats, Floats],
    residual: tuple[Floats, float, float] | SeriesError,
    question: Question,
    rolling: RollingPair,
) -> Columns:
    nothing = np.full(len(y), np.nan)
    # Of all bars there is one return less than the window wants.
    has_window = question.window < len(y)
    return Columns(
        y=y,
        x=x,
        spread=nothing if isinstance(residual, SeriesError) else residual[0],
        zscore=nothing if isinstance(residual, SeriesError) else zscore(residual[0]),
        # A return belongs to the bar that it ends with.
        rolling_correlation=np.append(np.nan, rolling_correlation(*returns, question.window))
        if has_window
        else nothing,
        rolling_hedge_ratio=rolling.hedge_ratio,
        rolling_spread=rolling.spread,
        rolling_zscore=rolling.zscore,
    )
