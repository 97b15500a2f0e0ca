"""Kline streams: the open bar every one or two seconds, and each bar once more when it closes."""

from __future__ import annotations

from dataclasses import dataclass

from infra.local.exchange.exchange import Exchange
from infra.local.exchange.klines import INTERVALS
from infra.local.exchange.market import Event
from infra.local.exchange.paths import SECOND
from infra.local.exchange.rendering import kline_event


@dataclass(slots=True)
class _State:
    start: int
    due: int
    stop: int


class LiveBars:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._states: dict[tuple[str, str], _State] = {}

    def poll(self, symbol: str, name: str, now: int) -> list[Event]:
        """What ``<symbol>@kline_<name>`` has to say now."""
        interval, stop = INTERVALS[name], self._exchange.published(symbol)
        time = self._time(symbol, now, stop)
        if time is None:
            return []
        start = time // interval * interval
        state = self._states.setdefault((symbol, name), _State(start, now, stop))
        events = []
        if start > state.start:
            events += self._event(symbol, name, state.start, stop, now, closed=True)
            state.start = start
        if now >= state.due and stop > state.stop:
            events += self._event(symbol, name, start, stop, now, closed=False)
            state.due, state.stop = now + (SECOND if name == "1s" else 2 * SECOND), stop
        return events

    def forget(self, wanted: set[tuple[str, str]]) -> None:
        """Drop the state of all other streams."""
        self._states = {key: state for key, state in self._states.items() if key in wanted}

    def _time(self, symbol: str, now: int, stop: int) -> int | None:
        # A script or a recording may lag behind the clock: there only trades say that a bar is over.
        market = self._exchange.market
        if market.immutable:
            return now
        if stop <= market.oldest(symbol):
            return None
        return int(market.trades(symbol, stop - 1, stop).times[0])

    def _event(self, symbol: str, name: str, start: int, stop: int, now: int, *, closed: bool) -> list[Event]:
        interval = INTERVALS[name]
        bar = self._exchange.klines.one(symbol, interval, start, stop)
        return [] if bar is None else [kline_event(symbol, name, bar, interval, closed, now)]
