"""Faults of the stream of trades: left out, sent twice, out of order."""

from __future__ import annotations

from infra.local.exchange.faults import Duplicate, Faults, Reorder, Skip
from infra.local.exchange.market import Event


class Disturbance:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._held: dict[str, Event] = {}

    def apply(self, symbol: str, events: list[Event]) -> list[Event]:
        """The events of one symbol as they are sent."""
        if symbol not in self._held and not self._faults.any(Skip, Duplicate, Reorder):
            return events
        sent: list[Event] = []
        for event in events:
            sent += [event] if event.trade_id is None else self._trade(symbol, event)
        return sent

    def _trade(self, symbol: str, event: Event) -> list[Event]:
        held = self._held.pop(symbol, None)
        if held is not None:
            return [event, held]
        if self._faults.take(Skip, symbol):
            return []
        if self._faults.take(Duplicate, symbol):
            return [event, event]
        if self._faults.take(Reorder, symbol):
            self._held[symbol] = event
            return []
        return [event]
