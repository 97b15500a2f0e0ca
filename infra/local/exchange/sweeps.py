"""Which trades continue the taker order before them, as a function of the trade id alone.

Of every ten ids three continue their predecessor, at places that the seed chooses, never the first of the ten. So the
aggregate id of any trade, and the first trade of any aggregate, are known without looking at another trade.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from infra.local.exchange.trades import Bools, Ints

TEN, SEVEN = 10, 7
_CONTINUES = np.array([[place in chosen for place in range(TEN)] for chosen in combinations(range(1, TEN), 3)])
_ORDINAL = np.cumsum(~_CONTINUES, axis=1) - 1
_PLACE = np.array([np.flatnonzero(~row) for row in _CONTINUES])
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Sweeps:
    seed: int

    def continues(self, ids: Ints) -> Bools:
        found: Bools = _CONTINUES[self._row(ids // TEN), ids % TEN]
        return found

    def aggregates(self, ids: Ints) -> Ints:
        found: Ints = ids // TEN * SEVEN + _ORDINAL[self._row(ids // TEN), ids % TEN]
        return found

    def first_of(self, aggregate: int) -> int:
        block, place = divmod(aggregate, SEVEN)
        return block * TEN + int(_PLACE[self._row(np.array([block]))[0], place])

    def snap(self, ids: Ints) -> Ints:
        """Each id, or the nearest smaller one that begins an aggregate."""
        for _ in range(3):
            ids = ids - self.continues(ids)
        return ids

    def _row(self, blocks: Ints) -> Ints:
        mixed = (blocks.astype(np.uint64) + np.uint64(self.seed % 2**32 * 2_654_435_761 % 2**63)) * _MIX
        rows: Ints = ((mixed >> np.uint64(33)) % np.uint64(len(_CONTINUES))).astype(np.int64)
        return rows
