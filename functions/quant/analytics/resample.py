"""Bars out of trades, and coarser bars out of finer ones, in exact integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.domain.bar import COMPLETE, FROM_EXCHANGE, FROM_TRADES, INCOMPLETE, UNKNOWN, Bars, Sums, narrow, wide
from quant.domain.trade import INT64_MAX, Bools, Ints, Trades


def bars_of_trades(
    trades: Trades,
    interval: int,
    *,
    previous_id: int | None = None,
    next_id: int | None = None,
    open_end: bool = False,
) -> Bars:
    """Bars of ``interval`` ms; empty intervals are left out.

    A bar is complete when every trade in it joins the trade before and the trade after by id. Open and close are the
    prices of its first and last trade by id.

    Args:
        trades: ascending by id, each id once (quant.domain.trade.merge).
        interval: length of a bar, ms.
        previous_id: id of the last trade before these; None where none is known, and then the first bar is incomplete.
        next_id: id of the first trade after these; None where none is known, and then the last bar is incomplete,
        open_end: unless this says that the last bar is still open: it is judged on what is there so far.
    """
    if not len(trades):
        return Bars.empty(interval, trades.price_decimals, trades.quantity_decimals)
    joined = _joined(trades, previous_id, next_id, open_end)
    starts = trades.times - trades.times % interval
    if not bool(np.all(starts[1:] >= starts[:-1])):
        order = np.argsort(starts, kind="stable")
        trades, joined, starts = trades.take(order), joined[order], starts[order]
    first = np.flatnonzero(np.concatenate(([True], starts[1:] != starts[:-1])))
    last = np.append(first[1:], len(trades)) - 1
    volume, quote_volume = _volumes(trades, first)
    taker_volume, taker_quote_volume = _volumes(trades, first, ~trades.buyer_is_maker)
    return Bars(
        interval=interval,
        price_decimals=trades.price_decimals,
        quantity_decimals=trades.quantity_decimals,
        time=starts[first],
        open=trades.prices[first],
        high=np.maximum.reduceat(trades.prices, first),
        low=np.minimum.reduceat(trades.prices, first),
        close=trades.prices[last],
        volume=volume,
        quote_volume=quote_volume,
        taker_buy_volume=taker_volume,
        taker_buy_quote_volume=taker_quote_volume,
        trades=np.add.reduceat(trades.last_ids - trades.ids + 1, first) if trades.has_aggregates else last - first + 1,
        first_id=trades.ids[first],
        last_id=trades.last_ids[last],
        complete=np.where(np.logical_and.reduceat(joined, first), COMPLETE, INCOMPLETE).astype(np.int8),
        source=np.full(len(first), FROM_TRADES, dtype=np.int8),
    )


def coarser(bars: Bars, interval: int) -> Bars:
    """Bars of a multiple of their length; ``bars`` ascend by time. An empty bar, one without trades, adds nothing."""
    if bars.interval == interval:
        return bars
    if len(bars) and not bool(bars.trades.all()):
        bars = bars.take(bars.trades > 0)
    if not len(bars):
        return Bars.empty(interval, bars.price_decimals, bars.quantity_decimals)
    starts = bars.time - bars.time % interval
    first = np.flatnonzero(np.concatenate(([True], starts[1:] != starts[:-1])))
    last = np.append(first[1:], len(bars)) - 1
    known = bars.first_id >= 0
    return Bars(
        interval=interval,
        price_decimals=bars.price_decimals,
        quantity_decimals=bars.quantity_decimals,
        time=starts[first],
        open=bars.open[first],
        high=np.maximum.reduceat(bars.high, first),
        low=np.minimum.reduceat(bars.low, first),
        close=bars.close[last],
        volume=_sum(bars.volume, first),
        quote_volume=_sum(bars.quote_volume, first),
        taker_buy_volume=_sum(bars.taker_buy_volume, first),
        taker_buy_quote_volume=_sum(bars.taker_buy_quote_volume, first),
        trades=np.add.reduceat(bars.trades, first),
        first_id=_reduced(np.minimum, np.where(known, bars.first_id, INT64_MAX), first, none=INT64_MAX),
        last_id=np.maximum.reduceat(bars.last_id, first),
        complete=_certificates(bars.complete, first),
        source=np.where(np.minimum.reduceat(bars.source, first) == FROM_EXCHANGE, FROM_EXCHANGE, FROM_TRADES).astype(
            np.int8
        ),
    )


def _joined(trades: Trades, previous_id: int | None, next_id: int | None, open_end: bool) -> Bools:
    """For each trade, whether the ids before and after it are there."""
    links = np.empty(len(trades) + 1, dtype=np.bool_)
    links[0] = previous_id is not None and previous_id + 1 == trades.first_id
    links[1:-1] = trades.ids[1:] == trades.last_ids[:-1] + 1
    links[-1] = open_end if next_id is None else next_id == trades.last_id + 1
    return links[:-1] & links[1:]


def _volumes(trades: Trades, first: NDArray[np.intp], mask: Bools | None = None) -> tuple[Sums, Sums]:
    """Sums of quantity and of price times quantity; int64 where no sum can leave it, else Python integers."""
    quantities = trades.quantities if mask is None else trades.quantities * mask
    longest = int(np.diff(np.append(first, len(trades))).max())
    largest = int(trades.quantities.max())
    if largest * longest > INT64_MAX:
        volume = narrow(np.add.reduceat(wide(quantities), first))
    else:
        volume = np.add.reduceat(quantities, first)
    if largest * int(trades.prices.max()) * longest > INT64_MAX:
        return volume, narrow(np.add.reduceat(wide(quantities) * wide(trades.prices), first))
    return volume, np.add.reduceat(quantities * trades.prices, first)


def _sum(values: Sums, first: NDArray[np.intp]) -> Sums:
    longest = int(np.diff(np.append(first, len(values))).max())
    if values.dtype != object and int(values.max()) * longest > INT64_MAX:
        values = wide(values)
    return narrow(np.add.reduceat(values, first))


def _reduced(operation: Any, values: Ints, first: NDArray[np.intp], none: int) -> Ints:
    reduce: Callable[[Ints, NDArray[np.intp]], Ints] = operation.reduceat
    result = reduce(values, first)
    return np.where(result == none, -1, result)


def _certificates(complete: NDArray[np.int8], first: NDArray[np.intp]) -> NDArray[np.int8]:
    broken = np.logical_or.reduceat(complete == INCOMPLETE, first)
    unknown = np.logical_or.reduceat(complete == UNKNOWN, first)
    return np.where(broken, INCOMPLETE, np.where(unknown, UNKNOWN, COMPLETE)).astype(np.int8)
