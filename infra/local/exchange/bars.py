"""Bars of trades, in whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infra.local.exchange.trades import Instrument, Ints, Trades

_INT64_SAFE = 2**62


class Bar(NamedTuple):
    """One interval. Prices and volumes are in units of 1e-8, quote volumes of 1e-16."""

    time: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: int
    trades: int
    taker_buy_volume: int
    taker_buy_quote_volume: int
    first_id: int
    last_id: int


def bars_of(instrument: Instrument, trades: Trades, interval: int) -> list[Bar]:
    """The bars that hold trades, in order of time."""
    if not len(trades):
        return []
    starts = trades.times // interval * interval
    edges = np.flatnonzero(np.concatenate(([True], starts[1:] != starts[:-1])))
    last = np.concatenate((edges[1:], [len(trades)])) - 1
    taker = ~trades.buyer_is_maker
    quote = _quote(instrument, trades)
    columns = (
        starts[edges],
        trades.prices[edges],
        np.maximum.reduceat(trades.prices, edges),
        np.minimum.reduceat(trades.prices, edges),
        trades.prices[last],
        _sums(trades.quantities, edges),
        _sums(quote, edges),
        last - edges + 1,
        _sums(trades.quantities * taker, edges),
        _sums(quote * taker, edges),
        trades.first_id + edges,
        trades.first_id + last,
    )
    factor = instrument.tick * instrument.step if quote.dtype != object else 1
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [_scaled(Bar(*row), factor) for row in rows]


def merged(bars: Sequence[Bar], interval: int) -> list[Bar]:
    """Coarser bars of finer ones that all hold trades."""
    result: list[Bar] = []
    for bar in bars:
        start = bar.time // interval * interval
        if result and result[-1].time == start:
            result[-1] = _together(result[-1], bar)
        else:
            result.append(bar._replace(time=start))
    return result


def empty(time: int, close: int) -> Bar:
    """The bar of an interval without trades, as the exchange prints it."""
    return Bar(time, close, close, close, close, 0, 0, 0, 0, 0, -1, -1)


def _together(left: Bar, right: Bar) -> Bar:
    return Bar(
        left.time,
        left.open,
        max(left.high, right.high),
        min(left.low, right.low),
        right.close,
        left.volume + right.volume,
        left.quote_volume + right.quote_volume,
        left.trades + right.trades,
        left.taker_buy_volume + right.taker_buy_volume,
        left.taker_buy_quote_volume + right.taker_buy_quote_volume,
        left.first_id,
        right.last_id,
    )


def _quote(instrument: Instrument, trades: Trades) -> NDArray[Any]:
    # On its grids price times quantity fits an int64; off the grid, or when it is huge, Python's whole numbers do it.
    ticks, off_tick = np.divmod(trades.prices, instrument.tick)
    steps, off_step = np.divmod(trades.quantities, instrument.step)
    fits = int(ticks.max()) * int(steps.max()) * len(trades) < _INT64_SAFE
    if fits and not off_tick.any() and not off_step.any():
        return ticks * steps
    product: NDArray[Any] = trades.prices.astype(object) * trades.quantities.astype(object)
    return product


def _sums(values: NDArray[Any], edges: Ints) -> NDArray[Any]:
    if values.dtype != object and int(values.max()) * len(values) >= _INT64_SAFE:
        values = values.astype(object)
    sums: NDArray[Any] = np.add.reduceat(values, edges)
    return sums


def _scaled(bar: Bar, factor: int) -> Bar:
    return bar._replace(
        quote_volume=bar.quote_volume * factor, taker_buy_quote_volume=bar.taker_buy_quote_volume * factor
    )
