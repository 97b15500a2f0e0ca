"""New trades of all markets until the next flush."""

from __future__ import annotations

import numpy as np

from quant.domain.market import Market
from quant.domain.trade import Trades, concatenate, merge


class Batcher:
    """Collects; ``cut`` hands over, per market and ascending by id, what has come since the last cut."""

    def __init__(self) -> None:
        self._parts: dict[Market, list[Trades]] = {}
        self.count = 0

    def add(self, market: Market, trades: Trades) -> None:
        if len(trades):
            self._parts.setdefault(market, []).append(trades)
            self.count += len(trades)

    def cut(self) -> dict[Market, Trades]:
        parts, self._parts, self.count = self._parts, {}, 0
        return {market: _ascending(found) for market, found in parts.items()}

    def lowest(self) -> dict[Market, int]:
        """The lowest id that has been collected, per market."""
        return {market: min(int(part.ids.min()) for part in parts) for market, parts in self._parts.items()}


def next_flush(now: int, period: int) -> int:
    """The first multiple of ``period`` after ``now``: flushes of all ingestors fall together with the bars' edges."""
    return now - now % period + period


def _ascending(parts: list[Trades]) -> Trades:
    trades = concatenate(parts)
    return trades if bool(np.all(trades.ids[1:] > trades.last_ids[:-1])) else merge([trades])
