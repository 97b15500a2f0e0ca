"""The batched test against statsmodels, pair by pair."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests
from statsmodels.tools.sm_exceptions import CollinearityWarning
from statsmodels.tsa.adfvalues import mackinnoncrit, mackinnonp
from statsmodels.tsa.stattools import adfuller, coint

from quant.analytics.dickey_fuller import max_lag, residual_test, statistic_at
from quant.analytics.engle_granger import _factors, engle_granger_blocks, standardised
from quant.analytics.mackinnon import critical_values, p_values
from quant.analytics.multiple_testing import benjamini_hochberg
from quant.analytics.scan import Criteria, Scan, scan
from quant.analytics.spread import half_life, zscore
from quant.errors import SeriesError

Floats = NDArray[np.float64]


def market(series: int, n: int, seed: int = 1) -> Floats:
    """Random walks with a common factor, so that correlations are of all sizes."""
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal(n).cumsum()
    walks: Floats = 500 + rng.uniform(0, 2, (series, 1)) * factor + rng.standard_normal((series, n)).cumsum(axis=1)
    return walks


def tied_pair() -> Floats:
    """y is twice x and a spread that halves within about seven points."""
    rng = np.random.default_rng(8)
    x = market(1, 1_000)[0]
    spread = np.zeros(1_000)
    for t in range(1, 1_000):
        spread[t] = 0.9 * spread[t - 1] + rng.standard_normal()
    return np.array([x, 2 * x + spread])


def reference(y: Floats, x: Floats) -> tuple[float, int]:
    """Statistic of coint, and the lag that it does not tell."""
    residual = OLS(y, np.column_stack([x, np.ones_like(x)])).fit().resid
    lag = adfuller(residual, regression="n", autolag="AIC", result_object=True).lags
    return float(coint(y, x).coint_t), int(lag)


@pytest.mark.parametrize(("series", "n"), [(5, 30), (7, 101), (20, 400)])
def test_every_pair_in_both_orders_equals_statsmodels(series: int, n: int) -> None:
    """Twenty series are more than one block of rows."""
    prices = market(series, n)
    seen = 0
    for tests in engle_granger_blocks(standardised(prices)):
        for pair, (i, j) in enumerate(zip(tests.first.tolist(), tests.second.tolist(), strict=True)):
            if seen % 7 == 0 or series < 10:
                for order, (y, x) in enumerate(((i, j), (j, i))):
                    statistic, lag = reference(prices[y], prices[x])
                    assert tests.lag[pair, order] == lag
                    assert tests.statistic[pair, order] == pytest.approx(statistic, abs=1e-8)
            seen += 1
    assert seen == series * (series - 1) // 2


@pytest.mark.parametrize("noise", [1.0, 0.2, 0.06])
def test_nearly_collinear_pairs_keep_their_digits(noise: float) -> None:
    """Down to where statsmodels gives up, at R² = 1 - 1.5e-6: the long way takes over before moments lose theirs."""
    rng = np.random.default_rng(3)
    x = 500 + rng.standard_normal(500).cumsum()
    prices = np.array([x, 3 * x + noise * rng.standard_normal(500).cumsum() / 5])
    (tests,) = engle_granger_blocks(standardised(prices))
    for order, (y, x) in enumerate(((prices[0], prices[1]), (prices[1], prices[0]))):
        statistic, lag = reference(y, x)
        assert not tests.collinear[0]
        assert tests.lag[0, order] == lag
        assert tests.statistic[0, order] == pytest.approx(statistic, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(18)))
def test_the_order_of_the_symbols_changes_nothing(order: list[int]) -> None:
    """Which block a pair falls into, and which of its two comes first, is no part of its result."""
    prices = market(18, 60)
    plain, mixed = (_by_pair(scan(prices[rows])) for rows in (list(range(18)), order))
    for (y, x), (statistic, lag, life) in mixed.items():
        expected = plain[order[y], order[x]]
        assert lag == expected[1]
        assert (statistic, life) == pytest.approx((expected[0], expected[2]), rel=1e-8, nan_ok=True)


def _by_pair(found: Scan) -> dict[tuple[int, int], tuple[float, int, float]]:
    results = {}
    for pair, (i, j) in enumerate(zip(found.first.tolist(), found.second.tolist(), strict=True)):
        for at, (y, x) in enumerate(((i, j), (j, i))):
            results[y, x] = (found.statistic[pair, at], int(found.lag[pair, at]), found.half_life[pair, at])
    return results


def test_collinear_pairs_are_recognised_where_statsmodels_warns() -> None:
    x = market(1, 300)[0]
    prices = np.array([x, 7 - 2 * x, x + 1e-6 * np.random.default_rng(4).standard_normal(300)])
    (tests,) = engle_granger_blocks(standardised(prices))
    assert tests.collinear.all()
    assert np.isnan(tests.statistic).all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollinearityWarning)
        assert coint(prices[0], prices[2]).coint_t == -np.inf


def test_a_residual_alone_equals_adfuller() -> None:
    residual = np.random.default_rng(6).standard_normal(200).cumsum()
    found = adfuller(residual, regression="n", autolag="AIC", result_object=True)
    statistic, lag = residual_test(residual)
    assert (statistic, lag) == (pytest.approx(found.statistic, abs=1e-9), found.lags)
    fixed = adfuller(residual, maxlag=3, autolag=None, regression="n", result_object=True)
    assert statistic_at(residual, 3) == pytest.approx(fixed.statistic, abs=1e-9)


def test_a_perfectly_predictable_residual_is_not_tested() -> None:
    """Sines obey a two-term recursion, so their lagged changes depend on each other: a statistic would be rounding."""
    t = np.arange(200.0)
    prices = 100 + np.array([np.sin(t / 9), np.cos(t / 9), *market(2, 200) / 100])
    found = scan(prices)
    assert (found.first[0], found.second[0]) == (0, 1)
    assert np.isnan(found.statistic[0]).all()
    assert found.lag[0].tolist() == [-1, -1]
    assert (found.collinear[0], found.tested) == (False, 5)


@pytest.mark.parametrize("noise", [1e-4, 1e-6, 1e-7])
def test_a_nearly_predictable_residual_keeps_its_digits(noise: float) -> None:
    """Sines and a little noise: the moments of their levels and changes are singular but for their last digits."""
    t = np.arange(300.0)
    prices = 100 + np.array([np.sin(t / 40), np.cos(t / 40)])
    prices += noise * np.random.default_rng(1).standard_normal((2, 300))
    found = scan(prices)
    for order, (y, x) in enumerate((prices, prices[::-1])):
        statistic, lag = reference(y, x)
        assert found.lag[0, order] == lag
        assert found.statistic[0, order] == pytest.approx(statistic, abs=1e-8)


def test_a_matrix_without_a_factor_costs_the_others_nothing() -> None:
    good, bad = np.array([[4.0, 0], [2, 2]]), np.array([[1.0, 0], [2, 1]])
    found = _factors(np.array([good, good, bad, good, bad]))
    assert np.isnan(found).all(axis=(1, 2)).tolist() == [False, False, True, False, True]
    assert found[3].tolist() == [[2, 0], [1, 1]]


def test_levels_of_a_billion_cost_no_digits() -> None:
    """The same moves around zero, where statsmodels keeps its digits; multiples of 1/64, so that nothing is rounded."""
    moves = np.round(64 * (market(3, 400) - 500)) / 64
    found, unit = scan(1e9 + moves), scan(1_000 + moves)
    np.testing.assert_allclose(found.hedge_ratio, unit.hedge_ratio, rtol=1e-12)
    np.testing.assert_allclose(found.half_life, unit.half_life, rtol=1e-9)
    for pair, (i, j) in enumerate(zip(found.first.tolist(), found.second.tolist(), strict=True)):
        for order, (y, x) in enumerate(((i, j), (j, i))):
            statistic, lag = reference(moves[y], moves[x])
            assert found.lag[pair, order] == lag
            assert found.statistic[pair, order] == pytest.approx(statistic, abs=1e-8)


@pytest.mark.parametrize(("n", "lags"), [(12, 5), (100, 12), (101, 13), (1_440, 24), (10_000, 38)])
def test_max_lag_is_schwerts(n: int, lags: int) -> None:
    assert max_lag(n) == lags


def test_p_values_are_mackinnons() -> None:
    statistics = np.concatenate([np.linspace(-25, 3, 400), [-18.86, -2.62, 0.92]])
    reference_values = [mackinnonp(value, regression="c", N=2) for value in statistics]
    np.testing.assert_allclose(p_values(statistics), reference_values, rtol=0, atol=1e-15)
    assert np.isnan(p_values(np.array([np.nan]))[0])
    assert list(critical_values(500).values()) == pytest.approx(mackinnoncrit(N=2, regression="c", nobs=499))


def test_benjamini_hochberg_by_hand() -> None:
    # Ranks 1 … 4 of 0.01, 0.02, 0.03, 0.5: steps 0.04, 0.04, 0.04, 0.5.
    assert benjamini_hochberg([0.03, 0.5, 0.01, 0.02]).tolist() == pytest.approx([0.04, 0.5, 0.04, 0.04])
    assert np.isnan(benjamini_hochberg([0.1, np.nan])[1])
    assert benjamini_hochberg([0.1, np.nan])[0] == 0.1
    assert len(benjamini_hochberg([])) == 0


def test_benjamini_hochberg_equals_statsmodels() -> None:
    p = np.random.default_rng(1).uniform(size=500) ** 3
    p[10:20] = p[0]
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1], rtol=0, atol=1e-15)


class TestScan:
    def test_the_card_equals_the_single_functions(self) -> None:
        prices = market(4, 300)
        found = scan(prices)
        for pair, (i, j) in enumerate(zip(found.first.tolist(), found.second.tolist(), strict=True)):
            returns = np.diff(np.log(prices[[i, j]]), axis=1)
            assert found.correlation[pair] == pytest.approx(np.corrcoef(returns)[0, 1], abs=1e-12)
            for order, (y, x) in enumerate(((i, j), (j, i))):
                slope, intercept = np.polyfit(prices[x], prices[y], 1)
                residual = prices[y] - slope * prices[x] - intercept
                life = half_life(residual)
                assert found.hedge_ratio[pair, order] == pytest.approx(slope, rel=1e-8)
                assert found.zscore[pair, order] == pytest.approx(zscore(residual)[-1], abs=1e-8)
                if life.bars is None:
                    assert np.isnan(found.half_life[pair, order])
                else:
                    assert found.half_life[pair, order] == pytest.approx(life.bars, rel=1e-6)
                    assert found.half_life_error[pair, order] == pytest.approx(life.bars_error, rel=1e-6)
                parts = [np.polyfit(prices[x][at], prices[y][at], 1)[0] for at in np.array_split(np.arange(300), 4)]
                assert found.sub_hedge_ratio[pair, order] == pytest.approx(parts, rel=1e-6)
                assert found.drift[pair, order] == pytest.approx(np.std(parts, ddof=1) / abs(slope), rel=1e-6)
        assert found.q_value == pytest.approx(multipletests(found.p_value.max(axis=1), method="fdr_bh")[1])

    def test_admitted_pairs_come_first_then_by_q_value(self) -> None:
        prices = market(6, 1_000)
        prices[:2] = tied_pair()
        found = scan(prices)
        assert found.admitted.sum() >= 1
        best = found.order[0]
        assert (found.first[best], found.second[best]) == (0, 1)
        q = found.q_value[found.order]
        assert (np.diff(q[found.admitted.sum() :]) >= 0).all()

    def test_rows_that_cannot_take_part_are_named(self) -> None:
        prices = market(6, 100)
        prices[1], prices[2, 5], prices[3, 7], prices[4, 0] = 5.0, np.nan, np.inf, -1.0
        found = scan(prices)
        assert {row: error.reason for row, error in found.excluded} == {
            1: "constant", 2: "not_finite", 3: "not_finite", 4: "not_positive",
        }  # fmt: skip
        assert (found.first.tolist(), found.second.tolist()) == ([0], [5])

    def test_collinear_pairs_are_ranked_last_and_count_as_no_test(self) -> None:
        prices = market(4, 200)
        prices[3] = 2 * prices[0]
        found = scan(prices)
        assert found.tested == 5
        last = found.order[-1]
        assert (found.first[last], found.second[last]) == (0, 3)
        assert np.isnan(found.q_value[last])
        assert not found.admitted[last]
        assert np.isnan([found.half_life[last], found.half_life_error[last], found.zscore[last]]).all()
        assert found.hedge_ratio[last].tolist() == pytest.approx([0.5, 2])

    def test_what_grows_by_turns_has_no_half_life(self) -> None:
        prices = market(2, 60)
        prices[0] = 1_000 + (-1.05) ** np.arange(60)
        assert np.isnan(scan(prices).half_life[0, 0])

    def test_incomplete_data_are_not_admitted(self) -> None:
        prices = tied_pair()
        assert scan(prices).admitted.tolist() == [True]
        found = scan(prices, is_complete=[True, False])
        assert found.admitted.tolist() == [False]
        assert found.passes_both_orders.tolist() == [True]

    def test_criteria_are_the_callers(self) -> None:
        prices = tied_pair()
        assert not scan(prices, criteria=Criteria(min_half_life=50)).passes_half_life[0]
        assert not scan(prices, criteria=Criteria(max_drift=0)).passes_stability[0]

    def test_it_stops_between_blocks_when_the_time_is_over(self) -> None:
        prices = market(40, 60)
        answers = iter([True, False])
        found = scan(prices, has_time=lambda: next(answers))
        assert not found.finished
        assert set(found.first.tolist()) == set(range(32))
        assert scan(prices).finished
        assert scan(prices, has_time=lambda: False).tested < 780

    @pytest.mark.parametrize("shape", [(3, 29), (1, 100), (0, 100)])
    def test_too_little_is_named(self, shape: tuple[int, int]) -> None:
        with pytest.raises(SeriesError) as caught:
            scan(market(*shape))
        assert caught.value.reason == "too_few"
