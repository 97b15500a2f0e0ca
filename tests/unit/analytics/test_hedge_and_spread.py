"""Hedge ratios, half-life and z-score in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant.analytics.hedge import kalman, least_squares, refuse_collinear, total_least_squares
from quant.analytics.spread import half_life, half_life_of, zscore
from quant.errors import SeriesError


def test_least_squares_by_hand() -> None:
    # x = 0, 1, 2 and y = 1, 3, 4: sxy = 3, sxx = 2, so the slope is 3/2 and the intercept 8/3 - 3/2.
    line = least_squares([1, 3, 4], [0, 1, 2])
    assert (line.slope, line.intercept, line.n) == (1.5, pytest.approx(8 / 3 - 1.5), 3)


def test_total_least_squares_by_hand() -> None:
    # syy = 14/3, sxx = 2, sxy = 3, d = 8/3: slope = (8/3 + sqrt(64/9 + 36)) / 6.
    line = total_least_squares([1, 3, 4], [0, 1, 2])
    assert line.slope == pytest.approx((8 / 3 + math.sqrt(64 / 9 + 36)) / 6, rel=1e-14)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.1, 10), st.sampled_from([-1, 1]))
def test_total_least_squares_knows_no_order(seed: int, slope: float, sign: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(50)
    y = sign * slope * x + 0.1 * rng.standard_normal(50)
    assert total_least_squares(y, x).slope * total_least_squares(x, y).slope == pytest.approx(1, rel=1e-12)


def test_least_squares_does_depend_on_the_order() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(200)
    y = x + rng.standard_normal(200)
    r_squared = np.corrcoef(y, x)[0, 1] ** 2
    assert least_squares(y, x).slope * least_squares(x, y).slope == pytest.approx(r_squared)


def test_kalman_by_hand() -> None:
    """From zero and certain: the first point moves nothing, the second's gain is R x / (x R x + noise)."""
    found = kalman([2, 4, 6], [1, 2, 3], delta=0.5, noise=1.0)
    assert (found.slope[0], found.intercept[0], found.error[0], found.variance[0]) == (0, 0, 2, 1)
    # R is the drift, 1, of each coefficient: variance = 2·2 + 1 + 1 = 6; error = 4; gains 2/6 and 1/6.
    assert found.variance[1] == pytest.approx(6)
    assert found.error[1] == pytest.approx(4)
    assert found.slope[1] == pytest.approx(8 / 6)
    assert found.intercept[1] == pytest.approx(4 / 6)


def test_kalman_follows_a_ratio_that_moves_and_uses_no_later_point() -> None:
    rng = np.random.default_rng(2)
    x = 10 + rng.standard_normal(2_000).cumsum() * 0.05
    ratio = np.where(np.arange(2_000) < 1_000, 1.0, 1.5)
    y = ratio * x + 0.01 * rng.standard_normal(2_000)
    found = kalman(y, x, delta=1e-4, noise=1e-3)
    assert found.slope[-1] * x[-1] + found.intercept[-1] == pytest.approx(y[-1], abs=0.05)
    part = kalman(y[:1_200], x[:1_200], delta=1e-4, noise=1e-3)
    for name in ("slope", "intercept", "error", "variance"):
        assert np.array_equal(getattr(found, name)[:1_200], getattr(part, name))


def test_half_life_of_a_known_process() -> None:
    """Over 20,000 points of decay 0.97 the coefficient is about -0.03, its error about sqrt((1 - 0.97²) / n)."""
    rng = np.random.default_rng(4)
    shocks, values = rng.standard_normal(20_000), np.zeros(20_000)
    for t in range(1, 20_000):
        values[t] = 0.97 * values[t - 1] + shocks[t]
    found = half_life(values)
    assert found.bars is not None
    assert found.coefficient == pytest.approx(-0.03, abs=3 * found.coefficient_error)
    assert found.coefficient_error == pytest.approx(math.sqrt((1 - 0.97**2) / 20_000), rel=0.05)
    assert found.bars == -math.log(2) / found.coefficient
    assert found.bars_error == pytest.approx(math.log(2) / found.coefficient**2 * found.coefficient_error)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.bars < found.high


def test_half_life_equals_a_regression_by_statsmodels() -> None:
    from statsmodels.regression.linear_model import OLS

    values = np.random.default_rng(8).standard_normal(300).cumsum()
    fit = OLS(np.diff(values), np.column_stack([np.ones(299), values[:-1]])).fit()
    found = half_life(values)
    assert found.coefficient == pytest.approx(fit.params[1], rel=1e-10)
    assert found.coefficient_error == pytest.approx(fit.bse[1], rel=1e-10)


@pytest.mark.parametrize("factor", [1.05, -1.05])
def test_what_runs_away_is_not_mean_reverting(factor: float) -> None:
    """To one side, or to either side by turns: then the coefficient is -2.05, and -ln 2 over it looks fine."""
    found = half_life(factor ** np.arange(50))
    assert found.coefficient == pytest.approx(factor - 1)
    assert not found.is_mean_reverting
    assert (found.bars, found.bars_error, found.low, found.high) == (None, None, None, None)
    assert found.verdict == "not mean-reverting"


def test_a_doubtful_half_life_has_no_upper_end() -> None:
    found = half_life_of(-0.01, 0.01, 100)
    assert found.high is None
    assert "not clearly below zero" in found.verdict


def test_zscore_by_hand() -> None:
    assert zscore([1, 2, 3]).tolist() == [-1, 0, 1]


@pytest.mark.parametrize("function", [half_life, zscore])
@pytest.mark.parametrize(
    ("values", "reason"), [([5.0] * 9, "constant"), ([1, 2, float("nan"), 4], "not_finite"), ([1], "too_few")]
)
def test_bad_series_are_named(function: object, values: list[float], reason: str) -> None:
    assert callable(function)
    with pytest.raises(SeriesError) as caught:
        function(values)
    assert caught.value.reason == reason


def test_a_multiple_is_collinear() -> None:
    x = np.random.default_rng(9).standard_normal(100).cumsum()
    with pytest.raises(SeriesError) as caught:
        refuse_collinear(3 * x + 7, x)
    assert caught.value.reason == "collinear"
    refuse_collinear(3 * x + 0.1 * np.random.default_rng(10).standard_normal(100), x)


def test_uncorrelated_series_have_no_best_direction() -> None:
    with pytest.raises(SeriesError):
        total_least_squares([1, -1, 1, -1], [1, 1, -1, -1])
