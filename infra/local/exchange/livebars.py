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
    due: int
    stop: int
    start: int | None = None


class LiveBars:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._states: dict[tuple[str, str], _State] = {}

    def poll(self, symbol: str, name: str, now: int) -> list[Event]:
        """What ``<symbol>@kline_<name>`` has to say now."""
        interval, stop = INTERVALS[name], self._exchange.published(symbol)
        state = self._states[symbol, name]
        time = self._time(symbol, now, stop)
        if time is None:
            return []
        start = time // interval * interval
        if state.start is None:
            state.start = self._first_start(symbol, interval, state.stop, stop, start)
        events = []
        while state.start < start:
            events += self._event(symbol, name, state.start, stop, now, closed=True)
            state.start += interval
        if now >= state.due and stop > state.stop:
            events += self._event(symbol, name, start, stop, now, closed=False)
            state.due, state.stop = now + (SECOND if name == "1s" else 2 * SECOND), stop
        return events

    def follow(self, wanted: set[tuple[str, str]], now: int) -> None:
        """Begin with what is new among these pairs of symbol and interval, and drop all others."""
        self._states = {
            key: self._states.get(key) or _State(now, self._exchange.published(key[0])) for key in sorted(wanted)
        }

    def _time(self, symbol: str, now: int, stop: int) -> int | None:
        # A script or a recording may lag behind the clock: there only trades say that a bar is over.
        market = self._exchange.market
        if market.immutable:
            return now
        if stop <= market.oldest(symbol):
            return None
        return int(market.trades(symbol, stop - 1, stop).times[0])

    def _first_start(self, symbol: str, interval: int, seen: int, stop: int, start: int) -> int:
        if self._exchange.market.immutable or seen >= stop:
            return start
        first = self._exchange.market.trades(symbol, seen, seen + 1)
        return int(first.times[0]) // interval * interval

    def _event(self, symbol: str, name: str, start: int, stop: int, now: int, *, closed: bool) -> list[Event]:
        interval = INTERVALS[name]
        bar = self._exchange.klines.one(symbol, interval, start, stop)
        return [] if bar is None else [kline_event(symbol, name, bar, interval, closed, now)]
