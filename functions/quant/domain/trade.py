"""Trades of one market as columns of exact integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quant.errors import DataError

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
INT64_MAX = 2**63 - 1
MAX_DECIMALS = 12


def _ints(values: ArrayLike) -> Ints:
    return np.ascontiguousarray(values, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Trades:
    """Columns of equal length n, in the order of ids unless said otherwise.

    Attributes:
        ids: the exchange's trade ids.
        last_ids: equal to ``ids``, but for an aggregate that stands for the trades ids…last_ids and whose single
            quantities the exchange would not tell.
        times: trade times of the exchange, ms since the epoch, UTC.
        prices: scaled by 10**price_decimals.
        quantities: base asset, scaled by 10**quantity_decimals.
        buyer_is_maker: true where the taker sold.
    """

    ids: Ints
    last_ids: Ints
    times: Ints
    prices: Ints
    quantities: Ints
    buyer_is_maker: Bools
    price_decimals: int
    quantity_decimals: int

    @classmethod
    def of(
        cls,
        ids: ArrayLike,
        times: ArrayLike,
        prices: ArrayLike,
        quantities: ArrayLike,
        buyer_is_maker: ArrayLike,
        *,
        price_decimals: int,
        quantity_decimals: int,
        last_ids: ArrayLike | None = None,
    ) -> Self:
        """Make the columns out of anything that numpy reads."""
        first = _ints(ids)
        return cls(
            ids=first,
            last_ids=first if last_ids is None else _ints(last_ids),
            times=_ints(times),
            prices=_ints(prices),
            quantities=_ints(quantities),
            buyer_is_maker=np.ascontiguousarray(buyer_is_maker, dtype=np.bool_),
            price_decimals=price_decimals,
            quantity_decimals=quantity_decimals,
        )

    @classmethod
    def empty(cls, price_decimals: int = 0, quantity_decimals: int = 0) -> Self:
        return cls.of([], [], [], [], [], price_decimals=price_decimals, quantity_decimals=quantity_decimals)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def first_id(self) -> int:
        return int(self.ids[0])

    @property
    def last_id(self) -> int:
        return int(self.last_ids[-1])

    @property
    def has_aggregates(self) -> bool:
        return self.last_ids is not self.ids and bool(np.any(self.last_ids != self.ids))

    def columns(self) -> tuple[NDArray[Any], ...]:
        return self.ids, self.last_ids, self.times, self.prices, self.quantities, self.buyer_is_maker

    def take(self, index: Any) -> Trades:
        """The rows that a slice, a mask or an array of positions picks, in that order."""
        ids = self.ids[index]
        return replace(
            self,
            ids=ids,
            last_ids=ids if self.last_ids is self.ids else self.last_ids[index],
            times=self.times[index],
            prices=self.prices[index],
            quantities=self.quantities[index],
            buyer_is_maker=self.buyer_is_maker[index],
        )

    def rescaled(self, price_decimals: int, quantity_decimals: int) -> Trades:
        """The same trades with at least as many decimals.

        Raises:
            DataError: a value would leave int64.
        """
        if (price_decimals, quantity_decimals) == (self.price_decimals, self.quantity_decimals):
            return self
        return replace(
            self,
            prices=rescale(self.prices, price_decimals - self.price_decimals),
            quantities=rescale(self.quantities, quantity_decimals - self.quantity_decimals),
            price_decimals=price_decimals,
            quantity_decimals=quantity_decimals,
        )


def rescale(values: Ints, more_decimals: int) -> Ints:
    """Scale up by a power of ten.

    Raises:
        DataError: decimals would be lost, or a value would leave int64.
    """
    factor = 10 ** max(more_decimals, 0)
    if more_decimals < 0 or (len(values) and int(np.abs(values).max()) * factor > INT64_MAX):
        raise DataError(f"values cannot be scaled exactly by 10**{more_decimals} within 64 bits")
    scaled: Ints = values * np.int64(factor)
    return scaled


def concatenate(parts: Sequence[Trades]) -> Trades:
    """All rows of all parts, in the order given, at the widest decimals among them."""
    if len(parts) == 1:
        return parts[0]
    price_decimals = max((part.price_decimals for part in parts), default=0)
    quantity_decimals = max((part.quantity_decimals for part in parts), default=0)
    parts = [part.rescaled(price_decimals, quantity_decimals) for part in parts if len(part)]
    if not parts:
        return Trades.empty(price_decimals, quantity_decimals)
    ids, last_ids, times, prices, quantities, buyer_is_maker = (
        np.concatenate(column) for column in zip(*(part.columns() for part in parts), strict=True)
    )
    return Trades(
        ids=ids,
        last_ids=ids if all(part.last_ids is part.ids for part in parts) else last_ids,
        times=times,
        prices=prices,
        quantities=quantities,
        buyer_is_maker=buyer_is_maker,
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
    )


def merge(parts: Sequence[Trades]) -> Trades:
    """All trades of all parts in the order of ids, each id once.

    The result depends neither on the order of the parts nor on repetition. An aggregate gives way where all of its
    trades are there one by one; else it stays, since its sums are right for all of its ids, and its single trades go:
    no id counts twice.
    """
    trades = concatenate(parts)
    if len(trades) < 2 or bool(np.all(trades.ids[1:] > trades.last_ids[:-1])):
        return trades
    if not trades.has_aggregates:
        return _one_per_id(trades)
    whole = trades.last_ids > trades.ids
    singles, aggregates = _one_per_id(trades.take(~whole)), _one_per_id(trades.take(whole))
    low = np.searchsorted(singles.ids, aggregates.ids)
    high = np.searchsorted(singles.ids, aggregates.last_ids, side="right")
    needed = high - low <= aggregates.last_ids - aggregates.ids
    covered = np.zeros(len(singles) + 1, dtype=np.int64)
    np.add.at(covered, low[needed], 1)
    np.add.at(covered, high[needed], -1)
    kept = concatenate([singles.take(np.cumsum(covered[:-1]) == 0), aggregates.take(needed)])
    return kept.take(np.argsort(kept.ids, kind="stable"))


def _one_per_id(trades: Trades) -> Trades:
    # The further keys decide only when one id came with two contents: then every order of arrival keeps the same one.
    rest = (trades.buyer_is_maker, trades.quantities, trades.prices, trades.times, trades.last_ids)
    trades = trades.take(np.lexsort((*rest, trades.ids)))
    first = np.ones(len(trades), dtype=np.bool_)
    first[1:] = trades.ids[1:] != trades.ids[:-1]
    return trades if bool(first.all()) else trades.take(first)
