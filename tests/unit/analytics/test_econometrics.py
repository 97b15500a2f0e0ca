"""What wraps statsmodels gives its figures, and names what it would hide."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.robust.norms import HuberT
from statsmodels.robust.robust_linear_model import RLM
from statsmodels.tsa.stattools import adfuller, coint
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from quant.analytics import econometrics as tests
from quant.analytics.pair import Question, analyse_pair
from quant.errors import SeriesError

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def pair() -> tuple[Floats, Floats]:
    rng = np.random.default_rng(12)
    x = 100 + rng.standard_normal(400).cumsum()
    noise = np.zeros(400)
    for t in range(1, 400):
        noise[t] = 0.9 * noise[t - 1] + rng.standard_normal()
    return 30 + 1.7 * x + noise, x


def test_ols_is_statsmodels(pair: tuple[Floats, Floats]) -> None:
    y, x = pair
    fit, found = OLS(y, np.column_stack([np.ones(400), x])).fit(), tests.ols(y, x)
    assert (found.intercept, found.slope) == pytest.approx(tuple(fit.params))
    assert (found.intercept_error, found.slope_error) == pytest.approx(tuple(fit.bse))
    assert found.r_squared == pytest.approx(fit.rsquared)


LEVELS = [(100.0, 100.0, 1.0), (1e5, 1e-6, 1e-9), (1e9, 1e9, 1.0), (1.0, 1.0, 1e-9)]


@pytest.mark.parametrize(("level_y", "level_x", "unit_x"), LEVELS)
def test_the_level_and_the_unit_of_prices_change_nothing(
    pair: tuple[Floats, Floats], level_y: float, level_x: float, unit_x: float
) -> None:
    """Beside a level of 1e9 raw columns lose all digits of what moves: ``coint`` itself is off by several units there.

    Expected is what the same moves give around zero, where statsmodels is at its best. Moves are whole multiples of
    1/64, so that adding a level rounds nothing but in the cases of a small unit.
    """
    dy, dx = (np.round((series - series.mean()) * 64) / 64 for series in pair)
    unit_y = unit_x if level_y == 1 else 1.0
    y, x = level_y + unit_y * dy, level_x + unit_x * dx
    reference = OLS(dy, np.column_stack([np.ones(400), dx])).fit()
    found = tests.ols(y, x)
    assert found.slope * unit_x / unit_y == pytest.approx(reference.params[1], rel=1e-6)
    assert found.slope_error * unit_x / unit_y == pytest.approx(reference.bse[1], rel=1e-6)
    assert found.r_squared == pytest.approx(reference.rsquared, rel=1e-6)
    assert found.intercept == pytest.approx(level_y + unit_y * y_mean(reference) - found.slope * level_x, rel=1e-9)
    for ours, theirs in ((tests.engle_granger(y, x), coint(dy, dx)), (tests.engle_granger(x, y), coint(dx, dy))):
        assert (ours.statistic, ours.p_value) == pytest.approx((theirs.coint_t, theirs.pvalue), rel=1e-6)
    assert tests.adf(y).statistic == pytest.approx(adfuller(dy, result_object=True).statistic, rel=1e-6)
    assert tests.huber(y, x).slope * unit_x / unit_y == pytest.approx(tests.huber(dy, dx).slope, rel=1e-6)
    assert tests.johansen(y, x).trace == pytest.approx(tests.johansen(dy, dx).trace, rel=1e-6)
    assert tests.pearson(y, x).coefficient == pytest.approx(np.corrcoef(dy, dx)[0, 1], rel=1e-9)


def y_mean(reference: object) -> float:
    """What the line around zero says of y where x is zero."""
    return float(reference.params[0])  # type: ignore[attr-defined]


def test_huber_is_rlm_and_does_not_follow_an_outlier(pair: tuple[Floats, Floats]) -> None:
    y, x = pair
    fit, found = RLM(y, np.column_stack([np.ones(400), x]), M=HuberT()).fit(maxiter=200), tests.huber(y, x)
    assert (found.intercept, found.slope) == pytest.approx(tuple(fit.params), rel=1e-5)
    spiked = y.copy()
    spiked[200] += 1e6
    assert tests.huber(spiked, x).slope == pytest.approx(found.slope, rel=0.02)
    assert tests.ols(spiked, x).slope != pytest.approx(found.slope, rel=0.5)


def test_adf_is_statsmodels(pair: tuple[Floats, Floats]) -> None:
    y, x = pair
    reference, found = adfuller(y - 1.7 * x, result_object=True), tests.adf(y - 1.7 * x)
    assert (found.statistic, found.p_value) == pytest.approx((reference.statistic, reference.pvalue))
    assert (found.lag, found.n) == (reference.lags, reference.nobs)
    assert found.verdict.startswith("the spread returns to a level at the 5 % level")


def test_engle_granger_is_coint_in_both_orders(pair: tuple[Floats, Floats]) -> None:
    for y, x in (pair, pair[::-1]):
        reference, found = coint(y, x), tests.engle_granger(y, x)
        assert (found.statistic, found.p_value) == pytest.approx((reference.coint_t, reference.pvalue))
        assert list(found.critical_values.values()) == pytest.approx(list(reference.critical_values))
    assert tests.engle_granger(*pair).statistic != tests.engle_granger(*pair[::-1]).statistic


def test_johansen_is_statsmodels_and_its_rank_is_read_off_the_trace(pair: tuple[Floats, Floats]) -> None:
    reference, found = coint_johansen(np.column_stack(pair), 0, 1), tests.johansen(*pair)
    assert found.trace == pytest.approx(tuple(reference.trace_stat))
    assert found.eigenvalue == pytest.approx(tuple(reference.max_eig_stat))
    assert found.rank == 1
    assert found.hedge_ratio == pytest.approx(1.7, rel=0.05)


def test_correlations_are_those_of_scipy(pair: tuple[Floats, Floats]) -> None:
    y, x = (np.round(np.diff(series), 1) for series in pair)
    for found, reference in (
        (tests.pearson(y, x), stats.pearsonr(y, x)),
        (tests.spearman(y, x), stats.spearmanr(y, x)),
    ):
        assert found.coefficient == pytest.approx(reference.statistic)
        assert found.p_value == pytest.approx(reference.pvalue, rel=1e-9)
    interval = stats.pearsonr(y, x).confidence_interval()
    assert (tests.pearson(y, x).low, tests.pearson(y, x).high) == pytest.approx(tuple(interval))


@pytest.mark.parametrize("function", [tests.engle_granger, tests.johansen])
def test_a_collinear_pair_is_named(function: object, pair: tuple[Floats, Floats]) -> None:
    assert callable(function)
    with pytest.raises(SeriesError) as caught:
        function(2 * pair[1] + 3, pair[1])
    assert caught.value.reason == "collinear"


def test_a_sine_has_no_dickey_fuller_statistic() -> None:
    """It obeys a recursion of two terms exactly, so its regressors depend on each other."""
    with pytest.raises(SeriesError) as caught:
        tests.adf(np.sin(np.arange(300.0) / 7))
    assert caught.value.reason == "failed"


@pytest.mark.parametrize(
    ("p_value", "words"),
    [
        (0.0, "some evidence at the 5 % level (p < 0.0001)"),
        (0.0001, "some evidence at the 5 % level (p = 0.0001)"),
        (0.049996, "some evidence at the 5 % level (p = 0.0500)"),
        (0.05, "some evidence at the 5 % level (p = 0.0500)"),
        (0.05003, "no evidence at the 5 % level (p = 0.05003)"),
        (0.0500000001, "no evidence at the 5 % level (p = 0.0500000001)"),
        (1.0, "no evidence at the 5 % level (p = 1.0000)"),
    ],
)
def test_a_verdict_shows_on_which_side_of_the_level_it_is(p_value: float, words: str) -> None:
    assert tests._verdict(p_value, "some evidence", "no evidence") == words


def test_a_window_of_all_bars_has_no_rolling_correlation(pair: tuple[Floats, Floats]) -> None:
    """Of 400 bars there are 399 returns: a correlation of those would not be of the window that was asked for."""
    found, shorter = (analyse_pair(*pair, Question(window, 365.0)).columns for window in (400, 399))
    assert np.isnan(found.rolling_correlation).all()
    assert not np.isnan(found.rolling_hedge_ratio[-1])
    assert np.isnan(shorter.rolling_correlation).sum() == 399


def test_the_analysis_of_a_pair_holds_all_of_it(pair: tuple[Floats, Floats]) -> None:
    found = analyse_pair(*pair, Question(60, 365.0))
    assert found.n == 400
    parts = (found.pearson, found.ols, found.tls, found.huber, found.kalman, found.spread, found.adf, found.johansen)
    assert not any(isinstance(part, SeriesError) for part in (*parts, found.half_life, found.backtest))
    assert not isinstance(found.engle_granger, SeriesError)
    assert found.engle_granger.agree


def test_no_rolling_column_of_an_analysis_uses_a_later_point(pair: tuple[Floats, Floats]) -> None:
    y, x = pair
    for method in ("ols", "kalman"):
        question = Question(40, 365.0, method=method, with_johansen=False)  # type: ignore[arg-type]
        whole, part = analyse_pair(y, x, question), analyse_pair(y[:300], x[:300], question)
        for name in ("rolling_correlation", "rolling_hedge_ratio", "rolling_spread", "rolling_zscore"):
            assert np.array_equal(getattr(whole.columns, name)[:300], getattr(part.columns, name), equal_nan=True), name
        assert not isinstance(whole.backtest, SeriesError)
        assert not isinstance(part.backtest, SeriesError)
        assert np.array_equal(whole.backtest.returns[:299], part.backtest.returns[:299])


@pytest.mark.parametrize(
    ("y", "reason"),
    [
        (np.full(50, 3.0), "constant"),
        (np.append(np.arange(1.0, 50), np.nan), "not_finite"),
        (np.append(np.arange(1.0, 50), np.inf), "not_finite"),
        (np.arange(50.0) - 5, "not_positive"),
        (np.arange(1.0, 20), "too_few"),
    ],
)
def test_a_pair_that_cannot_be_analysed_is_named(y: Floats, reason: str) -> None:
    with pytest.raises(SeriesError) as caught:
        analyse_pair(y, 100 + np.random.default_rng(1).standard_normal(len(y)), Question(10, 365.0))
    assert caught.value.reason == reason
