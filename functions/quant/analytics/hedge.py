"""Hedge ratios in numpy: how many units of x offset one unit of y. quant.analytics.econometrics has statsmodels'
own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quant.analytics.series import COLLINEAR_R_SQUARED, Floats, centred, checked_pair
from quant.errors import SeriesError


@dataclass(frozen=True, slots=True)
class Line:
    """y = intercept + slope · x; ``slope`` is the hedge ratio."""

    slope: float
    intercept: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Kalman:
    """A line whose two coefficients move as random walks.

    Attributes
    ----------
    slope, intercept : ndarray, shape (n,)
        The filter's estimate after point t, from the points up to t.
    error : ndarray, shape (n,)
        y[t] less its forecast from the points before t, in units of y.
    variance : ndarray, shape (n,)
        Of that forecast.
    delta, noise : float
        The parameters used.
    """

    slope: Floats
    intercept: Floats
    error: Floats
    variance: Floats
    delta: float
    noise: float

    @property
    def zscore(self) -> Floats:
        """The forecast error over its own standard deviation; it uses no later point."""
        return self.error / np.sqrt(self.variance)


def least_squares(y: ArrayLike, x: ArrayLike) -> Line:
    """The line with the least sum of squared distances in the direction of y.

    ``slope = Σ(x - x̄)(y - ȳ) / Σ(x - x̄)²``. It depends on which of the two is y: the product of both slopes is R²,
    not 1.

    Parameters
    ----------
    y, x : array_like, shape (n,), n ≥ 3

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked_pair.
    """
    first, second = checked_pair(y, x)
    mean_y, mean_x, _, sxx, sxy = _moments(first, second)
    slope = sxy / sxx
    return Line(slope, mean_y - slope * mean_x, len(first))


def total_least_squares(y: ArrayLike, x: ArrayLike) -> Line:
    """The line with the least sum of squared perpendicular distances.

    ``slope = (d + sqrt(d² + 4 sxy²)) / (2 sxy)`` with ``d = syy - sxx`` (Deming regression of variance ratio 1). The
    slope of x on y is its exact reciprocal, so it does not depend on which of the two is called y; it does depend on
    the units of both.

    Parameters
    ----------
    y, x : array_like, shape (n,), n ≥ 3

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked_pair; ``failed`` where the two are uncorrelated, so that no direction is best.
    """
    first, second = checked_pair(y, x)
    mean_y, mean_x, syy, sxx, sxy = _moments(first, second)
    if sxy == 0:
        raise SeriesError("y", "failed", "is not correlated with x, so no direction fits best")
    difference = syy - sxx
    root = math.hypot(difference, 2 * sxy)
    # Of the two equal forms the one in which nothing cancels.
    slope = (difference + root) / (2 * sxy) if difference >= 0 else 2 * sxy / (root - difference)
    return Line(slope, mean_y - slope * mean_x, len(first))


def kalman(
    y: ArrayLike, x: ArrayLike, *, delta: float = 1e-4, noise: float = 1e-3, start_variance: float = 0.0
) -> Kalman:
    """A time-varying hedge ratio.

    State: ``(slope, intercept)[t] = (slope, intercept)[t-1] + w``, w with variance ``delta / (1 - delta)`` each.
    Observation: ``y[t] = intercept[t] + slope[t] · x[t] + v``, v with variance ``noise``. It begins at zero.

    Parameters
    ----------
    y, x : array_like, shape (n,), n ≥ 3
    delta : float
        Between 0 and 1: how fast the coefficients may move.
    noise : float
        Variance of an observation, in squared units of y.
    start_variance : float
        How uncertain the coefficients' start at zero is; without uncertainty the filter approaches them slowly.

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked_pair.

    Notes
    -----
    E. P. Chan, *Algorithmic Trading* (2013), example 3.3, with its start.
    """
    first, second = checked_pair(y, x)
    drift = delta / (1 - delta)
    slope = intercept = p_si = 0.0
    p_ss = p_ii = start_variance
    rows: list[tuple[float, float, float, float]] = []
    for at, (price_y, price_x) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        if at:
            p_ss, p_ii = p_ss + drift, p_ii + drift
        gain_s, gain_i = p_ss * price_x + p_si, p_si * price_x + p_ii
        variance = gain_s * price_x + gain_i + noise
        error = price_y - slope * price_x - intercept
        gain_s, gain_i = gain_s / variance, gain_i / variance
        slope, intercept = slope + gain_s * error, intercept + gain_i * error
        p_ss, p_si, p_ii = (
            p_ss - gain_s * gain_s * variance,
            p_si - gain_s * gain_i * variance,
            p_ii - gain_i * gain_i * variance,
        )
        rows.append((slope, intercept, error, variance))
    columns = np.array(rows).T
    return Kalman(columns[0], columns[1], columns[2], columns[3], delta, noise)


def refuse_collinear(y: ArrayLike, x: ArrayLike) -> None:
    """
    Raises
    ------
    SeriesError
        ``collinear``: R² is so near 1 that the residual is mostly rounding and no test of it means anything.
    """
    first, second = checked_pair(y, x)
    _, _, syy, sxx, sxy = _moments(first, second)
    if sxy * sxy >= COLLINEAR_R_SQUARED * syy * sxx:
        raise SeriesError("y", "collinear", "is (almost) a multiple of x: what is left of it is rounding")


def _moments(y: Floats, x: Floats) -> tuple[float, float, float, float, float]:
    mean_y, mean_x = float(y.mean()), float(x.mean())
    dy, dx = centred(y), centred(x)
    return mean_y, mean_x, float(dy @ dy), float(dx @ dx), float(dy @ dx)
