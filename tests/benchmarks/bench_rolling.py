"""Rolling regression against statsmodels, one BLAS thread."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np

from quant.analytics.rolling import rolling_ols, rolling_pair
from tests.benchmarks.one_thread import rows_of
from tests.benchmarks.row import Row

N, WINDOW = 10_000, 60


def run() -> list[Row]:
    return rows_of(__name__, "measure")


def measure() -> list[Row]:
    from statsmodels.regression.rolling import RollingOLS

    rng = np.random.default_rng(1)
    x = 100 + 0.1 * rng.standard_normal(N).cumsum()
    y = 2 * x + rng.standard_normal(N)
    design = np.column_stack([np.ones(N), x])
    theirs = min(_seconds(lambda: RollingOLS(y, design, WINDOW).fit(params_only=True)) for _ in range(3))
    params = RollingOLS(y, design, WINDOW).fit(params_only=True).params
    ours = float(np.median([_seconds(lambda: rolling_ols(y, x, WINDOW)) for _ in range(50)]))
    everything = float(np.median([_seconds(lambda: rolling_pair(y, x, WINDOW)) for _ in range(50)]))
    slope, _ = rolling_ols(y, x, WINDOW)
    spots = range(WINDOW - 1, N, 97)
    exact = np.array([_exact_slope(y[t - WINDOW + 1 : t + 1], x[t - WINDOW + 1 : t + 1]) for t in spots])
    spiked = y.copy()
    spiked[5_000] = 1e9
    after = slice(5_000 + WINDOW, None)
    trace = float(np.abs(rolling_ols(spiked, x, WINDOW)[0][after] - slope[after]).max())
    about = f"n = {N:,}, window {WINDOW}"
    return [
        Row("rolling.ols", 1e3 * ours, "ms", f"RollingOLS(params_only=True): {about}", theirs / ours, "≥ 100"),
        Row("rolling.ols_difference", float(np.nanmax(np.abs(slope - params[:, 1]))), "", "largest, of slopes about 2"),
        Row("rolling.ols_error", float(np.abs(slope[spots] - exact).max()), "", "largest, to rational arithmetic"),
        Row("rolling.ols_peer_error", float(np.abs(params[spots, 1] - exact).max()), "", "the same of RollingOLS"),
        Row("rolling.spike_trace", trace, "", "after a 1e9 has left the window", None, "0"),
        Row("rolling.pair_ms", 1e3 * everything, "ms", f"correlation, hedge ratio, spread and z-score: {about}"),
    ]


def _exact_slope(y: np.ndarray, x: np.ndarray) -> float:  # type: ignore[type-arg]
    ys, xs = [Fraction(value) for value in y.tolist()], [Fraction(value) for value in x.tolist()]
    my, mx = sum(ys, Fraction(0)) / len(ys), sum(xs, Fraction(0)) / len(xs)
    sxy = sum(((a - my) * (b - mx) for a, b in zip(ys, xs, strict=True)), Fraction(0))
    return float(sxy / sum(((b - mx) ** 2 for b in xs), Fraction(0)))


def _seconds(work) -> float:  # type: ignore[no-untyped-def]
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
