"""Checks that every statistic makes before it computes, so that no number only looks fine."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quant.errors import SeriesError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LARGEST = 1e100
"""Squares and their sums stay finite below it."""

COLLINEAR_R_SQUARED = 1 - 100 * float(np.sqrt(np.finfo(np.float64).eps))
"""From this R² on the residual is mostly rounding; the bound of ``statsmodels.tsa.stattools.coint``."""


def checked(values: ArrayLike, name: str, minimum: int = 2) -> Floats:
    """One series as contiguous floats.

    Parameters
    ----------
    values : array_like, shape (n,)
    name : str
        What an error calls it.
    minimum : int
        The fewest points that will do.

    Raises
    ------
    SeriesError
        ``too_few``, ``not_finite`` (NaN or infinite) or ``too_large``.
    """
    series = np.ascontiguousarray(values, dtype=np.float64)
    if series.ndim != 1:
        raise SeriesError(name, "unequal", f"must have one dimension, it has {series.ndim}")
    if len(series) < minimum:
        raise SeriesError(name, "too_few", f"has {len(series)} points, at least {minimum} are needed")
    bad = np.flatnonzero(~np.isfinite(series))
    if len(bad):
        raise SeriesError(name, "not_finite", f"is {series[bad[0]]} at point {bad[0]}, every point must be a number")
    if float(np.abs(series).max(initial=0)) > LARGEST:
        raise SeriesError(name, "too_large", f"exceeds {LARGEST:g}")
    return series


def checked_pair(y: ArrayLike, x: ArrayLike, minimum: int = 3) -> tuple[Floats, Floats]:
    """Two series of equal length, neither of them constant.

    Raises
    ------
    SeriesError
        As :func:`checked`; ``unequal`` lengths; ``constant``.
    """
    first, second = checked(y, "y", minimum), checked(x, "x", minimum)
    if len(first) != len(second):
        raise SeriesError("y", "unequal", f"has {len(first)} points, x has {len(second)}")
    not_constant(first, "y")
    not_constant(second, "x")
    return first, second


def not_constant(series: Floats, name: str) -> None:
    """
    Raises
    ------
    SeriesError
        ``constant``: no point differs from another, rounding apart.
    """
    spread = float(series.max() - series.min())
    if spread <= 4 * np.finfo(np.float64).eps * float(np.abs(series).max()):
        raise SeriesError(name, "constant", "is constant")


def centred(series: Floats) -> Floats:
    """Less its mean, along the last axis. Twice: the first mean is rounded to the digits of the level, which may be
    coarser than what the series does."""
    once = series - series.mean(axis=-1, keepdims=True)
    twice: Floats = once - once.mean(axis=-1, keepdims=True)
    return twice


def checked_window(window: int, n: int, minimum: int = 3) -> int:
    """
    Raises
    ------
    SeriesError
        ``too_few``: the window is longer than the series or too short for the statistic.
    """
    if not minimum <= window <= n:
        raise SeriesError("window", "too_few", f"must be from {minimum} to the {n} points that there are, not {window}")
    return window


def logarithm(prices: Floats, name: str) -> Floats:
    """
    Raises
    ------
    SeriesError
        ``not_positive``.
    """
    if len(prices) and float(prices.min()) <= 0:
        raise SeriesError(name, "not_positive", "must be above zero everywhere for its logarithm")
    return np.log(prices)
