"""What both servers share: the market, its clock, its faults, and what a halt holds back."""

from __future__ import annotations

import time
from collections.abc import Callable

from infra.local.exchange.faults import Faults, Halt
from infra.local.exchange.klines import Klines
from infra.local.exchange.market import Market


def wall_clock() -> int:
    return time.time_ns() // 1_000_000


class Exchange:
    def __init__(self, market: Market, faults: Faults, clock: Callable[[], int] = wall_clock) -> None:
        self.market, self.faults, self.now = market, faults, clock
        self.klines = Klines(market)
        self._halted: dict[str, int] = {}

    def published(self, symbol: str) -> int:
        """The id after the last public trade."""
        held = self._halted.get(symbol)
        return self.market.published(symbol, self.now()) if held is None else held

    def halted(self, symbol: str) -> bool:
        return symbol in self._halted

    def update_halts(self, now: int) -> None:
        """Begin and end halts; what is public at ``now`` stays so."""
        if not self._halted and not self.faults.any(Halt):
            return
        for symbol in self.market.instruments:
            if self.faults.active(Halt, symbol) is None:
                self._halted.pop(symbol, None)
            elif symbol not in self._halted:
                self._halted[symbol] = self.market.published(symbol, now)
