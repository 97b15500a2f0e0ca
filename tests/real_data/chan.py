"""Every pair statistic on Ernie Chan's EWA, EWC and IGE against published or recomputed values.

`python -m tests.real_data.chan` prints the table; test_references.py asserts it.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quant.analytics.dickey_fuller import statistic_at
from quant.analytics.econometrics import engle_granger, johansen, ols
from quant.analytics.hedge import kalman, least_squares
from quant.analytics.rolling import rolling_ols
from quant.analytics.scan import scan
from quant.analytics.spread import half_life

Floats = NDArray[np.float64]
PUBLISHED, RECOMPUTED = "published by Chan", "recomputed with statsmodels"


@dataclass(frozen=True)
class Line:
    """``digits`` is how many decimals the source gives."""

    statistic: str
    ours: float
    reference: float
    digits: int
    source: str

    @property
    def agrees(self) -> bool:
        return abs(self.ours - self.reference) <= 0.51 * 10**-self.digits


def lines(folder: Path) -> list[Line]:
    ewc, ewa, ige = read(folder)
    fit, light = ols(ewc, ewa), least_squares(ewc, ewa)
    residual = ewc - fit.intercept - fit.slope * ewa
    one_lag = statistic_at(residual, 1)
    by_aic = engle_granger(ewc, ewa)
    batched = scan(np.array([ewc, ewa]))
    pair, triplet = johansen(ewc, ewa), johansen(ewc, ewa, ige)
    portfolio = np.column_stack([ewc, ewa, ige]) @ np.array(triplet.eigenvectors[0])
    apr, sharpe = kalman_strategy(ewc, ewa)
    whole_window = rolling_ols(ewc, ewa, len(ewa))[0][-1]
    return [
        Line("hedge ratio of EWC on EWA, OLS", fit.slope, 0.96242940, 8, PUBLISHED),
        Line("… in numpy", light.slope, 0.96242940, 8, PUBLISHED),
        Line("… in the scan", batched.hedge_ratio[0, 0], 0.96242940, 8, PUBLISHED),
        Line("… in one rolling window", whole_window, 0.96242940, 8, PUBLISHED),
        Line("intercept", fit.intercept, 6.41133, 5, PUBLISHED),
        Line("Engle-Granger, one lag", one_lag, -3.6435146, 7, RECOMPUTED),
        Line("… as published", one_lag, -3.64346635, 4, PUBLISHED),
        Line("Engle-Granger, lag by AIC", by_aic.statistic, -3.2219, 4, RECOMPUTED),
        Line("… in the scan", batched.statistic[0, 0], -3.2219, 4, RECOMPUTED),
        Line("Johansen, pair, trace, r = 0", pair.trace[0], 19.983, 3, PUBLISHED),
        Line("Johansen, pair, trace, r ≤ 1", pair.trace[1], 3.983, 3, PUBLISHED),
        Line("Johansen, pair, eigenvalue, r = 0", pair.eigenvalue[0], 16.000, 3, PUBLISHED),
        Line("Johansen, pair, eigenvalue, r ≤ 1", pair.eigenvalue[1], 3.983, 3, PUBLISHED),
        *(
            Line(f"Johansen, triplet, {name}, {rank}", ours, value, 3, PUBLISHED)
            for name, found, values in (
                ("trace", triplet.trace, (34.429, 17.532, 4.471)),
                ("eigenvalue", triplet.eigenvalue, (16.897, 13.061, 4.471)),
            )
            for rank, ours, value in zip(("r = 0", "r ≤ 1", "r ≤ 2"), found, values, strict=True)
        ),
        Line("half-life of the first eigenvector", half_life(portfolio).bars or 0.0, 22.662578, 6, PUBLISHED),
        Line("Kalman strategy, APR", apr, 0.262252, 6, PUBLISHED),
        Line("Kalman strategy, Sharpe", sharpe, 2.361162, 6, PUBLISHED),
    ]


def read(folder: Path) -> tuple[Floats, Floats, Floats]:
    with (folder / "chan-EWA-EWC-IGE.csv").open() as file:
        rows = list(csv.DictReader(file))
    ewc, ewa, ige = (np.array([float(row[name]) for row in rows]) for name in ("ewc", "ewa", "ige"))
    return ewc, ewa, ige


def kalman_strategy(y: Floats, x: Floats) -> tuple[float, float]:
    """Chan's example 3.3 on our filter: in beyond one deviation of the forecast error, out inside it, at the close."""
    found = kalman(y, x, delta=1e-4, noise=1e-3)
    deviation = np.sqrt(found.variance)
    units = np.where(found.error < -deviation, 1, np.where(found.error > deviation, -1, 0))
    prices = np.column_stack([x, y])
    values = np.column_stack([-found.slope, np.ones(len(y))]) * units[:, None] * prices
    earned = (values[:-1] * (np.diff(prices, axis=0) / prices[:-1])).sum(axis=1)
    gross = np.abs(values[:-1]).sum(axis=1)
    returns = np.concatenate([[0.0], np.divide(earned, gross, out=np.zeros_like(earned), where=gross > 0)])
    apr = float(np.prod(1 + returns) ** (252 / len(returns)) - 1)
    return apr, float(np.sqrt(252) * returns.mean() / returns.std(ddof=1))


if __name__ == "__main__":
    print(f"{'statistic':38} {'ours':>14} {'reference':>14}  agrees  source")
    for line in lines(Path(os.environ["REAL_DATA_DIR"]) / "references"):
        shown = f"{line.ours:14.{line.digits}f} {line.reference:14.{line.digits}f}"
        print(f"{line.statistic:38} {shown}  {'yes' if line.agrees else 'NO':6}  {line.source}")
