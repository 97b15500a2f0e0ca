"""The Dickey-Fuller test of one residual, without a constant, by orthogonal decomposition.

Slower than the moments of quant.analytics.engle_granger, and exact where those are not.
"""

from __future__ import annotations

import numpy as np

from quant.analytics.series import Floats


def max_lag(n: int) -> int:
    """The most lags that are compared: ``⌈12 (n / 100)^¼⌉``, at most ``n // 2 - 1`` (Schwert 1989, as statsmodels)."""
    return min(n // 2 - 1, int(np.ceil(12.0 * np.power(n / 100.0, 1 / 4.0))))


def residual_test(residual: Floats) -> tuple[float, int]:
    """Statistic and lag of one residual, the lag by Akaike's criterion.

    ``Δe[t] = λ e[t-1] + Σ c[k] Δe[t-k]``; the statistic is λ over its standard error. The null hypothesis: the residual
    has a unit root, it does not return to a level.

    Parameters
    ----------
    residual : ndarray, shape (n,), n ≥ 30

    Returns
    -------
    statistic, lag
        NaN and -1 where the regressors depend on each other, as those of a sine do: any figure would be rounding.
    """
    m = max_lag(len(residual))
    columns = _columns(residual, m)
    r: Floats = np.linalg.qr(columns, mode="r")  # type: ignore[assignment]
    if _is_singular(r):
        return float("nan"), -1
    # The rest of R's last column below row k is what k regressors leave.
    left = np.cumsum(r[::-1, -1] ** 2)[::-1][1:]
    lag = int(np.argmin(len(columns) * np.log(left) + 2 * np.arange(1, m + 2)))
    return statistic_at(residual, lag), lag


def statistic_at(residual: Floats, lag: int) -> float:
    """The statistic with so many lags, whatever a criterion says; NaN as :func:`residual_test`."""
    columns = _columns(residual, lag)
    # The level as the last of the regressors: then R's last row but one tells its t.
    columns[:, :-1] = np.roll(columns[:, :-1], -1, axis=1)
    r: Floats = np.linalg.qr(columns, mode="r")  # type: ignore[assignment]
    if _is_singular(r):
        return float("nan")
    scale = abs(r[-1, -1]) / np.sqrt(len(columns) - lag - 1)
    return float(np.sign(r[-2, -2]) * r[-2, -1] / scale)


def _columns(level: Floats, lags: int) -> Floats:
    """Level, lagged changes and change, of the sample that begins after ``lags`` changes."""
    change = np.diff(level)
    lagged = [change[lags - lag : len(change) - lag] for lag in range(1, lags + 1)]
    return np.column_stack([level[lags:-1], *lagged, change[lags:]])


def _is_singular(r: Floats) -> bool:
    """Of a triangular factor: whether rounding is all that some column adds to those before it."""
    length = np.sqrt((r * r).sum(axis=0))
    return bool((np.abs(np.diag(r)) <= len(r) * 100 * np.finfo(np.float64).eps * length).any())
