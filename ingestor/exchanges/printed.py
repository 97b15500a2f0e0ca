"""Trades as frames print them, one by one, and the columns that they make together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from quant.domain.decimals import decimals_needed, parse_scaled
from quant.domain.trade import MAX_DECIMALS, Ints, Trades


class PrintedTrade(Protocol):
    """Id, price, quantity, time (ms), and whether the buyer was the maker; numbers as plain decimals."""

    @property
    def t(self) -> int: ...
    @property
    def p(self) -> str: ...
    @property
    def q(self) -> str: ...
    @property
    def T(self) -> int: ...
    @property
    def m(self) -> bool | None: ...


def columns_of(
    found: Sequence[tuple[int, PrintedTrade]], decimals: tuple[int, int]
) -> tuple[tuple[Ints, Trades], list[int]]:
    """Messages of one market with the positions of their frames, as columns; and positions of what does not fit.

    A batch is widened to the decimals that its frames show. A frame that no common scale within 64 bits can hold is
    refused, so that one absurd number costs no other trade.
    """
    refused: list[int] = []
    kept = list(found)
    price_decimals, quantity_decimals = decimals
    for position, item in found:
        price, quantity = decimals_needed(item.p), decimals_needed(item.q)
        if max(price, quantity) > MAX_DECIMALS or not (_fits(item.p, price) and _fits(item.q, quantity)):
            refused.append(position)
            continue
        price_decimals, quantity_decimals = max(price_decimals, price), max(quantity_decimals, quantity)
    kept = [(at, item) for at, item in found if at not in refused] if refused else kept
    if (price_decimals, quantity_decimals) != decimals and not all(
        _fits(item.p, price_decimals) and _fits(item.q, quantity_decimals) for _, item in kept
    ):
        price_decimals, quantity_decimals = decimals
        wide = [at for at, item in kept
                if decimals_needed(item.p) > decimals[0] or decimals_needed(item.q) > decimals[1]]  # fmt: skip
        refused += wide
        kept = [(at, item) for at, item in kept if at not in wide]
    trades = Trades.of(
        [item.t for _, item in kept],
        [item.T for _, item in kept],
        [parse_scaled(item.p, price_decimals) for _, item in kept],
        [parse_scaled(item.q, quantity_decimals) for _, item in kept],
        [item.m is True for _, item in kept],
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
    )
    return (np.array([at for at, _ in kept], np.int64), trades), refused


def _fits(text: str, decimals: int) -> bool:
    return len(text.partition(".")[0].lstrip("-0")) + decimals <= 18
