"""Statistics of a window that rolls over a series: vectorised, causal, and without a memory.

Running sums that add what enters and subtract what leaves keep the rounding error of all that ever passed: one value of
1e9 spoils every later variance (pandas#52407, #54518). Here the series is cut into blocks as long as the window. A
window is the end of one block and the beginning of the next, and each of the two is a cumulative sum that starts at
their border. So a result is computed from the points of its own window and no others. Both sums are taken of the
differences to the value at the border, which is one of the window's own, so that little cancels however far from zero
the level is: a second moment's relative error is at most about window² rounding units.

Every result has the length of its input. Point t is computed from the points t - window + 1 … t; the first window - 1
points are NaN, and so is a point whose statistic does not exist (a constant window, a collinear one).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quant.analytics.series import COLLINEAR_R_SQUARED, Floats, checked, checked_window
from quant.errors import SeriesError


@dataclass(frozen=True, slots=True, eq=False)
class RollingPair:
    """The regression of y on x in a rolling window, and where its newest point stands.

    Attributes
    ----------
    window : int
        Points in a window.
    correlation : ndarray, shape (n,)
        Pearson's, of the levels given.
    hedge_ratio, intercept : ndarray, shape (n,)
        Ordinary least squares of y on a constant and x.
    spread : ndarray, shape (n,)
        y - intercept - hedge_ratio · x at the window's newest point, in units of y.
    zscore : ndarray, shape (n,)
        The spread over the standard deviation (ddof 1) of the window's own residuals, whose mean is zero.
    """

    window: int
    correlation: Floats
    hedge_ratio: Floats
    intercept: Floats
    spread: Floats
    zscore: Floats


def rolling_mean_std(values: ArrayLike, window: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation (ddof 1) of each window.

    Parameters
    ----------
    values : array_like, shape (n,)
    window : int
        At least 2, at most n.

    Returns
    -------
    mean, std : ndarray, shape (n,), in the unit of ``values``

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked and checked_window.
    """
    series = checked(values, "series")
    checked_window(window, len(series), 2)
    sums = _Sums(len(series), window, [series])
    total, squares = sums.of([0], [(0, 0)])
    variance = np.maximum(squares - total * total / window, 0) / (window - 1)
    return sums.full(sums.border(0) + total / window), sums.full(np.sqrt(variance))


def rolling_zscore(values: ArrayLike, window: int) -> Floats:
    """How many standard deviations each point lies from the mean of the window that it ends.

    ``z[t] = (v[t] - mean) / std`` over v[t - window + 1 … t]: the point itself is counted, no later one is, ddof is 1.
    NaN where the window is constant.

    Raises
    ------
    SeriesError
        As :func:`rolling_mean_std`.
    """
    series = checked(values, "series")
    mean, std = rolling_mean_std(series, window)
    return _over(series - mean, std)


def rolling_correlation(y: ArrayLike, x: ArrayLike, window: int) -> Floats:
    """Pearson's correlation of each window; NaN where one of the two is constant.

    Raises
    ------
    SeriesError
        As :func:`rolling_pair`.
    """
    first, second = _two(y, x, window)
    sums = _Sums(len(first), window, [first, second])
    sy, sx, syy, sxx, sxy = sums.of([0, 1], [(0, 0), (1, 1), (0, 1)])
    return sums.full(_correlation(*_central(window, sy, sx, syy, sxx, sxy)))


def rolling_ols(y: ArrayLike, x: ArrayLike, window: int) -> tuple[Floats, Floats]:
    """Slope and intercept of the least-squares line of each window.

    Parameters
    ----------
    y, x : array_like, shape (n,)
    window : int
        At least 3, at most n.

    Returns
    -------
    slope, intercept : ndarray, shape (n,)
        Units of y over units of x, and units of y.

    Raises
    ------
    SeriesError
        As :func:`rolling_pair`.

    Notes
    -----
    ``statsmodels.regression.rolling.RollingOLS(y, add_constant(x), window)`` gives the same figures.
    """
    first, second = _two(y, x, window)
    sums = _Sums(len(first), window, [first, second])
    sy, sx, sxx, sxy = sums.of([0, 1], [(1, 1), (0, 1)])
    slope = _over(sxy - sy * sx / window, np.maximum(sxx - sx * sx / window, 0))
    intercept = sums.border(0) + sy / window - slope * (sums.border(1) + sx / window)
    return sums.full(slope), sums.full(intercept)


def rolling_pair(y: ArrayLike, x: ArrayLike, window: int) -> RollingPair:
    """Correlation, hedge ratio, spread and z-score of each window.

    Parameters
    ----------
    y, x : array_like, shape (n,)
        Prices or their logarithms.
    window : int
        At least 3, at most n.

    Raises
    ------
    SeriesError
        ``too_few``, ``not_finite``, ``too_large``, ``unequal``.
    """
    first, second = _two(y, x, window)
    sums = _Sums(len(first), window, [first, second])
    sy, sx, syy, sxx, sxy = sums.of([0, 1], [(0, 0), (1, 1), (0, 1)])
    cyy, cxx, cxy = _central(window, sy, sx, syy, sxx, sxy)
    correlation = _correlation(cyy, cxx, cxy)
    slope = _over(cxy, cxx)
    # The newest point and the means are measured from the border, as the sums are.
    spread = (sums.newest(0) - sy / window) - slope * (sums.newest(1) - sx / window)
    with np.errstate(invalid="ignore"):
        collinear = correlation * correlation >= COLLINEAR_R_SQUARED
    deviation = np.sqrt(np.maximum(cyy - slope * cxy, 0) / (window - 1))
    intercept = sums.border(0) + sy / window - slope * (sums.border(1) + sx / window)
    return RollingPair(
        window=window,
        correlation=sums.full(correlation),
        hedge_ratio=sums.full(slope),
        intercept=sums.full(intercept),
        spread=sums.full(spread),
        zscore=sums.full(_over(spread, np.where(collinear, 0, deviation))),
    )


class _Sums:
    """Sums over every whole window of series and of their products, each measured from its window's border."""

    def __init__(self, n: int, window: int, series: list[Floats]) -> None:
        self._n, self._window = n, window
        count = -(-n // window)
        padded = np.empty((len(series), count * window))
        for row, values in zip(padded, series, strict=True):
            row[:n] = values
            row[n:] = values[-1]
        self._blocks = padded.reshape(len(series), count, window)
        borders = self._blocks[:, :, :1]
        self._after = self._blocks - borders
        self._before = self._blocks[:, :-1] - borders[:, 1:]

    def of(self, singles: list[int], products: list[tuple[int, int]]) -> Floats:
        """The sums, shape (len(singles) + len(products), number of whole windows)."""
        heads = _prefix(_stack(self._after, singles, products))
        tails = _prefix(_stack(self._before, singles, products)[:, :, ::-1])[:, :, ::-1]
        heads[:, 1:, :-1] += tails[:, :, 1:]
        return self._whole(heads)

    def border(self, series: int) -> Floats:
        """The value that each window's sums are measured from."""
        return self._whole(np.broadcast_to(self._blocks[series, :, :1], self._blocks[series].shape))

    def newest(self, series: int) -> Floats:
        """Each window's last point, measured from its border."""
        return self._whole(self._after[series])

    def full(self, values: Floats) -> Floats:
        """NaN before the first whole window."""
        return np.concatenate([np.full(self._window - 1, np.nan), values])

    def _whole(self, blocks: Floats) -> Floats:
        flat = blocks.reshape(*blocks.shape[:-2], -1)
        whole: Floats = flat[..., self._window - 1 : self._n]
        return whole


def _stack(blocks: Floats, singles: list[int], products: list[tuple[int, int]]) -> Floats:
    stacked = np.empty((len(singles) + len(products), *blocks.shape[1:]))
    for place, series in enumerate(singles):
        stacked[place] = blocks[series]
    for place, (a, b) in enumerate(products, len(singles)):
        np.multiply(blocks[a], blocks[b], out=stacked[place])
    return stacked


def _prefix(blocks: Floats) -> Floats:
    sums: Floats = np.cumsum(blocks, axis=2)
    return sums


def _two(y: ArrayLike, x: ArrayLike, window: int) -> tuple[Floats, Floats]:
    first, second = checked(y, "y"), checked(x, "x")
    if len(first) != len(second):
        raise SeriesError("y", "unequal", f"has {len(first)} points, x has {len(second)}")
    checked_window(window, len(first))
    return first, second


def _central(
    window: int, sy: Floats, sx: Floats, syy: Floats, sxx: Floats, sxy: Floats
) -> tuple[Floats, Floats, Floats]:
    return np.maximum(syy - sy * sy / window, 0), np.maximum(sxx - sx * sx / window, 0), sxy - sy * sx / window


def _correlation(cyy: Floats, cxx: Floats, cxy: Floats) -> Floats:
    return np.clip(_over(cxy, np.sqrt(cyy) * np.sqrt(cxx)), -1, 1)


def _over(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient; NaN, not infinite, where the denominator is zero."""
    quotient = np.full_like(denominator, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient
