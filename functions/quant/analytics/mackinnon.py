"""MacKinnon's response surfaces for the Engle-Granger test of two series with a constant, in numpy.

Sources: J. G. MacKinnon (1994), *Approximate Asymptotic Distribution Functions for Unit-Root and Cointegration Tests*,
Journal of Business & Economic Statistics 12, 167-176 (p-values); J. G. MacKinnon (2010), *Critical Values for
Cointegration Tests*, Queen's Economics Department Working Paper 1227, table 2 (critical values).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from quant.analytics.series import Floats

# Outside of these the p-value is 0 or 1; left of the star the first polynomial holds, right of it the second.
_LOWEST, _STAR, _HIGHEST = -18.86, -2.62, 0.92
_LEFT = (2.92, 1.5012, 0.039796)
_RIGHT = (2.1945, 0.64695, -0.29198, -0.042377)
_CRITICAL = {"1%": (-3.89644, -10.9519, -33.527), "5%": (-3.33613, -6.1101, -6.823), "10%": (-3.04445, -4.2412, -2.720)}
_ROOT_HALF = math.sqrt(0.5)


def p_values(statistics: NDArray[np.float64]) -> Floats:
    """Approximate asymptotic p-values of Engle-Granger statistics.

    ``p = Φ(polynomial(statistic))``. The null hypothesis: the two series are not cointegrated.

    Parameters
    ----------
    statistics : ndarray, any shape
        NaN stays NaN.

    Returns
    -------
    ndarray, same shape
    """
    flat = np.asarray(statistics, dtype=np.float64).ravel()
    scores = np.where(flat <= _STAR, _polynomial(_LEFT, flat), _polynomial(_RIGHT, flat))
    # numpy has no error function; the standard library's is exact to the last digit.
    p = np.array([0.5 * math.erfc(-score * _ROOT_HALF) for score in scores.tolist()])
    p[flat < _LOWEST], p[flat > _HIGHEST] = 0.0, 1.0
    return p.reshape(np.shape(statistics))


def critical_values(n: int) -> dict[str, float]:
    """Critical values of the Engle-Granger statistic for series of ``n`` points, by level."""
    # n - 1 is the number of differences, as statsmodels and Stata's egranger count.
    return {level: _value(coefficients, 1 / (n - 1)) for level, coefficients in _CRITICAL.items()}


def _polynomial(coefficients: tuple[float, ...], at: Floats) -> Floats:
    value = np.zeros_like(at)
    with np.errstate(over="ignore", invalid="ignore"):
        for coefficient in reversed(coefficients):
            value = value * at + coefficient
    return value


def _value(coefficients: tuple[float, ...], at: float) -> float:
    return sum(coefficient * at**power for power, coefficient in enumerate(coefficients))
