"""Bars of one market and interval as columns of exact integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from quant.domain.trade import INT64_MAX, Ints

UNKNOWN, INCOMPLETE, COMPLETE = -1, 0, 1
FROM_EXCHANGE, FROM_TRADES = 0, 1
SOURCES = ("exchange", "trades")

Sums = NDArray[Any]
"""Exact sums: int64, or Python integers (dtype object) where int64 might not hold them."""

_VOLUMES = ("volume", "taker_buy_volume")
_QUOTE_VOLUMES = ("quote_volume", "taker_buy_quote_volume")
_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Columns of equal length n in the order of time; empty intervals are left out.

    Attributes:
        interval: length in ms.
        time: start of the bar, ms.
        open, high, low, close: scaled by 10**price_decimals.
        volume, taker_buy_volume: base asset, scaled by 10**quantity_decimals.
        quote_volume, taker_buy_quote_volume: scaled by 10**(price_decimals + quantity_decimals).
        trades: number of trades.
        first_id, last_id: ids of the first and last trade; -1 for the exchange's own bars.
        complete: COMPLETE when ids first_id…last_id are all there and join the neighbours on both sides, INCOMPLETE
            when not, UNKNOWN for the exchange's own bars.
        source: FROM_TRADES or FROM_EXCHANGE.
    """

    interval: int
    price_decimals: int
    quantity_decimals: int
    time: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Sums
    quote_volume: Sums
    taker_buy_volume: Sums
    taker_buy_quote_volume: Sums
    trades: Ints
    first_id: Ints
    last_id: Ints
    complete: NDArray[np.int8]
    source: NDArray[np.int8]

    @classmethod
    def empty(cls, interval: int, price_decimals: int = 0, quantity_decimals: int = 0) -> Self:
        kinds = dict.fromkeys(COLUMNS, np.int64) | {"complete": np.int8, "source": np.int8}
        columns: dict[str, Any] = {name: np.zeros(0, dtype=kind) for name, kind in kinds.items()}
        return cls(interval, price_decimals, quantity_decimals, **columns)

    def __len__(self) -> int:
        return len(self.time)

    def take(self, index: Any) -> Bars:
        """The rows that a slice, a mask or an array of positions picks, in that order."""
        picked: dict[str, Any] = {name: getattr(self, name)[index] for name in COLUMNS}
        return replace(self, **picked)

    def between(self, start: int, end: int) -> Bars:
        """The bars that start at ``start`` or later and before ``end``."""
        low, high = np.searchsorted(self.time, (start, end))
        return self if (low, high) == (0, len(self)) else self.take(slice(int(low), int(high)))

    def rescaled(self, price_decimals: int, quantity_decimals: int) -> Bars:
        """The same bars with at least as many decimals."""
        if (price_decimals, quantity_decimals) == (self.price_decimals, self.quantity_decimals):
            return self
        more_price, more_quantity = price_decimals - self.price_decimals, quantity_decimals - self.quantity_decimals
        more = dict.fromkeys(_PRICES, more_price) | dict.fromkeys(_VOLUMES, more_quantity)
        more |= dict.fromkeys(_QUOTE_VOLUMES, more_price + more_quantity)
        columns: dict[str, Any] = {name: narrow(wide(getattr(self, name)) * 10**by) for name, by in more.items()}
        return replace(self, price_decimals=price_decimals, quantity_decimals=quantity_decimals, **columns)


COLUMNS = (
    "time", "open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume",
    "trades", "first_id", "last_id", "complete", "source",
)  # fmt: skip


def wide(values: Sums) -> Sums:
    """The same numbers as Python integers, which never overflow."""
    return values.astype(object)


def narrow(values: Sums) -> Sums:
    """Back to int64 where all of them fit."""
    if values.dtype != object:
        return values
    if all(-INT64_MAX <= value <= INT64_MAX for value in values):
        return values.astype(np.int64)
    return values


def concatenate(parts: Sequence[Bars]) -> Bars:
    """All rows of all parts, in the order given, at the widest decimals among them; at least one part."""
    if len(parts) == 1:
        return parts[0]
    price_decimals = max(part.price_decimals for part in parts)
    quantity_decimals = max(part.quantity_decimals for part in parts)
    scaled = [part.rescaled(price_decimals, quantity_decimals) for part in parts]
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in scaled]) for name in COLUMNS}
    return replace(scaled[0], **columns)


def merge(parts: Sequence[Bars]) -> Bars:
    """Bars of the same market and interval in the order of time, the best of each time.

    Best is: complete of our own trades, then the exchange's own, then incomplete; among equals the one that knows more
    trades. Trades are only ever added to a bar, so the outcome depends neither on order nor on repetition, and a
    writer that read too early cannot undo one that read later.
    """
    bars = concatenate(parts)
    if len(bars) < 2 or bool(np.all(bars.time[1:] > bars.time[:-1])):
        return bars
    own = bars.source == FROM_TRADES
    rank = np.where(own & (bars.complete == COMPLETE), 2, np.where(own, 0, 1))
    keys = (bars.last_id, -bars.first_id, bars.trades, rank, bars.time)
    bars = bars.take(np.lexsort(keys))
    last = np.ones(len(bars), dtype=np.bool_)
    last[:-1] = bars.time[1:] != bars.time[:-1]
    return bars.take(last)


def disagreements(bars: Sequence[Bars]) -> list[int]:
    """Times at which a complete bar of our own differs from the exchange's in any of its nine figures."""
    joined = concatenate(bars)
    own = joined.take((joined.source == FROM_TRADES) & (joined.complete == COMPLETE))
    theirs = joined.take(joined.source == FROM_EXCHANGE)
    _, ours_at, theirs_at = np.intersect1d(own.time, theirs.time, return_indices=True)
    own, theirs = own.take(ours_at), theirs.take(theirs_at)
    differs = np.zeros(len(own), dtype=np.bool_)
    for name in (*_PRICES, *_VOLUMES, *_QUOTE_VOLUMES, "trades"):
        differs |= (getattr(own, name) != getattr(theirs, name)).astype(np.bool_)
    times: list[int] = own.time[differs].tolist()
    return times
