"""A market whose trades are published by hand."""

from __future__ import annotations

import time as wall
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from infra.local.exchange.feeds import TradeFeed
from infra.local.exchange.market import Feed
from infra.local.exchange.trades import Instrument, Trades, columns, units

_Row = tuple[int, int, int, bool, int]


@dataclass(slots=True)
class _Book:
    first_id: int
    rows: list[_Row] = field(default_factory=list)
    columns: Trades | None = None

    def trades(self) -> Trades:
        if self.columns is None:
            self.columns = columns(self.first_id, self.rows)
        return self.columns


class ScriptedMarket:
    """Publishes what it is told, at once. Times must not fall from one trade of a symbol to the next.

    Symbols that are not named at the start are listed by their first trade. ``first_id`` is every symbol's first id.
    """

    immutable = False

    def __init__(
        self,
        symbols: Iterable[str] = ("BTCUSDT",),
        *,
        tick: str = "0.01",
        step: str = "0.00001",
        first_id: int = 1,
        clock: Callable[[], int] = lambda: wall.time_ns() // 1_000_000,
    ) -> None:
        self._tick, self._step, self._first_id, self._clock = units(tick), units(step), first_id, clock
        self._instruments: dict[str, Instrument] = {}
        self._books: dict[str, _Book] = {}
        for symbol in symbols:
            self._list(symbol)

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        return self._instruments

    def publish(
        self,
        symbol: str,
        *,
        price: str,
        quantity: str,
        time: int | None = None,
        buyer_is_maker: bool = False,
        same_order: bool = False,
    ) -> int:
        """Publish one trade; ``same_order`` puts it into the aggregate of the one before.

        Returns:
            The trade's id.
        """
        if symbol not in self._books:
            self._list(symbol)
        book = self._books[symbol]
        previous = book.rows[-1] if book.rows else None
        time = self._clock() if time is None else time
        if previous is not None and time < previous[0]:
            raise ValueError(f"trade at {time} is older than the one before it at {previous[0]}")
        aggregate = 1 if previous is None else previous[4] + (not same_order)
        book.rows.append((time, units(price), units(quantity), buyer_is_maker, aggregate))
        book.columns = None
        return book.first_id + len(book.rows) - 1

    def oldest(self, symbol: str) -> int:
        return self._books[symbol].first_id

    def published(self, symbol: str, now: int) -> int:
        book = self._books[symbol]
        return book.first_id + len(book.rows)

    def first_at(self, symbol: str, time: int) -> int:
        trades = self._books[symbol].trades()
        return trades.first_id + int(np.searchsorted(trades.times, time))

    def first_of_aggregate(self, symbol: str, aggregate: int) -> int:
        trades = self._books[symbol].trades()
        return trades.first_id + int(np.searchsorted(trades.aggregates, aggregate))

    def trades(self, symbol: str, first: int, stop: int) -> Trades:
        return self._books[symbol].trades().cut(first, stop)

    def feed(self) -> Feed:
        return TradeFeed(self)

    def _list(self, symbol: str) -> None:
        self._instruments[symbol] = Instrument.of(symbol, self._tick, self._step)
        self._books[symbol] = _Book(self._first_id)
