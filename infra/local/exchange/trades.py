"""Trades as columns, and the numbers they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

SCALE = 100_000_000
"""Prices and quantities are whole numbers of 1e-8, the eight decimals that Binance prints."""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_QUOTES = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "DAI", "TRY", "EUR", "BRL", "BTC", "ETH", "BNB")


def text(units: int) -> str:
    """Print a scaled number as Binance does: ``61837.63000000``."""
    sign, units = ("-", -units) if units < 0 else ("", units)
    return f"{sign}{units // SCALE}.{units % SCALE:08d}"


def units(number: str) -> int:
    """Read a decimal of at most eight decimals, exactly.

    Raises:
        ValueError: it is no plain decimal, or has more decimals.
    """
    sign = -1 if number.startswith("-") else 1
    whole, _, fraction = number.removeprefix("-").partition(".")
    if not whole.isdecimal() or len(fraction) > 8 or (fraction and not fraction.isdecimal()):
        raise ValueError(f"{number!r} is not a decimal of at most 8 decimals")
    return sign * (int(whole) * SCALE + int(fraction.ljust(8, "0")))


@dataclass(frozen=True, slots=True)
class Instrument:
    """A symbol with the grids of its prices and quantities, in units of 1e-8."""

    symbol: str
    base: str
    quote: str
    tick: int
    step: int

    @classmethod
    def of(cls, symbol: str, tick: int, step: int) -> Self:
        quote = next((name for name in _QUOTES if symbol.endswith(name) and symbol != name), symbol[-3:])
        return cls(symbol, symbol.removesuffix(quote), quote, tick, step)


@dataclass(frozen=True, slots=True)
class Trades:
    """Consecutive trades of one symbol; the i-th has the id ``first_id + i``.

    ``aggregates`` holds each trade's aggregate id: trades of one taker order at one price share it.
    """

    first_id: int
    times: Ints
    prices: Ints
    quantities: Ints
    buyer_is_maker: Bools
    aggregates: Ints

    def __len__(self) -> int:
        return len(self.times)

    @property
    def stop_id(self) -> int:
        """The id after the last."""
        return self.first_id + len(self.times)

    def cut(self, first: int, stop: int) -> Trades:
        """Those with ``first <= id < stop``."""
        low = min(max(first - self.first_id, 0), len(self))
        part = slice(low, max(stop - self.first_id, low))
        return Trades(
            self.first_id + low,
            self.times[part],
            self.prices[part],
            self.quantities[part],
            self.buyer_is_maker[part],
            self.aggregates[part],
        )


def no_trades(first_id: int) -> Trades:
    """An empty batch whose next id would be ``first_id``."""
    none = np.empty(0, np.int64)
    return Trades(first_id, none, none, none, np.empty(0, np.bool_), none)


def join(parts: Sequence[Trades], first_id: int) -> Trades:
    """Put batches that follow one another into one; ``first_id`` names the id of an empty result."""
    parts = [part for part in parts if len(part)]
    if len(parts) < 2:
        return parts[0] if parts else no_trades(first_id)
    return Trades(
        parts[0].first_id,
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.prices for part in parts]),
        np.concatenate([part.quantities for part in parts]),
        np.concatenate([part.buyer_is_maker for part in parts]),
        np.concatenate([part.aggregates for part in parts]),
    )


def columns(first_id: int, rows: Sequence[tuple[int, int, int, bool, int]]) -> Trades:
    """Trades from rows of time, price, quantity, buyer is maker, aggregate id."""
    if not rows:
        return no_trades(first_id)
    times, prices, quantities, makers, aggregates = (np.array(column) for column in zip(*rows, strict=True))
    return Trades(first_id, _ints(times), _ints(prices), _ints(quantities), makers.astype(np.bool_), _ints(aggregates))


def _ints(values: NDArray[Any]) -> Ints:
    return values.astype(np.int64)
