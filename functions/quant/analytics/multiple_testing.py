"""Many tests at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from quant.analytics.series import Floats


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Adjusted p-values: whoever rejects those at or below alpha expects at most a share alpha of false ones among
    them.

    ``q[i] = min over j with p[j] ≥ p[i] of p[j] · m / rank(p[j])``, at most 1. It holds for independent and for
    positively dependent tests.

    Parameters
    ----------
    p_values : array_like, shape (m,)
        NaN marks a test that was not made: it counts neither as a test nor as a rejection, and stays NaN.

    Returns
    -------
    ndarray, shape (m,)

    Notes
    -----
    Y. Benjamini, Y. Hochberg (1995), *Controlling the False Discovery Rate*, JRSS B 57, 289-300. Equal to
    ``statsmodels.stats.multitest.multipletests(method="fdr_bh")``.
    """
    p = np.asarray(p_values, dtype=np.float64)
    made = np.flatnonzero(~np.isnan(p))
    order = made[np.argsort(p[made], kind="stable")]
    steps = p[order] * (len(order) / np.arange(1, len(order) + 1))
    adjusted = np.full_like(p, np.nan)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1)
    return adjusted
