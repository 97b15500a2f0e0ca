"""The Engle-Granger test of many pairs at once, in both orders of each pair.

One pair alone costs statsmodels 26 regressions: one for each number of lags that the information criterion compares,
and the chosen one. All of them are functions of one matrix of moments: of the residual's level, of its change, and of
its lagged changes. Three things make that matrix cheap.

* The residual of y on x is a linear form of y and x, so its moments are a quadratic form of theirs: with standardised
  series and their correlation r, ``M(y - r x) = M(y, y) - r (M(y, x) + M(x, y)) + r² M(x, x)``. Both orders of a pair
  share the three terms.
* Moments of lags (a + 1, b + 1) are those of (a, b) but for one row at each end of the sample. So only lag products
  with a = 0 are summed, and all of them, for a block of series against all others, are one matrix product.
* The factor of Cholesky that has the change as its last row holds the residual sums of squares of all numbers of lags:
  each lag takes away the square of its entry.

Sums are made of moments, which costs digits where y and x are nearly collinear, or where a residual's levels and
changes are nearly so: those pairs go the long way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from quant.analytics.dickey_fuller import max_lag, residual_test
from quant.analytics.series import COLLINEAR_R_SQUARED, Floats, Ints, centred

# Series that are multiplied at once, and pairs whose matrices are held at once: what a processor's cache holds.
_ROWS, _PAIRS = 16, 256
# Above this R² too many digits cancel in the quadratic form …
_LONG_WAY_R_SQUARED = 1 - 1e-4
# … and where a regressor has less than this share of its square left when the others are taken away.
_LEAST_LEFT = 1e-6
FEWEST = 30
"""With fewer points the regression of the most lags has hardly more rows than columns, and fits anything."""


@dataclass(frozen=True, slots=True, eq=False)
class PairTests:
    """Results by pair (first, second); column 0 is first on second, column 1 is second on first.

    Attributes
    ----------
    first, second : ndarray of int, shape (p,)
        Rows of the series; first < second.
    statistic : ndarray, shape (p, 2)
        t of the residual's level in the augmented Dickey-Fuller regression without a constant. NaN: not computed, since
        the pair is collinear or the regression's columns depend on each other.
    lag : ndarray of int, shape (p, 2)
        Lags that Akaike's criterion chose; -1 where nothing was computed.
    collinear : ndarray of bool, shape (p,)
        R² is so near 1 that the residual is rounding.
    """

    first: Ints
    second: Ints
    statistic: Floats
    lag: Ints
    collinear: np.ndarray[tuple[int], np.dtype[np.bool_]]


def standardised(series: Floats) -> Floats:
    """Each row less its mean, over its standard deviation (ddof 0).

    Parameters
    ----------
    series : ndarray, shape (s, n)
        No row constant.
    """
    moves = centred(series)
    scaled: Floats = moves / np.sqrt(np.einsum("ij,ij->i", moves, moves) / series.shape[1])[:, None]
    return scaled


def engle_granger_blocks(z: Floats) -> Iterator[PairTests]:
    """Test all pairs of the rows of ``z``, a block of rows against all rows behind it at a time.

    First stage: ordinary least squares of one series on a constant and the other. Second stage: augmented
    Dickey-Fuller regression of the residual without a constant, its lags chosen by Akaike's criterion among 0 …
    max_lag(n) on the sample that all of them share, then fitted anew on the longest sample of the chosen one. The null
    hypothesis: the two are not cointegrated. Statistic and lag are those of ``statsmodels.tsa.stattools.coint``.

    Parameters
    ----------
    z : ndarray, shape (s, n), n ≥ 30
        Standardised rows.

    Yields
    ------
    PairTests
        Together every pair once. One block holds at most 16 · s pairs.

    Notes
    -----
    R. F. Engle, C. W. J. Granger (1987), *Co-Integration and Error Correction*, Econometrica 55, 251-276.
    """
    kernel = _Kernel(z)
    for start in range(0, len(z) - 1, _ROWS):
        yield kernel.block(start, min(start + _ROWS, len(z) - 1))


class _Kernel:
    """Moments of all series. Their order in a matrix: level, change lagged by 1 … m, change."""

    def __init__(self, z: Floats) -> None:
        self._z = np.ascontiguousarray(z)
        series, n = z.shape
        self._m, self._count = max_lag(n), n - 1
        self._change = np.diff(self._z, axis=1)
        self._level = np.ascontiguousarray(self._z[:, self._m : self._count])
        self._own = np.empty((series, self._m + 2, self._m + 2))
        for start in range(0, series, _ROWS):
            rows = np.arange(start, min(start + _ROWS, series))
            products = self._lag_products(rows, start)
            at = np.arange(len(rows))
            levels = np.einsum("ij,ij->i", self._level[rows], self._level[rows])
            self._own[rows] = 0.5 * self._joint(rows, rows, products[at, :, at], 2 * levels)
        self._own_squares = np.einsum("sii->si", self._own)

    def block(self, start: int, stop: int) -> PairTests:
        rows = np.arange(start, stop)
        products = self._lag_products(rows, start)
        levels = 2 * (self._level[rows] @ self._level[start:].T)
        correlations = (self._z[rows] @ self._z[start:].T) / self._z.shape[1]
        here, there = np.nonzero(np.arange(start, len(self._z))[None, :] > rows[:, None])
        first, second = here + start, there + start
        r = np.clip(correlations[here, there], -1, 1)
        collinear = r * r >= COLLINEAR_R_SQUARED
        statistic, lag = np.full((len(r), 2), np.nan), np.full((len(r), 2), -1)
        long_way = (r * r >= _LONG_WAY_R_SQUARED) & ~collinear
        short = np.flatnonzero(~long_way & ~collinear)
        waiting = _Waiting(self._m)
        for begin in range(0, len(short), _PAIRS):
            at = short[begin : begin + _PAIRS]
            i, j = first[at], second[at]
            joint = self._joint(i, j, products[here[at], :, there[at]], levels[here[at], there[at]])
            for order, (y, x) in enumerate(((i, j), (j, i))):
                moments, heads = self._moments(y, x, r[at], joint), self._head(y, x, r[at])
                lag[at, order] = waiting.add(moments, self._own_squares[y], heads, at * 2 + order, self._count)
        waiting.solve(statistic.reshape(-1), self._count)
        long_way |= ~collinear & np.isnan(statistic).any(axis=1)
        for pair in np.flatnonzero(long_way).tolist():
            y, x = self._z[first[pair]], self._z[second[pair]]
            for order, residual in enumerate((_residual(y, x), _residual(x, y))):
                statistic[pair, order], lag[pair, order] = residual_test(residual)
        return PairTests(first, second, statistic, lag, collinear)

    def _lag_products(self, rows: Ints, start: int) -> Floats:
        """``Σ dᵢ[t] dⱼ[t-k] + dᵢ[t-k] dⱼ[t]`` over the common sample, shape (rows, m + 1, series from start on)."""
        m, count = self._m, self._count
        shifted = np.zeros((len(rows), m + 1, count))
        for k in range(m + 1):
            shifted[:, k, m:] = self._change[rows, m - k : count - k]
            shifted[:, k, m - k : count - k] += self._change[rows, m:]
        flat = shifted.reshape(-1, count) @ self._change[start:].T
        products: Floats = flat.reshape(len(rows), m + 1, -1)
        return products

    def _joint(self, i: Ints, j: Ints, products: Floats, levels: Floats) -> Floats:
        """M(i, j) + M(j, i) of pairs; only the lower triangle is filled."""
        m, z, change = self._m, self._z, self._change
        ends = ((z[i, -1], z[j, -1]), (z[i, m], z[j, m]))
        heads = change[i, :m][:, ::-1], change[j, :m][:, ::-1]
        tails = change[i, -m:][:, ::-1], change[j, -m:][:, ::-1]
        matrix = np.zeros((len(i), m + 2, m + 2))
        matrix[:, 0, 0] = levels
        matrix[:, -1, -1] = products[:, 0]
        matrix[:, -1, 1:-1] = products[:, 1:]
        # Σ lᵢdⱼ + lⱼdᵢ + dᵢdⱼ telescopes; lag k + 1 follows from lag k, shifted by one row.
        with_level = ends[0][0] * ends[0][1] - ends[1][0] * ends[1][1] - 0.5 * products[:, 0]
        matrix[:, -1, 0] = with_level
        entering = ends[1][0][:, None] * heads[1] + ends[1][1][:, None] * heads[0]
        leaving = ends[0][0][:, None] * tails[1] + ends[0][1][:, None] * tails[0]
        steps = products[:, :m] + entering - leaving
        matrix[:, 1:-1, 0] = with_level[:, None] + np.cumsum(steps, axis=1)
        left = np.stack([heads[0], heads[1], -tails[0], -tails[1]], axis=2)
        right = np.stack([heads[1], heads[0], tails[1], tails[0]], axis=1)
        edges = left @ right
        inner = matrix[:, 1:-1, 1:-1]
        inner[:, :, 0] = products[:, :m] + edges[:, :, 0]
        for row in range(1, m):
            np.add(inner[:, row - 1, :row], edges[:, row, 1 : row + 1], out=inner[:, row, 1 : row + 1])
        return matrix

    def _moments(self, y: Ints, x: Ints, r: Floats, joint: Floats) -> Floats:
        """Moments of the residual of y on x."""
        weight = r[:, None, None]
        moments = self._own[x] * weight
        moments -= joint
        moments *= weight
        moments += self._own[y]
        return moments

    def _head(self, y: Ints, x: Ints, r: Floats) -> Floats:
        """The residual's first m + 1 points: what a longer sample adds."""
        head: Floats = self._z[y, : self._m + 1] - r[:, None] * self._z[x, : self._m + 1]
        return head


class _Waiting:
    """Pairs whose lag is known, by lag, until all of a block with the same one are fitted together."""

    def __init__(self, m: int) -> None:
        self._m = m
        self._groups: dict[int, list[tuple[Floats, Floats, Ints]]] = {}

    def add(self, moments: Floats, squares: Floats, heads: Floats, places: Ints, count: int) -> Ints:
        """Choose the lags and keep what the fit will need; -1, and nothing is kept, where too few digits are left.

        ``squares`` are the moments' diagonals before x was taken away from y.
        """
        m, sample = self._m, count - self._m
        factors = _factors(moments)
        last = factors[:, -1]
        # Summed from the bottom up: what m lags leave, then what each one fewer leaves.
        left = np.cumsum(last[:, :0:-1] ** 2, axis=1)[:, ::-1]
        lags: Ints = np.argmin(sample * np.log(left) + 2 * np.arange(1, m + 2), axis=1)
        lags[~(np.einsum("pii->pi", factors) ** 2 >= _LEAST_LEFT * squares).all(axis=1)] = -1
        for lag in np.unique(lags[lags >= 0]).tolist():
            at = np.flatnonzero(lags == lag)
            self._groups.setdefault(lag, []).append((_level_last(moments[at], lag), heads[at], places[at]))
        return lags

    def solve(self, statistics: Floats, count: int) -> None:
        for lag, parts in self._groups.items():
            moments, heads, places = (np.concatenate(column) for column in zip(*parts, strict=True))
            moments += _earlier_rows(heads, lag)
            factor = _factors(moments)[:, -1]
            freedom = count - lag - (lag + 1)
            statistics[places] = factor[:, lag] / (factor[:, lag + 1] / np.sqrt(freedom))


def _factors(matrices: Floats) -> Floats:
    """Factors of Cholesky; NaN for a matrix that has none, whatever the others are."""
    try:
        factors: Floats = np.linalg.cholesky(matrices)  # type: ignore[assignment]
        return factors
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.full_like(matrices, np.nan)
        middle = len(matrices) // 2
        return np.concatenate([_factors(matrices[:middle]), _factors(matrices[middle:])])


def _level_last(moments: Floats, lag: int) -> Floats:
    """The matrix of the first ``lag`` lags in the order lags, level, change: then the factor tells the level's t."""
    # The upper triangle is not read, but it is added to: what memory happens to hold there may be no number.
    picked = np.zeros((len(moments), lag + 2, lag + 2))
    picked[:, :lag, :lag] = moments[:, 1 : lag + 1, 1 : lag + 1]
    picked[:, lag, :lag] = moments[:, 1 : lag + 1, 0]
    picked[:, lag, lag] = moments[:, 0, 0]
    picked[:, lag + 1, :lag] = moments[:, -1, 1 : lag + 1]
    picked[:, lag + 1, lag] = moments[:, -1, 0]
    picked[:, lag + 1, lag + 1] = moments[:, -1, -1]
    return picked


def _earlier_rows(heads: Floats, lag: int) -> Floats:
    """Moments of the rows lag … m - 1, which only the shorter regression's sample has."""
    m = heads.shape[1] - 1
    change = np.diff(heads, axis=1)
    rows = np.empty((len(heads), m - lag, lag + 2))
    for k in range(1, lag + 1):
        rows[:, :, k - 1] = change[:, lag - k : m - k]
    rows[:, :, lag] = heads[:, lag:m]
    rows[:, :, lag + 1] = change[:, lag:]
    moments: Floats = rows.transpose(0, 2, 1) @ rows
    return moments


def _residual(y: Floats, x: Floats) -> Floats:
    residual: Floats = y - (float(x @ y) / float(x @ x)) * x
    residual -= residual.mean()
    return residual
