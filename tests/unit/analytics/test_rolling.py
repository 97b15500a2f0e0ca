"""Rolling statistics: exact, causal, and without a memory of what has left the window."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from quant.analytics.rolling import (
    rolling_correlation,
    rolling_mean_std,
    rolling_ols,
    rolling_pair,
    rolling_zscore,
)
from quant.analytics.series import COLLINEAR_R_SQUARED
from quant.errors import SeriesError

Floats = NDArray[np.float64]
SPIKE = 1e9


def walks(n: int, seed: int = 3) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    x = 60_000 + rng.standard_normal(n).cumsum()
    return 1.5 * x + 5 * rng.standard_normal(n), x


def exact_moments(y: Floats, x: Floats) -> tuple[Fraction, Fraction, Fraction, Fraction, Fraction]:
    """Means and central sums of one window in rational arithmetic: no rounding at all."""
    ys, xs = [Fraction(value) for value in y.tolist()], [Fraction(value) for value in x.tolist()]
    my, mx = sum(ys, Fraction(0)) / len(ys), sum(xs, Fraction(0)) / len(xs)
    syy = sum(((value - my) ** 2 for value in ys), Fraction(0))
    sxx = sum(((value - mx) ** 2 for value in xs), Fraction(0))
    sxy = sum(((a - my) * (b - mx) for a, b in zip(ys, xs, strict=True)), Fraction(0))
    return my, mx, syy, sxx, sxy


def test_by_hand() -> None:
    mean, std = rolling_mean_std([1, 2, 3, 5], 3)
    assert mean.tolist()[2:] == pytest.approx([2, 10 / 3], rel=1e-15)
    assert std.tolist()[2:] == pytest.approx([1, (7 / 3) ** 0.5], rel=1e-15)
    assert np.isnan(mean[:2]).all()
    assert rolling_zscore([1, 2, 3, 5], 3)[3] == pytest.approx((5 - 10 / 3) / (7 / 3) ** 0.5, rel=1e-14)
    slope, intercept = rolling_ols([1, 3, 5, 7], [0, 1, 2, 3], 3)
    assert slope.tolist()[2:] == [2, 2]
    assert intercept.tolist()[2:] == [1, 1]


@pytest.mark.parametrize("window", [3, 7, 60])
def test_each_window_against_exact_rational_arithmetic(window: int) -> None:
    y, x = walks(130)
    y[40], x[41] = SPIKE, -SPIKE
    pair = rolling_pair(y, x, window)
    mean, std = rolling_mean_std(y, window)
    for t in range(window - 1, len(y)):
        inside = slice(t - window + 1, t + 1)
        my, mx, syy, sxx, sxy = exact_moments(y[inside], x[inside])
        assert mean[t] == pytest.approx(float(my), rel=1e-14)
        assert std[t] == pytest.approx(float(syy / (window - 1)) ** 0.5, rel=1e-12)
        slope = sxy / sxx
        assert pair.hedge_ratio[t] == pytest.approx(float(slope), rel=1e-9)
        spread = (Fraction(y[t]) - my) - slope * (Fraction(x[t]) - mx)
        scale = float(syy / (window - 1)) ** 0.5
        assert pair.spread[t] == pytest.approx(float(spread), abs=1e-11 * scale)
        correlation = float(sxy) / (float(sxx) ** 0.5 * float(syy) ** 0.5)
        assert pair.correlation[t] == pytest.approx(correlation, abs=1e-12)
        rest = syy - slope * sxy
        is_collinear = sxy * sxy >= Fraction(COLLINEAR_R_SQUARED) * sxx * syy
        assert np.isnan(pair.zscore[t]) == is_collinear
        if not is_collinear:
            assert pair.zscore[t] == pytest.approx(float(spread) / float(rest / (window - 1)) ** 0.5, rel=1e-7)


@pytest.mark.parametrize("window", [5, 20, 37])
def test_a_spike_that_has_left_the_window_leaves_no_trace(window: int) -> None:
    """Bit by bit: pandas#52407 and #54518 cannot happen, since a result is made of its own window's points only."""
    y, x = walks(200)
    spiked = y.copy()
    spiked[90] = SPIKE
    clean, dirty = rolling_pair(y, x, window), rolling_pair(spiked, x, window)
    untouched = np.ones(len(y), dtype=bool)
    untouched[90 : 90 + window] = False
    for name in ("correlation", "hedge_ratio", "intercept", "spread", "zscore"):
        assert np.array_equal(getattr(clean, name)[untouched], getattr(dirty, name)[untouched], equal_nan=True), name
    for ours, theirs in zip(rolling_mean_std(y, window), rolling_mean_std(spiked, window), strict=True):
        assert np.array_equal(ours[untouched], theirs[untouched], equal_nan=True)


series = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=12, max_size=60)


@settings(max_examples=60, deadline=None)
@given(series, series, st.integers(3, 12), st.integers(1, 40))
def test_appending_changes_nothing_before(first: list[float], second: list[float], window: int, cut: int) -> None:
    n = min(len(first), len(second))
    y, x = np.array(first[:n]), np.array(second[:n])
    short = max(window, n - cut)
    whole, part = rolling_pair(y, x, window), rolling_pair(y[:short], x[:short], window)
    for name in ("correlation", "hedge_ratio", "intercept", "spread", "zscore"):
        assert np.array_equal(getattr(whole, name)[:short], getattr(part, name), equal_nan=True), name
    pairs = [
        (rolling_zscore(y, window), rolling_zscore(y[:short], window)),
        (rolling_correlation(y, x, window), rolling_correlation(y[:short], x[:short], window)),
        *zip(rolling_mean_std(y, window), rolling_mean_std(y[:short], window), strict=True),
        *zip(rolling_ols(y, x, window), rolling_ols(y[:short], x[:short], window), strict=True),
    ]
    for all_of_it, some in pairs:
        assert np.array_equal(all_of_it[:short], some, equal_nan=True)


def test_it_equals_rolling_ols_of_statsmodels() -> None:
    from statsmodels.regression.rolling import RollingOLS

    rng = np.random.default_rng(5)
    x = 100 + rng.standard_normal(500).cumsum()
    y = 2 * x + rng.standard_normal(500)
    fit = RollingOLS(y, np.column_stack([np.ones(500), x]), 60).fit(params_only=True)
    slope, intercept = rolling_ols(y, x, 60)
    np.testing.assert_allclose(slope, fit.params[:, 1], rtol=1e-8)
    np.testing.assert_allclose(intercept, fit.params[:, 0], rtol=1e-6, atol=1e-6)


def test_a_constant_window_has_no_score_and_a_collinear_one_no_zscore() -> None:
    x = np.concatenate([np.full(10, 5.0), np.arange(10.0)])
    y = np.concatenate([np.arange(10.0), 2 * np.arange(10.0)])
    pair = rolling_pair(y, x, 5)
    assert np.isnan(pair.hedge_ratio[:10]).all()
    assert np.isnan(pair.correlation[:10]).all()
    assert np.isnan(rolling_zscore(x, 5)[:10]).all()
    assert pair.hedge_ratio[-1] == pytest.approx(2)
    assert np.isnan(pair.zscore[-1])


@pytest.mark.parametrize(
    ("y", "x", "window", "reason"),
    [
        ([1, 2, float("nan")], [1, 2, 3], 3, "not_finite"),
        ([1, 2, float("inf")], [1, 2, 3], 3, "not_finite"),
        ([1, 2, 1e200], [1, 2, 3], 3, "too_large"),
        ([1, 2, 3], [1, 2], 3, "unequal"),
        ([1, 2, 3], [1, 2, 3], 4, "too_few"),
        ([1, 2, 3], [1, 2, 3], 1, "too_few"),
    ],
)
def test_bad_input_is_named(y: list[float], x: list[float], window: int, reason: str) -> None:
    with pytest.raises(SeriesError) as caught:
        rolling_pair(y, x, window)
    assert caught.value.reason == reason
