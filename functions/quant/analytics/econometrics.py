"""Tests and estimators that statsmodels has, as frozen results that say what they mean. Heavy: it loads pandas."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata  # type: ignore[import-untyped,unused-ignore]
from scipy.stats import t as student  # type: ignore[import-untyped,unused-ignore]
from statsmodels.regression.linear_model import OLS  # type: ignore[import-untyped,unused-ignore]
from statsmodels.robust.norms import HuberT  # type: ignore[import-untyped,unused-ignore]
from statsmodels.robust.robust_linear_model import RLM  # type: ignore[import-untyped,unused-ignore]
from statsmodels.tools.sm_exceptions import ConvergenceWarning, SingularMatrixWarning  # type: ignore[import-untyped,unused-ignore]
from statsmodels.tsa.stattools import adfuller  # type: ignore[import-untyped,unused-ignore]
from statsmodels.tsa.vector_ar.vecm import coint_johansen  # type: ignore[import-untyped,unused-ignore]

from quant.analytics.engle_granger import FEWEST
from quant.analytics.hedge import refuse_collinear
from quant.analytics.mackinnon import critical_values, p_values
from quant.analytics.series import Floats, centred, checked, checked_pair, not_constant
from quant.errors import SeriesError

LEVEL = 0.05
HUBER_TUNING = 1.345


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """y = intercept + slope · x, with standard errors for independent errors of equal variance."""

    slope: float
    intercept: float
    slope_error: float
    intercept_error: float
    r_squared: float
    residual_std: float
    n: int


@dataclass(frozen=True, slots=True)
class Huber:
    """y = intercept + slope · x with the influence of outliers bounded at ``tuning`` robust standard deviations."""

    slope: float
    intercept: float
    slope_error: float
    scale: float
    tuning: float
    n: int


@dataclass(frozen=True, slots=True)
class Correlation:
    """A coefficient, its two-sided p-value and 95 % interval (Fisher's z), for independent observations."""

    coefficient: float
    p_value: float
    low: float | None
    high: float | None
    n: int
    null_hypothesis: str
    verdict: str


@dataclass(frozen=True, slots=True)
class UnitRootTest:
    """A Dickey-Fuller type test. ``n`` counts the observations of its regression, ``lag`` the lagged changes in it."""

    statistic: float
    p_value: float
    lag: int
    n: int
    critical_values: dict[str, float]
    null_hypothesis: str
    verdict: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class JohansenTest:
    """Both of Johansen's statistics by rank under the null hypothesis: 0 relations, at most 1 …

    Critical values are those of 90, 95 and 99 %. ``hedge_ratio`` is that of the first eigenvector, y less so many x.
    """

    trace: tuple[float, ...]
    trace_critical: tuple[tuple[float, ...], ...]
    eigenvalue: tuple[float, ...]
    eigenvalue_critical: tuple[tuple[float, ...], ...]
    eigenvectors: tuple[tuple[float, ...], ...]
    hedge_ratio: float | None
    rank: int
    lag: int
    n: int
    null_hypothesis: str
    verdict: str


def ols(y: ArrayLike, x: ArrayLike) -> LeastSquares:
    """Ordinary least squares of y on a constant and x, by statsmodels.

    Parameters
    ----------
    y, x : array_like, shape (n,), n ≥ 3

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked_pair.
    """
    first, second = checked_pair(y, x)
    fit, unit = _line(first, second)
    mean_y, mean_x = float(first.mean()), float(second.mean())
    slope, slope_error = float(fit.params[1]) / unit, float(fit.bse[1]) / unit
    return LeastSquares(
        slope=slope,
        intercept=mean_y - slope * mean_x,
        slope_error=slope_error,
        # The errors of a mean and of the slope through it are independent.
        intercept_error=math.hypot(float(fit.bse[0]), mean_x * slope_error),
        r_squared=float(fit.rsquared),
        residual_std=math.sqrt(float(fit.mse_resid)),
        n=len(first),
    )


def huber(y: ArrayLike, x: ArrayLike) -> Huber:
    """Huber's M-estimator of the line, by statsmodels' RLM.

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked_pair; ``failed`` where the iteration finds no end, or more than half of the
        points lie exactly on a line, so that their scatter is zero.
    """
    first, second = checked_pair(y, x)
    # RLM's own scale is relative to the data; one unit per deviation keeps its stopping rule meaningful.
    unit_y, unit_x, mean_y, mean_x = float(first.std()), float(second.std()), float(first.mean()), float(second.mean())
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            design = _with_constant(centred(second) / unit_x)
            fit = RLM(centred(first) / unit_y, design, M=HuberT(HUBER_TUNING)).fit(maxiter=200)
        except (ConvergenceWarning, ValueError, ZeroDivisionError, np.linalg.LinAlgError) as exc:
            raise SeriesError("y", "failed", "has no Huber line: the iteration found no end") from exc
    slope = float(fit.params[1]) * unit_y / unit_x
    if not math.isfinite(slope) or not float(fit.scale) > 0:
        raise SeriesError("y", "failed", "has no Huber line: most points lie exactly on one line")
    return Huber(
        slope=slope,
        intercept=mean_y + float(fit.params[0]) * unit_y - slope * mean_x,
        slope_error=float(fit.bse[1]) * unit_y / unit_x,
        scale=float(fit.scale) * unit_y,
        tuning=HUBER_TUNING,
        n=len(first),
    )


def pearson(y: ArrayLike, x: ArrayLike) -> Correlation:
    """Pearson's correlation; ``t = r sqrt((n-2) / (1-r²))`` for the p-value. The null hypothesis: no linear relation.

    Parameters
    ----------
    y, x : array_like, shape (n,), n ≥ 4

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked_pair.
    """
    first, second = checked_pair(y, x, 4)
    return _correlation(first, second, "there is no linear relation between the two series' returns")


def spearman(y: ArrayLike, x: ArrayLike) -> Correlation:
    """Spearman's rank correlation, ties at their mean rank. The null hypothesis: no monotone relation.

    Parameters
    ----------
    y, x : array_like, shape (n,), n ≥ 4

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked_pair.
    """
    first, second = checked_pair(y, x, 4)
    return _correlation(
        rankdata(first), rankdata(second), "there is no monotone relation between the two series' returns"
    )


def adf(values: ArrayLike, name: str = "spread") -> UnitRootTest:
    """Augmented Dickey-Fuller test with a constant, lags by Akaike's criterion, by statsmodels.

    The null hypothesis: the series has a unit root, it does not return to a level.

    Parameters
    ----------
    values : array_like, shape (n,), n ≥ 30

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked; ``constant``; ``failed`` where the regression is singular.
    """
    series = checked(values, name, FEWEST)
    not_constant(series, name)
    statistic, p_value, lag, n, critical = _adfuller(series, "c", name)
    if p_value is None:
        raise SeriesError(name, "failed", "has no Dickey-Fuller statistic: its regression is singular")
    return UnitRootTest(
        statistic=statistic,
        p_value=p_value,
        lag=lag,
        n=n,
        critical_values=critical,
        null_hypothesis="the spread has a unit root: it does not return to a level",
        verdict=_verdict(p_value, "the spread returns to a level", "no evidence that the spread returns to a level"),
        note="the spread's hedge ratio is estimated too, so this p-value is too small; Engle-Granger's allows for it",
    )


def engle_granger(y: ArrayLike, x: ArrayLike) -> UnitRootTest:
    """Engle-Granger test of y on x with a constant, lags by Akaike's criterion.

    The null hypothesis: y and x are not cointegrated. It is ``statsmodels.tsa.stattools.coint`` in its two steps, which
    that function takes without telling the number of lags. It depends on which series is called y (arch#628): ask for
    both.

    Parameters
    ----------
    y, x : array_like, shape (n,), n ≥ 30

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked_pair; ``collinear`` where statsmodels answers minus infinity; ``failed``.
    """
    first, second = checked_pair(y, x, FEWEST)
    refuse_collinear(first, second)
    residual = _line(first, second)[0].resid
    statistic, _, lag, n, _ = _adfuller(residual, "n", "residual")
    if not math.isfinite(statistic):
        raise SeriesError("residual", "failed", "has no Dickey-Fuller statistic: its regression is singular")
    p_value = float(p_values(np.array([statistic]))[0])
    return UnitRootTest(
        statistic=statistic,
        p_value=p_value,
        lag=lag,
        n=n,
        critical_values=critical_values(len(first)),
        null_hypothesis="the two series are not cointegrated: no fixed combination of them returns to a level",
        verdict=_verdict(p_value, "the two series are cointegrated", "no evidence of cointegration"),
    )


def johansen(*series: ArrayLike, lags: int = 1) -> JohansenTest:
    """Johansen's trace and maximum-eigenvalue tests with a constant, by statsmodels.

    The null hypothesis of rank r: at most r combinations return to a level.

    Parameters
    ----------
    *series : array_like, shape (n,)
        Two to twelve of them.
    lags : int
        Lagged changes in the model.

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked_pair; ``collinear``; ``failed`` where a matrix is singular.
    """
    first = checked(series[0], "y", FEWEST)
    for other in series[1:]:
        refuse_collinear(*checked_pair(first, other, FEWEST))
    try:
        with np.errstate(all="ignore"):
            found = coint_johansen(np.column_stack(series), 0, lags)
    except (np.linalg.LinAlgError, ValueError) as exc:
        raise SeriesError("y", "failed", "and x have no Johansen statistic: a matrix of theirs is singular") from exc
    trace, largest = _floats(found.trace_stat), _floats(found.max_eig_stat)
    if not all(map(math.isfinite, trace + largest)):
        raise SeriesError("y", "failed", "and x have no Johansen statistic: a matrix of theirs is singular")
    critical = tuple(map(_floats, found.trace_stat_crit_vals))
    rank = next((r for r, value in enumerate(trace) if value <= critical[r][1]), len(series))
    vector = found.evec[:, 0]
    return JohansenTest(
        trace=trace,
        trace_critical=critical,
        eigenvalue=largest,
        eigenvalue_critical=tuple(map(_floats, found.max_eig_stat_crit_vals)),
        eigenvectors=tuple(map(_floats, found.evec.T)),
        hedge_ratio=float(-vector[1] / vector[0]) if vector[0] else None,
        rank=rank,
        lag=lags,
        n=len(first),
        null_hypothesis="at most r combinations of the series return to a level, for r = 0, 1 …",
        verdict=f"{_rank_in_words(rank, len(series))} (trace statistic against its 95 % values)",
    )


def _rank_in_words(rank: int, count: int) -> str:
    if rank == 0:
        return "no evidence of cointegration"
    if rank == count:
        return "every series seems to return to a level by itself, so cointegration is not the question"
    many, one = "s" * (rank > 1), "s" * (rank == 1)
    return f"{rank} combination{many} of the series return{one} to a level: they are cointegrated"


def _line(y: Floats, x: Floats) -> tuple[Any, float]:
    """The fit of y's moves on x's, in deviations of x, and that deviation. Of raw levels, a billion and a little, the
    constant and x are the same column but for rounding, and what is found is anything."""
    moves = centred(x)
    unit = float(moves.std())
    return OLS(centred(y), _with_constant(moves / unit)).fit(), unit


def _adfuller(series: Floats, regression: str, name: str) -> tuple[float, float | None, int, int, dict[str, float]]:
    moves = centred(series)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", SingularMatrixWarning)
            found = adfuller(moves / moves.std(), regression=regression, autolag="AIC", result_object=True)
    except (ValueError, np.linalg.LinAlgError, SingularMatrixWarning) as exc:
        raise SeriesError(name, "failed", "has no Dickey-Fuller statistic: its regression is singular") from exc
    statistic = float(found.statistic)
    p_value = float(found.pvalue) if math.isfinite(statistic) else None
    critical = {level: float(value) for level, value in found.critical_values.items()}
    return statistic, p_value, int(found.lags), int(found.nobs), critical


def _correlation(first: Floats, second: Floats, null_hypothesis: str) -> Correlation:
    n, dy, dx = len(first), centred(first), centred(second)
    r = float(np.clip((dy / np.linalg.norm(dy)) @ (dx / np.linalg.norm(dx)), -1, 1))
    p_value = 0.0
    if 1 - abs(r) >= 1e-12:
        p_value = 2 * float(student.sf(abs(r) * math.sqrt((n - 2) / (1 - r * r)), n - 2))
    reach = 1.959963984540054 / math.sqrt(n - 3)
    ends = (None, None) if 1 - abs(r) < 1e-12 else (math.tanh(math.atanh(r) - reach), math.tanh(math.atanh(r) + reach))
    return Correlation(
        coefficient=r,
        p_value=p_value,
        low=ends[0],
        high=ends[1],
        n=n,
        null_hypothesis=null_hypothesis,
        verdict=_verdict(p_value, "the returns are related", "no evidence that the returns are related"),
    )


def _verdict(p_value: float, rejected: str, kept: str) -> str:
    return f"{rejected if p_value <= LEVEL else kept} at the 5 % level ({_in_words(p_value)})"


def _in_words(p_value: float) -> str:
    """Four decimals, or as many as show on which side of the level it is."""
    if p_value < 0.0001:
        return "p < 0.0001"
    shown = (f"{p_value:.{digits}f}" for digits in range(4, 20))
    return f"p = {next(text for text in shown if (float(text) <= LEVEL) == (p_value <= LEVEL))}"


def _with_constant(x: Floats) -> Floats:
    return np.column_stack([np.ones_like(x), x])


def _floats(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
