"""What the z-score rule would have earned. It acts one bar after it decides, and pays for every trade."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quant.analytics.series import Floats, Ints, checked
from quant.errors import SeriesError

CONVENTION = (
    "decided at a bar's close by figures of that and earlier bars, executed at the next bar's close; the hedge ratio "
    "is held from entry to exit; returns are on the gross value of both legs at entry and are added, not compounded"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Enter against a z-score beyond ``entry``, leave when it is back within ``exit``, give up beyond ``stop``.

    Attributes
    ----------
    entry, exit : float
        In standard deviations; 0 ≤ exit < entry.
    stop : float or None
        Above ``entry``; after a stop nothing is entered until the z-score has been back within ``exit``.
    cost : float
        Share of the value traded that each execution of a leg costs: fee, half the spread and slippage together.
    """

    entry: float = 2.0
    exit: float = 0.5
    stop: float | None = 4.0
    cost: float = 0.001

    def __post_init__(self) -> None:
        if not 0 <= self.exit < self.entry:
            raise SeriesError("entry", "failed", "must be above exit, and exit not below zero")
        if self.stop is not None and self.stop <= self.entry:
            raise SeriesError("stop", "failed", "must be above entry")
        if not 0 <= self.cost < 1:
            raise SeriesError("cost", "failed", "must be a share from 0 to 1")


@dataclass(frozen=True, slots=True)
class Trade:
    """One round trip. ``entry`` and ``exit`` are the bars of execution; ``exit`` is the last bar where it is still
    open.

    ``side`` is 1 for long y and short x, -1 for the reverse. ``result`` is after costs, as a share of the gross value
    at entry. ``ended_by`` is ``exit``, ``stop`` or ``open``.
    """

    entry: int
    exit: int
    side: int
    hedge_ratio: float
    result: float
    ended_by: str


@dataclass(frozen=True, slots=True, eq=False)
class Backtest:
    """
    Attributes
    ----------
    trades : tuple of Trade
    returns : ndarray, shape (n,)
        Return of each bar after costs.
    position : ndarray of int, shape (n,)
        Side held after each bar's close.
    total_return, costs : float
        Sums, as shares of the gross value.
    sharpe : float or None
        ``mean / std (ddof 1) · sqrt(bars_per_year)`` of all bars' returns; None where nothing was traded.
    max_drawdown : float
        Deepest fall of the summed returns below their peak.
    exposure : float
        Share of bars with a position.
    win_share : float or None
        Of the trades.
    bars_per_year : float
        The annualisation factor.
    n : int
    """

    trades: tuple[Trade, ...]
    returns: Floats
    position: Ints
    total_return: float
    costs: float
    sharpe: float | None
    max_drawdown: float
    exposure: float
    win_share: float | None
    bars_per_year: float
    n: int


def backtest(
    y: ArrayLike, x: ArrayLike, zscore: ArrayLike, hedge_ratio: ArrayLike, rule: Rule, bars_per_year: float
) -> Backtest:
    """Run the rule over the past.

    A position of side s holds s units of y and -s · h units of x, h being the hedge ratio of the bar that decided. With
    gross value ``G = y + |h| x`` at the entry's execution, a bar's return is ``s (Δy - h Δx) / G``, and an execution
    costs ``cost · (y + |h| x) / G``.

    Parameters
    ----------
    y, x : array_like, shape (n,)
        Prices.
    zscore, hedge_ratio : array_like, shape (n,)
        Both must be causal: value t known at the close of bar t. NaN decides nothing.
    rule : Rule
    bars_per_year : float

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked, and ``unequal`` lengths.
    """
    prices_y, prices_x = checked(y, "y"), checked(x, "x")
    scores, ratios = np.asarray(zscore, dtype=np.float64), np.asarray(hedge_ratio, dtype=np.float64)
    n = len(prices_y)
    if not n == len(prices_x) == len(scores) == len(ratios):
        raise SeriesError("y", "unequal", "x, zscore and hedge_ratio must have the same length")
    returns, position = np.zeros(n), np.zeros(n, dtype=np.int64)
    trades: list[Trade] = []
    costs = 0.0
    for entry, decided_exit, side, ratio, ended_by in _decisions(scores, ratios, rule):
        # Decided at the close of one bar, executed at the close of the next, if there is one.
        begin = entry + 1
        if begin >= n:
            break
        end = min(decided_exit + 1, n - 1)
        is_open = decided_exit + 1 > n - 1
        value = prices_y[begin : end + 1] + abs(ratio) * prices_x[begin : end + 1]
        moves = side * (np.diff(prices_y[begin : end + 1]) - ratio * np.diff(prices_x[begin : end + 1])) / value[0]
        paid = [rule.cost, 0.0 if is_open else rule.cost * float(value[-1] / value[0])]
        returns[begin + 1 : end + 1] += moves
        returns[begin] -= paid[0]
        returns[end] -= paid[1]
        position[begin : end + is_open] = side
        costs += sum(paid)
        result = float(moves.sum()) - sum(paid)
        trades.append(Trade(begin, end, side, ratio, result, "open" if is_open else ended_by))
    return _summed(tuple(trades), returns, position, costs, bars_per_year)


def _decisions(scores: Floats, ratios: Floats, rule: Rule) -> list[tuple[int, int, int, float, str]]:
    """(bar of entry, bar of exit, side, hedge ratio, why it ended) as decided; an exit of n is none."""
    stop = math.inf if rule.stop is None else rule.stop
    found: list[tuple[int, int, int, float, str]] = []
    side, entered, barred = 0, 0, False
    for at, (score, ratio) in enumerate(zip(scores.tolist(), ratios.tolist(), strict=True)):
        if math.isnan(score):
            continue
        if side and (-side * score <= rule.exit or -side * score >= stop):
            barred = -side * score >= stop
            found.append((entered, at, side, ratios[entered].item(), "stop" if barred else "exit"))
            side = 0
        elif not side:
            barred = barred and abs(score) > rule.exit
            if not barred and rule.entry <= abs(score) < stop and not math.isnan(ratio):
                side, entered = (-1 if score > 0 else 1), at
    if side:
        found.append((entered, len(scores), side, ratios[entered].item(), "open"))
    return found


def _summed(trades: tuple[Trade, ...], returns: Floats, position: Ints, costs: float, bars_per_year: float) -> Backtest:
    equity = np.concatenate([[0.0], np.cumsum(returns)])
    deviation = float(returns.std(ddof=1))
    return Backtest(
        trades=trades,
        returns=returns,
        position=position,
        total_return=float(equity[-1]),
        costs=costs,
        sharpe=float(returns.mean()) / deviation * math.sqrt(bars_per_year) if deviation > 0 else None,
        max_drawdown=float((np.maximum.accumulate(equity) - equity).max()),
        exposure=float((position != 0).mean()),
        win_share=sum(trade.result > 0 for trade in trades) / len(trades) if trades else None,
        bars_per_year=bars_per_year,
        n=len(returns),
    )
