"""Klines of a market, made hour by hour from its trades and kept where an hour is over."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from infra.local.exchange.bars import Bar, bars_of, empty, merged
from infra.local.exchange.market import Market
from infra.local.exchange.paths import HOUR, MINUTE, SECOND

INTERVALS = {
    "1s": SECOND,
    "1m": MINUTE,
    "3m": 3 * MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": HOUR,
}
_KEPT_HOURS = 20_000
# Trades whose bars are made at once.
_TOGETHER = 100_000


class Klines:
    """Bars of the trades that are public, the empty ones filled as the exchange does."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._hours: OrderedDict[tuple[str, int], list[Bar]] = OrderedDict()

    def between(self, symbol: str, interval: int, start: int, end: int, stop: int) -> list[Bar]:
        """The bars that begin in ``start <= time < end``, of trades below the id ``stop``."""
        return list(self.walk(symbol, interval, start, end, stop))

    def one(self, symbol: str, interval: int, start: int, stop: int) -> Bar | None:
        """The bar that begins at ``start``, or None while nothing was ever traded."""
        bars = self._part(symbol, interval, start, interval, stop)
        if bars:
            return bars[0]
        close = self._close_before(symbol, start, stop)
        return None if close is None else empty(start, close)

    def walk(self, symbol: str, interval: int, start: int, end: int, stop: int) -> Iterator[Bar]:
        """The same one by one, so that a caller may pause between hours."""
        start = -(-start // interval) * interval
        close = self._close_before(symbol, start, stop)
        first_trade = self._first_time(symbol, stop)
        if close is None and first_trade is not None:
            start = max(start, first_trade // interval * interval)
        hour = start // HOUR * HOUR
        while start < end and first_trade is not None:
            bars = self._hour(symbol, interval, hour, stop)
            known = {bar.time: bar for bar in bars if bar.time >= start}
            for time in range(start, min(hour + HOUR, end), interval):
                bar = known.get(time)
                if bar is not None:
                    close = bar.close
                    yield bar
                elif close is not None:
                    yield empty(time, close)
            start = hour = hour + HOUR

    def _hour(self, symbol: str, interval: int, hour: int, stop: int) -> list[Bar]:
        if interval < MINUTE:
            return self._made(symbol, interval, hour, stop)
        minutes = self._minutes(symbol, hour, stop)
        return minutes if interval == MINUTE else merged(minutes, interval)

    def _minutes(self, symbol: str, hour: int, stop: int) -> list[Bar]:
        kept = self._hours.get((symbol, hour))
        if kept is not None and (not kept or kept[-1].last_id < stop):
            self._hours.move_to_end((symbol, hour))
            return kept
        bars = self._made(symbol, MINUTE, hour, stop)
        if self._market.immutable and self._market.first_at(symbol, hour + HOUR) < stop:
            self._hours[symbol, hour] = bars
            if len(self._hours) > _KEPT_HOURS:
                self._hours.popitem(last=False)
        return bars

    def _made(self, symbol: str, interval: int, hour: int, stop: int) -> list[Bar]:
        """A busy hour is made minute by minute: its trades at once would be hundreds of megabytes."""
        first, last = (min(self._market.first_at(symbol, time), stop) for time in (hour, hour + HOUR))
        step = MINUTE if last - first > _TOGETHER else HOUR
        parts = (self._part(symbol, interval, time, step, stop) for time in range(hour, hour + HOUR, step))
        return [bar for part in parts for bar in part]

    def _part(self, symbol: str, interval: int, start: int, length: int, stop: int) -> list[Bar]:
        first, last = (min(self._market.first_at(symbol, time), stop) for time in (start, start + length))
        return bars_of(self._market.instruments[symbol], self._market.trades(symbol, first, last), interval)

    def _close_before(self, symbol: str, time: int, stop: int) -> int | None:
        before = min(self._market.first_at(symbol, time), stop) - 1
        if before < self._market.oldest(symbol):
            return None
        return int(self._market.trades(symbol, before, before + 1).prices[0])

    def _first_time(self, symbol: str, stop: int) -> int | None:
        first = self._market.oldest(symbol)
        return int(self._market.trades(symbol, first, first + 1).times[0]) if first < stop else None
