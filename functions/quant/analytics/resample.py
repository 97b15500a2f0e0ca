"""Bars out of trades, and coarser bars out of finer ones, in exact integers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.domain.bar import (
    COMPLETE,
    FROM_EXCHANGE,
    FROM_TRADES,
    INCOMPLETE,
    UNKNOWN,
    Bars,
    Sums,
    concatenate,
    narrow,
    wide,
)
from quant.domain.trade import INT64_MAX, Bools, Ints, Trades

_PIECE = 1 << 15
# Looking up where a bar begins costs as much as dividing this many times by its length.
_SEARCH = 8


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
    edges = _edges(trades, interval)
    parts = [trades.take(slice(low, high)) for low, high in pairwise(edges)]
    before = [previous_id, *(part.last_id for part in parts[:-1])]
    after = [*(part.first_id for part in parts[1:]), next_id]
    is_open = [*(False for _ in parts[1:]), open_end]
    return concatenate([_bars(*one, interval) for one in zip(parts, before, after, is_open, strict=True)])


def _edges(trades: Trades, interval: int) -> list[int]:
    """Where many trades are cut between bars, into pieces that the processor's cache holds: half the time, and memory
    for one piece. Trades that do not ascend by time are one piece."""
    times = trades.times
    if len(times) <= _PIECE or not all(_ascends(times[at : at + _PIECE + 1]) for at in range(0, len(times), _PIECE)):
        return [0, len(times)]
    near = times[_PIECE::_PIECE]
    inner = np.unique(np.searchsorted(times, near - near % interval))
    return [0, *inner[inner > 0].tolist(), len(times)]


def _bars(trades: Trades, previous_id: int | None, next_id: int | None, open_end: bool, interval: int) -> Bars:
    joined = _joined(trades, previous_id, next_id, open_end)
    if not _ascends(trades.times):
        order = np.argsort(trades.times // interval, kind="stable")
        trades, joined = trades.take(order), joined[order]
    first = _first_of_each(trades.times, interval)
    last = np.append(first[1:], len(trades)) - 1
    volume, quote_volume, taker_volume, taker_quote_volume = _volumes(trades, first)
    return Bars(
        interval=interval,
        price_decimals=trades.price_decimals,
        quantity_decimals=trades.quantity_decimals,
        time=trades.times[first] // interval * interval,
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
    is_whole = trades.last_ids is trades.ids and trades.last_id - trades.first_id == len(trades) - 1
    links[1:-1] = is_whole or trades.ids[1:] == trades.last_ids[:-1] + 1
    links[-1] = open_end if next_id is None else next_id == trades.last_id + 1
    return links[:-1] & links[1:]


def _first_of_each(times: Ints, interval: int) -> NDArray[np.intp]:
    """Where each bar begins; ``times`` ascend, at least from bar to bar."""
    low, high = int(times[0]) // interval, int(times[-1]) // interval
    if (high - low) * _SEARCH > len(times) or not _ascends(times):
        bars = times // interval
        return np.flatnonzero(np.concatenate(([True], bars[1:] != bars[:-1])))
    found = np.searchsorted(times, np.arange(low, high + 1) * interval)
    return found[np.concatenate(([True], found[1:] != found[:-1]))]


def _ascends(values: Ints) -> bool:
    return bool((values[1:] >= values[:-1]).all())


def _volumes(trades: Trades, first: NDArray[np.intp]) -> tuple[Sums, Sums, Sums, Sums]:
    """Sums of quantity and of price times quantity, of all trades and of those whose taker bought; int64 where no sum
    can leave it, else Python integers."""
    prices, quantities = trades.prices, trades.quantities
    bought = quantities * (~trades.buyer_is_maker).astype(np.int64)
    longest = int(np.diff(np.append(first, len(trades))).max())
    largest = int(quantities.max()) * longest
    if largest > INT64_MAX:
        quantities, bought = wide(quantities), wide(bought)
    if largest * int(prices.max()) > INT64_MAX:
        prices = wide(prices)
    volume, quote_volume, taker_volume, taker_quote_volume = (
        narrow(np.add.reduceat(column, first)) for column in (quantities, quantities * prices, bought, bought * prices)
    )
    return volume, quote_volume, taker_volume, taker_quote_volume


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
