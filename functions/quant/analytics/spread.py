"""What the spread of a pair does: where it stands, and how fast it comes back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quant.analytics.series import Floats, centred, checked, not_constant

NORMAL_95 = 1.959963984540054
MOST_NEGATIVE = -2.0
"""A coefficient at or below it throws a deviation to the other side, as far away or farther."""


@dataclass(frozen=True, slots=True)
class HalfLife:
    """How long a deviation takes to halve.

    Attributes
    ----------
    coefficient, coefficient_error : float
        λ and its standard error, per bar.
    bars, bars_error : float or None
        The half-life and its standard error in bars; None where the series is not mean-reverting.
    low, high : float or None
        95 % interval of ``bars`` out of that of λ; ``high`` is None where it has no upper end.
    is_mean_reverting : bool
        -2 < λ < 0: what is left of a deviation after a bar, 1 + λ of it, is smaller.
    n : int
        Number of changes in the regression.
    verdict : str
        In words.
    """

    coefficient: float
    coefficient_error: float
    bars: float | None
    bars_error: float | None
    low: float | None
    high: float | None
    is_mean_reverting: bool
    n: int
    verdict: str


def half_life(values: ArrayLike) -> HalfLife:
    """The half-life of a series' deviations from its mean.

    Ordinary least squares of ``Δs[t] = a + λ s[t-1] + e``. λ < 0 pulls back, from -2 on too far; between them the
    half-life is ``-ln 2 / λ``, that of the Ornstein-Uhlenbeck process with that speed. Its standard error is
    ``ln 2 / λ² · se(λ)`` (delta method). λ's usual confidence interval is only approximate here, since the regressor is
    nearly a random walk.

    Parameters
    ----------
    values : array_like, shape (n,), n ≥ 4

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked; ``constant``.

    Notes
    -----
    E. P. Chan, *Algorithmic Trading* (2013), chapter 2.
    """
    series = checked(values, "spread", 4)
    not_constant(series, "spread")
    change, level = np.diff(series), centred(series[:-1])
    sxx = float(level @ level)
    if sxx == 0:
        not_constant(series[:-1], "spread")
    slope = float(level @ change) / sxx
    rest = change - change.mean() - slope * level
    error = math.sqrt(float(rest @ rest) / (len(change) - 2) / sxx)
    return half_life_of(slope, error, len(change))


def half_life_of(coefficient: float, error: float, n: int) -> HalfLife:
    """The half-life that belongs to a coefficient and its standard error."""
    if not MOST_NEGATIVE < coefficient < 0:
        return HalfLife(coefficient, error, None, None, None, None, False, n, "not mean-reverting")
    steep, flat = coefficient - NORMAL_95 * error, coefficient + NORMAL_95 * error
    bars = -math.log(2) / coefficient
    doubt = "" if flat < 0 else ", but the coefficient is not clearly below zero"
    return HalfLife(
        coefficient=coefficient,
        coefficient_error=error,
        bars=bars,
        bars_error=math.log(2) / coefficient**2 * error,
        low=-math.log(2) / steep,
        high=-math.log(2) / flat if flat < 0 else None,
        is_mean_reverting=True,
        n=n,
        verdict=f"a deviation halves in about {bars:.1f} bars{doubt}",
    )


def zscore(values: ArrayLike) -> Floats:
    """``(v - mean) / std`` over the whole series, ddof 1.

    Every point is measured by a mean and a deviation that know the later ones too: fit for looking at the newest point,
    not for a backtest. quant.analytics.rolling has the causal one.

    Parameters
    ----------
    values : array_like, shape (n,), n ≥ 2

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked; ``constant``.
    """
    series = checked(values, "spread")
    not_constant(series, "spread")
    moves = centred(series)
    scores: Floats = moves / math.sqrt(float(moves @ moves) / (len(series) - 1))
    return scores
