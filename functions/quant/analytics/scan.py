"""All pairs of all symbols: tested, corrected for their number, and each given a card that says what it passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quant.analytics.engle_granger import FEWEST, PairTests, engle_granger_blocks, standardised
from quant.analytics.mackinnon import p_values
from quant.analytics.multiple_testing import benjamini_hochberg
from quant.analytics.series import Bools, Floats, Ints, centred, checked, logarithm, not_constant
from quant.analytics.spread import MOST_NEGATIVE
from quant.errors import SeriesError

NULL_HYPOTHESIS = "the two series are not cointegrated: no fixed combination of them returns to a level"


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a pair must pass to be admitted.

    Attributes
    ----------
    fdr : float
        Share of false discoveries among those that pass the test.
    min_half_life : float
        Bars; faster ones are noise of the price grid.
    max_half_life_share : float
        Of the sample: slower ones return too rarely in it to be believed.
    subwindows : int
        Equal parts of the sample in which the hedge ratio is estimated anew.
    max_drift : float
        Most that those hedge ratios may scatter (their standard deviation over the whole sample's hedge ratio).
    """

    fdr: float = 0.05
    min_half_life: float = 2.0
    max_half_life_share: float = 0.2
    subwindows: int = 4
    max_drift: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """Results by unordered pair. Where a second axis has length 2, column 0 is first on second, column 1 the reverse.

    Attributes
    ----------
    first, second : ndarray of int, shape (p,)
        Rows of the series given.
    statistic, lag, p_value : ndarray, shape (p, 2)
        Engle-Granger test of each order. NaN and -1 where it was not computed.
    pair_p_value : ndarray, shape (p,)
        The larger of the two: the pair is cointegrated only if both orders say so.
    q_value : ndarray, shape (p,)
        ``pair_p_value`` adjusted by Benjamini and Hochberg over all pairs tested.
    hedge_ratio : ndarray, shape (p, 2)
        Least squares; units of the one over units of the other.
    r_squared : ndarray, shape (p,)
    half_life, half_life_error : ndarray, shape (p, 2)
        Bars; NaN where the residual is not mean-reverting, or nothing but rounding.
    drift : ndarray, shape (p, 2)
        Standard deviation (ddof 1) of the hedge ratios of the sub-windows over the whole one's size.
    sub_hedge_ratio : ndarray, shape (p, 2, subwindows)
    zscore : ndarray, shape (p, 2)
        The newest residual over the residuals' standard deviation (ddof 1); NaN where it is nothing but rounding.
    correlation : ndarray, shape (p,)
        Pearson's, of log returns.
    collinear : ndarray of bool, shape (p,)
        The residual is rounding; nothing was tested.
    passes_both_orders, passes_half_life, passes_stability, passes_data, admitted : ndarray of bool, shape (p,)
        The admission card. ``admitted`` is all four.
    order : ndarray of int, shape (p,)
        The ranking: admitted ones first, then by q-value, p-value and statistic.
    excluded : tuple of (int, SeriesError)
        Rows that could not take part.
    n : int
        Points of each series.
    finished : bool
        Whether there was time for every pair.
    criteria : Criteria
    """

    first: Ints
    second: Ints
    statistic: Floats
    lag: Ints
    p_value: Floats
    pair_p_value: Floats
    q_value: Floats
    hedge_ratio: Floats
    r_squared: Floats
    half_life: Floats
    half_life_error: Floats
    drift: Floats
    sub_hedge_ratio: Floats
    zscore: Floats
    correlation: Floats
    collinear: Bools
    passes_both_orders: Bools
    passes_half_life: Bools
    passes_stability: Bools
    passes_data: Bools
    admitted: Bools
    order: Ints
    excluded: tuple[tuple[int, SeriesError], ...]
    n: int
    finished: bool
    criteria: Criteria

    @property
    def tested(self) -> int:
        """Pairs with a p-value."""
        return int((~np.isnan(self.pair_p_value)).sum())


def scan(
    prices: ArrayLike,
    *,
    is_complete: ArrayLike | None = None,
    criteria: Criteria | None = None,
    has_time: Callable[[], bool] = lambda: True,
) -> Scan:
    """Test every pair of rows for cointegration and fill in its card.

    The null hypothesis of each test: the two series are not cointegrated.

    Parameters
    ----------
    prices : array_like, shape (s, n)
        Aligned prices, n ≥ 30. A row that is constant, not finite or not positive is excluded with its reason.
    is_complete : array_like of bool, shape (s,), optional
        Whether a row's data are complete; all are when left out.
    criteria : Criteria, optional
    has_time : callable
        Asked before each block of pairs. Where it says no, the scan ends with what it has.

    Raises
    ------
    SeriesError
        ``too_few`` points or fewer than two rows that can take part.

    Notes
    -----
    Largest difference to ``statsmodels.tsa.stattools.coint``: see tests/real_data and docs/decisions.
    """
    criteria = criteria or Criteria()
    matrix = np.ascontiguousarray(prices, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] < max(FEWEST, 4 * criteria.subwindows):
        raise SeriesError(
            "prices", "too_few", f"must have at least {max(FEWEST, 4 * criteria.subwindows)} points a row"
        )
    usable, excluded = _usable(matrix)
    if len(usable) < 2:
        raise SeriesError("prices", "too_few", "must have at least two rows that vary and are positive numbers")
    chosen = matrix[usable]
    facts = _Facts(chosen, criteria)
    parts = []
    finished = True
    for tests in engle_granger_blocks(facts.z):
        parts.append(tests)
        if not has_time():
            finished = parts[-1].first[-1] == len(usable) - 2
            break
    complete = np.ones(len(matrix), dtype=np.bool_) if is_complete is None else np.asarray(is_complete, dtype=np.bool_)
    return _carded(facts, _joined(parts), usable, excluded, complete[usable], criteria, finished)


def _usable(matrix: Floats) -> tuple[Ints, tuple[tuple[int, SeriesError], ...]]:
    usable, excluded = [], []
    for row, series in enumerate(matrix):
        try:
            logarithm(checked(series, f"row {row}"), f"row {row}")
            not_constant(series, f"row {row}")
        except SeriesError as exc:
            excluded.append((row, exc))
        else:
            usable.append(row)
    return np.array(usable, dtype=np.int64), tuple(excluded)


class _Facts:
    """What the cards need of the series beside the tests: products of all with all."""

    def __init__(self, prices: Floats, criteria: Criteria) -> None:
        n = prices.shape[1]
        self.z = z = standardised(prices)
        self.n, self.deviation = n, centred(prices).std(axis=1)
        change = np.diff(z, axis=1)
        self.levels = (z @ z.T) / n
        self.changes = change @ change.T
        returns = standardised_returns(prices)
        self.returns = np.clip(returns @ returns.T, -1, 1)
        self.parts = np.array([_central_products(part) for part in np.array_split(z, criteria.subwindows, axis=1)])


def standardised_returns(prices: Floats) -> Floats:
    """Log returns of each row less their mean, of length one: products are correlations; zero where constant."""
    returns = np.diff(np.log(prices), axis=1)
    returns -= returns.mean(axis=1, keepdims=True)
    length = np.sqrt(np.einsum("ij,ij->i", returns, returns))[:, None]
    unit: Floats = np.divide(returns, length, out=np.zeros_like(returns), where=length > 0)
    return unit


def _central_products(part: Floats) -> Floats:
    moves = centred(part)
    products: Floats = moves @ moves.T
    return products


def _joined(parts: list[PairTests]) -> PairTests:
    columns = ("first", "second", "statistic", "lag", "collinear")
    return PairTests(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def _carded(
    facts: _Facts,
    tests: PairTests,
    usable: Ints,
    excluded: tuple[tuple[int, SeriesError], ...],
    complete: Bools,
    criteria: Criteria,
    finished: bool,
) -> Scan:
    i, j = tests.first, tests.second
    p_value = p_values(tests.statistic)
    # NaN, where either order could not be computed, wins.
    pair_p_value = np.maximum(p_value[:, 0], p_value[:, 1])
    q_value = benjamini_hochberg(pair_p_value)
    r = np.clip(facts.levels[i, j], -1, 1)
    of_residual = np.where(tests.collinear, np.nan, 1.0)[:, None]
    life, life_error = (
        np.stack(column, axis=1) * of_residual for column in zip(*_half_lives(facts, i, j, r), strict=True)
    )
    relative = np.stack([_part_slopes(facts, i, j), _part_slopes(facts, j, i)], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        drift = relative.std(axis=2, ddof=1) / np.abs(r)[:, None]
        keeps_sign = (np.sign(relative) == np.sign(r)[:, None, None]).all(axis=(1, 2))
        units = np.stack([facts.deviation[i] / facts.deviation[j], facts.deviation[j] / facts.deviation[i]], axis=1)
        both = q_value <= criteria.fdr
        lives = ((life >= criteria.min_half_life) & (life <= criteria.max_half_life_share * facts.n)).all(axis=1)
        stable = keeps_sign & (drift <= criteria.max_drift).all(axis=1)
    data = complete[i] & complete[j]
    admitted = both & lives & stable & data
    return Scan(
        first=usable[i],
        second=usable[j],
        statistic=tests.statistic,
        lag=tests.lag,
        p_value=p_value,
        pair_p_value=pair_p_value,
        q_value=q_value,
        hedge_ratio=r[:, None] * units,
        r_squared=r * r,
        half_life=life,
        half_life_error=life_error,
        drift=drift,
        sub_hedge_ratio=relative * units[:, :, None],
        zscore=_newest(facts, i, j, r) * of_residual,
        correlation=facts.returns[i, j],
        collinear=tests.collinear,
        passes_both_orders=both,
        passes_half_life=lives,
        passes_stability=stable,
        passes_data=data,
        admitted=admitted,
        order=np.lexsort((tests.statistic.max(axis=1), pair_p_value, q_value, ~admitted)),
        excluded=excluded,
        n=facts.n,
        finished=bool(finished),
        criteria=criteria,
    )


def _half_lives(facts: _Facts, i: Ints, j: Ints, r: Floats) -> list[tuple[Floats, Floats]]:
    """Half-life and its standard error of both residuals, as quant.analytics.spread.half_life computes them.

    Sums over the residual e follow from those over the series: Σe = 0, Σe² = n (1 - r²), and the sum of each level
    times the next change telescopes.
    """
    count = facts.n - 1
    results = []
    for y, x in ((i, j), (j, i)):
        begin, end = facts.z[y, 0] - r * facts.z[x, 0], facts.z[y, -1] - r * facts.z[x, -1]
        squares = facts.n * (facts.levels[y, y] - 2 * r * facts.levels[y, x] + r * r * facts.levels[x, x])
        changes = facts.changes[y, y] - 2 * r * facts.changes[y, x] + r * r * facts.changes[x, x]
        mean_level, mean_change = -end / count, (end - begin) / count
        cross = (end * end - begin * begin - changes) / 2 - count * mean_level * mean_change
        spread = squares - end * end - count * mean_level**2
        with np.errstate(divide="ignore", invalid="ignore"):
            coefficient = cross / spread
            rest = np.maximum(changes - count * mean_change**2 - coefficient * cross, 0)
            error = np.sqrt(rest / (count - 2) / spread)
            reverts = (coefficient < 0) & (coefficient > MOST_NEGATIVE)
            life = np.where(reverts, -np.log(2) / coefficient, np.nan)
            results.append((life, np.log(2) / coefficient**2 * error + 0 * life))
    return results


def _part_slopes(facts: _Facts, y: Ints, x: Ints) -> Floats:
    """Slopes of y on x in each sub-window, shape (p, subwindows), in units of the standardised series."""
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes: Floats = (facts.parts[:, y, x] / facts.parts[:, x, x]).T
    return slopes


def _newest(facts: _Facts, i: Ints, j: Ints, r: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.sqrt(np.maximum(1 - r * r, 0) * facts.n / (facts.n - 1))
        first = (facts.z[i, -1] - r * facts.z[j, -1]) / deviation
        second = (facts.z[j, -1] - r * facts.z[i, -1]) / deviation
    return np.where(np.isfinite(first), np.stack([first, second]), np.nan).T
