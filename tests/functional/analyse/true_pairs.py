"""Where the three truly cointegrated pairs of the simulated market rank in the scan, by how much history there is.

`python -m tests.functional.analyse.true_pairs` prints it; test_simulated_market.py asserts it of three days.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from infra.local.exchange.listing import LISTINGS, TIES, log_price
from quant.analytics.scan import Scan, scan
from quant.domain.interval import HOUR
from tests.functional.analyse.market import END

SYMBOLS = sorted(LISTINGS)
TRUE_PAIRS = {frozenset((y, tie.x)) for y, tie in TIES.items()}
LAST_HOUR = END // HOUR
HOURS = 72


@cache
def closes(symbol: str, end: int, hours: int = HOURS) -> NDArray[np.float64]:
    """Minute closes of the market as it is made, without its trades, up to hour ``end``."""
    path = log_price(7, symbol)
    return np.exp(np.concatenate([path.hour(hour)[60::60] for hour in range(end - hours, end)]))


def scanned(end: int, hours: int = HOURS) -> Scan:
    return scan(np.array([closes(symbol, end, hours) for symbol in SYMBOLS]))


def ranked(found: Scan) -> list[frozenset[str]]:
    """All pairs, the best first."""
    return [frozenset((SYMBOLS[found.first[pair]], SYMBOLS[found.second[pair]])) for pair in found.order]


if __name__ == "__main__":
    names = ", ".join("/".join(sorted(pair)) for pair in sorted(TRUE_PAIRS, key=sorted))
    print(f"{len(SYMBOLS)} symbols, {len(SYMBOLS) * (len(SYMBOLS) - 1) // 2} pairs; truly cointegrated: {names}")
    print(f"{'history':>8} {'ends':>12}  {'their ranks':<14} {'true admitted':>13} {'false admitted':>14}")
    for hours in (6, 12, 24, 48, HOURS):
        for days_ago in (0, 1, 2):
            found = scanned(LAST_HOUR - 24 * days_ago, hours)
            order = ranked(found)
            ranks = sorted(order.index(pair) + 1 for pair in TRUE_PAIRS)
            admitted = sum(order[rank - 1] in TRUE_PAIRS for rank in range(1, int(found.admitted.sum()) + 1))
            false = int(found.admitted.sum()) - admitted
            ends = f"{days_ago} days ago"
            print(f"{hours:>6} h {ends:>12}  {', '.join(map(str, ranks)):<14} {admitted:>13} {false:>14}")
