"""The z-score rule: by hand, with costs, and without looking ahead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant.analytics.backtest import Rule, backtest
from quant.errors import SeriesError

FREE = Rule(entry=2, exit=0.5, stop=None, cost=0)


def test_one_trade_by_hand() -> None:
    """Seen at bar 1, bought at bar 2, seen to be back at bar 3, sold at bar 4.

    y rises from 100 to 104 while one unit is held, x from 50 to 51 while one is sold short: 4 - 1 on 150.
    """
    found = backtest([90, 90, 100, 102, 104, 200], [50, 50, 50, 50.5, 51, 90], [0, -2, -2, 0, 0, 0], [1] * 6, FREE, 4)
    (trade,) = found.trades
    assert (trade.entry, trade.exit, trade.side, trade.ended_by) == (2, 4, 1, "exit")
    assert trade.result == pytest.approx(3 / 150)
    assert found.returns.tolist() == pytest.approx([0, 0, 0, 1.5 / 150, 1.5 / 150, 0])
    assert found.position.tolist() == [0, 0, 1, 1, 0, 0]
    assert found.total_return == pytest.approx(0.02)
    assert found.exposure == pytest.approx(2 / 6)
    assert found.win_share == 1
    mean, std = 0.02 / 6, np.std([0, 0, 0, 0.01, 0.01, 0], ddof=1)
    assert found.sharpe == pytest.approx(mean / std * 2)


def test_costs_by_hand() -> None:
    """A tenth of a percent of 150 in, and of 104 + 51 out."""
    rule = Rule(entry=2, exit=0.5, stop=None, cost=0.001)
    found = backtest([90, 90, 100, 102, 104], [50, 50, 50, 50.5, 51], [0, -2, -2, 0, 0], [1] * 5, rule, 1)
    assert found.costs == pytest.approx(0.001 + 0.001 * 155 / 150)
    assert found.total_return == pytest.approx(0.02 - found.costs)
    assert found.trades[0].result == pytest.approx(found.total_return)


def test_a_short_spread_earns_when_y_falls() -> None:
    found = backtest([100, 100, 98, 98], [50, 50, 50, 50], [2, 0, 0, 0], [1] * 4, FREE, 1)
    assert found.trades[0].side == -1
    assert found.total_return == pytest.approx(2 / 150)


def test_a_stop_ends_it_and_bars_the_way_until_the_score_is_back() -> None:
    scores = [0, -2, -5, -2, -3, -0.4, -2, 0, 0]
    found = backtest(np.full(9, 100.0), np.full(9, 50.0), scores, [1] * 9, Rule(2, 0.5, 4, 0), 1)
    assert [(trade.entry, trade.exit, trade.ended_by) for trade in found.trades] == [(2, 3, "stop"), (7, 8, "exit")]


def test_a_trade_that_is_open_at_the_end_is_marked_to_the_market() -> None:
    found = backtest([100, 100, 101], [50, 50, 50], [-3, -3, -3], [1] * 3, Rule(2, 0.5, None, 0.01), 1)
    (trade,) = found.trades
    assert (trade.exit, trade.ended_by) == (2, "open")
    assert trade.result == pytest.approx(1 / 150 - 0.01)


def test_what_cannot_be_acted_on_is_no_trade() -> None:
    assert backtest([100, 100], [50, 50], [0, -3], [1, 1], FREE, 1).trades == ()
    assert backtest([100, 100], [50, 50], [np.nan, np.nan], [1, 1], FREE, 1).sharpe is None
    assert backtest([100, 100, 100], [50, 50, 50], [-3, 0, 0], [np.nan, 1, 1], FREE, 1).trades == ()


def test_the_drawdown_is_measured_from_the_peak() -> None:
    found = backtest([100, 100, 110, 95, 100], [50] * 5, [-3, -3, -3, -3, 0], [0] * 5, FREE, 1)
    assert found.max_drawdown == pytest.approx(0.15)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-6, 6), min_size=8, max_size=60), st.integers(1, 30), st.integers(0, 1_000))
def test_nothing_that_comes_later_changes_what_was_earned(scores: list[float], cut: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = len(scores)
    y, x = 100 + rng.standard_normal(n), 50 + rng.standard_normal(n)
    short = max(3, n - cut)
    rule = Rule(2, 0.5, 4, 0)
    whole = backtest(y, x, scores, np.ones(n), rule, 1)
    part = backtest(y[:short], x[:short], scores[:short], np.ones(short), rule, 1)
    assert np.array_equal(whole.returns[:short], part.returns)
    assert np.array_equal(whole.position[: short - 1], part.position[:-1])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-6, 6), min_size=8, max_size=60), st.integers(0, 1_000))
def test_it_acts_on_the_next_bar_only(scores: list[float], seed: int) -> None:
    """The score of the last two bars earns nothing: one decides too late, the other is executed at the end."""
    rng = np.random.default_rng(seed)
    n = len(scores)
    y, x = 100 + rng.standard_normal(n), 50 + rng.standard_normal(n)
    rule = Rule(2, 0.5, 4, 0)
    changed = [*scores[:-2], -3.0, 3.0]
    one, other = (backtest(y, x, values, np.ones(n), rule, 1).returns for values in (scores, changed))
    assert np.array_equal(one[:-1], other[:-1])
    assert one.sum() == pytest.approx(other.sum())


@pytest.mark.parametrize("rule", [(2, 2, None, 0), (2, -1, None, 0), (2, 1, 2, 0), (2, 1, None, -1), (2, 1, None, 1)])
def test_a_rule_that_makes_no_sense_is_refused(rule: tuple[float, float, float | None, float]) -> None:
    with pytest.raises(SeriesError):
        Rule(*rule)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(SeriesError):
        backtest([1, 2, 3], [1, 2, 3], [0, 0], [1, 1, 1], FREE, 1)
