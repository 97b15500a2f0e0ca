"""Which of the parsed trades are believable, and why the others are not."""

from __future__ import annotations

from collections.abc import Container

import numpy as np

from ingestor.exchanges.base import Arrivals
from quant.domain.interval import SECOND
from quant.domain.market import Market
from quant.domain.trade import Bools, Trades

# Clocks of recorders and laptops run seconds behind the exchange.
AHEAD = 10 * SECOND
# 2017-01-01, before any exchange that is read here had trades.
EARLIEST = 1_483_228_800_000

UNKNOWN_SYMBOL, BAD_ID, BAD_PRICE, BAD_QUANTITY, BAD_TIME = "unknown_symbol", "id", "price", "quantity", "time"
Faults = tuple[tuple[str, Bools], ...]


def faults(trades: Trades, now: int) -> Faults:
    """Reasons with the rows that they concern; nothing where all rows are sound.

    Args:
        now: the exchange's clock, ms.
    """
    if not len(trades):
        return ()
    # Extremes first: in the usual case they settle it with one pass over each column.
    found = []
    if int(trades.ids.min()) <= 0:
        found.append((BAD_ID, trades.ids <= 0))
    if int(trades.prices.min()) <= 0:
        found.append((BAD_PRICE, trades.prices <= 0))
    if int(trades.quantities.min()) <= 0:
        found.append((BAD_QUANTITY, trades.quantities <= 0))
    if int(trades.times.min()) < EARLIEST or int(trades.times.max()) > now + AHEAD:
        found.append((BAD_TIME, (trades.times < EARLIEST) | (trades.times > now + AHEAD)))
    return tuple(found)


def validate(arrivals: Arrivals, known: Container[Market], now: int) -> tuple[Trades, list[tuple[str, int]]]:
    """The sound trades, and for each other one the reason and the position of its frame."""
    if arrivals.market not in known:
        return arrivals.trades.take(slice(0)), [(UNKNOWN_SYMBOL, int(at)) for at in arrivals.frames]
    found = faults(arrivals.trades, now)
    if not found:
        return arrivals.trades, []
    bad = np.zeros(len(arrivals.trades), np.bool_)
    refused = []
    for reason, rows in found:
        refused += [(reason, int(at)) for at in arrivals.frames[rows & ~bad]]
        bad |= rows
    return arrivals.trades.take(~bad), refused
