"""Events made from a market's trades."""

from __future__ import annotations

from collections.abc import Collection

from infra.local.exchange.market import Event, Market
from infra.local.exchange.rendering import aggregate_events, trade_events


class TradeFeed:
    """Follows the published ids of each symbol and renders what is new."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._next: dict[str, int] = {}

    def follow(self, symbol: str, now: int) -> None:
        self._next.setdefault(symbol, self._market.published(symbol, now))

    def forget(self, symbol: str) -> None:
        self._next.pop(symbol, None)

    def poll(self, symbol: str, kinds: Collection[str], now: int) -> list[Event]:
        first, stop = self._next[symbol], self._market.published(symbol, now)
        if stop <= first:
            return []
        self._next[symbol] = stop
        trades = self._market.trades(symbol, first, stop)
        events = trade_events(symbol, trades, now) if "trade" in kinds else []
        return events + (aggregate_events(symbol, trades, now) if "aggTrade" in kinds else [])
