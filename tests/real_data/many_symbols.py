"""The scan of 28 real symbols against statsmodels, all 756 ordered pairs over the last 1,440 hours.

`OPENBLAS_NUM_THREADS=1 python -m tests.real_data.many_symbols` compares every pair with ``coint`` itself; an argument k
takes every k-th one. ``coint`` does not tell the lag; its two steps do.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests
from statsmodels.tsa.stattools import adfuller, coint

from quant.analytics.scan import scan

N = 1_440


def closes(folder: Path) -> tuple[list[str], NDArray[np.float64]]:
    with gzip.open(folder / "many-symbols/binance-1h-closes.csv.gz", "rt") as file:
        rows = list(csv.reader(file))
    return rows[0][1:], np.array([[float(cell) for cell in row[1:]] for row in rows[-N:]]).T


def compare(folder: Path, every: int) -> dict[str, float]:
    """Counts and largest differences."""
    names, prices = closes(folder)
    found = scan(prices)
    lags, statistic, p_value, compared = 0, 0.0, 0.0, 0
    for pair, (i, j) in enumerate(zip(found.first.tolist(), found.second.tolist(), strict=True)):
        for order, (y, x) in enumerate(((i, j), (j, i))):
            if (2 * pair + order) % every:
                continue
            residual = OLS(prices[y], np.column_stack([prices[x], np.ones(N)])).fit().resid
            step = adfuller(residual, regression="n", autolag="AIC", result_object=True)
            lags += int(step.lags == found.lag[pair, order])
            statistic = max(statistic, abs(step.statistic - found.statistic[pair, order]))
            whole = coint(prices[y], prices[x])
            statistic = max(statistic, abs(whole.coint_t - found.statistic[pair, order]))
            p_value = max(p_value, abs(whole.pvalue - found.p_value[pair, order]))
            compared += 1
    adjusted = multipletests(found.pair_p_value, method="fdr_bh")[1]
    return {
        "symbols": len(names),
        "ordered_pairs": 2 * len(found.first),
        "equal_lags": lags,
        "compared": compared,
        "largest_difference_of_statistics": statistic,
        "largest_difference_of_p_values": p_value,
        "largest_difference_to_fdr_bh": float(np.abs(adjusted - found.q_value).max()),
        "admitted": int(found.admitted.sum()),
        "p_below_5_percent_in_both_orders": int((found.pair_p_value <= 0.05).sum()),
    }


if __name__ == "__main__":
    result = compare(Path(os.environ["REAL_DATA_DIR"]), int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    print(json.dumps(result, indent=1))
