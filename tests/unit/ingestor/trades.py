"""Trades for tests."""

from __future__ import annotations

from collections.abc import Sequence

from quant.domain.market import Market
from quant.domain.trade import Trades

BTC = Market("binance", "BTCUSDT")
START = 1_723_161_255_000


def trades(ids: Sequence[int], times: Sequence[int] | None = None, last_ids: Sequence[int] | None = None) -> Trades:
    """Trades with these ids, one a millisecond after ``START`` unless times are given."""
    return Trades.of(
        ids,
        [START + i for i in ids] if times is None else times,
        [6_183_763 + i % 7 for i in ids],
        [100 + i % 5 for i in ids],
        [i % 2 == 0 for i in ids],
        price_decimals=2,
        quantity_decimals=5,
        last_ids=last_ids,
    )
