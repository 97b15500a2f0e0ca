"""Trades older than the ticks' time to live: they go straight to the archive, and their bars are made of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quant.analytics.resample import bars_of_trades
from quant.bar_store import store_bars
from quant.domain.interval import HOUR, MINUTE, S1
from quant.domain.market import Market
from quant.domain.ports import ArchiveRepository, BarRepository, Clock
from quant.domain.trade import Trades


@dataclass(frozen=True, slots=True)
class OldTrades:
    """The use case; its ports are blocking.

    Attributes:
        bar_1s_ttl: 1s bars older than this, ms, are not stored any more.
    """

    archive: ArchiveRepository
    bars: BarRepository
    clock: Clock
    bar_1s_ttl: int = 30 * 24 * HOUR

    def store(self, market: Market, trades: Trades) -> int:
        """Archive trades of hours that are over, and rewrite the bars of their minutes; how many bars were made."""
        of_hour = trades.times - trades.times % HOUR
        new = {hour: trades.take(of_hour == hour) for hour in np.unique(of_hour).tolist()}
        whole = {hour: self.archive.merge(market, hour, part) for hour, part in new.items()}
        # What an hour begins or ends with decides whether its neighbours' last or first bar is complete.
        for hour in list(new):
            for beside, edge in ((hour - HOUR, -1), (hour + HOUR, 0)):
                if beside not in whole and (there := self.archive.read(market, beside)) is not None:
                    whole[beside] = there
                    new[beside] = there.take([edge])
        return sum(self._bars(market, hour, whole, part) for hour, part in new.items())

    def _bars(self, market: Market, hour: int, whole: dict[int, Trades], new: Trades) -> int:
        trades, made = whole[hour], 0
        seconds = bars_of_trades(
            trades,
            S1.ms,
            previous_id=self._edge(market, hour - HOUR, whole, last=True),
            next_id=self._edge(market, hour + HOUR, whole, last=False),
        )
        recent = hour > self.clock() - self.bar_1s_ttl
        for start, end in _runs(_touched_minutes(trades, new)):
            part = seconds.between(start, end)
            made += store_bars(self.bars, market, part, start, end, closed_until=hour + 2 * HOUR, with_1s=recent).bars
        return made

    def _edge(self, market: Market, hour: int, whole: dict[int, Trades], *, last: bool) -> int | None:
        trades = whole[hour] if hour in whole else self.archive.read(market, hour)
        if trades is None or not len(trades):
            return None
        return trades.last_id if last else trades.first_id


def _touched_minutes(whole: Trades, new: Trades) -> list[int]:
    """Minutes of the new trades and of their neighbours, whose certificates they may change."""
    low = np.maximum(np.searchsorted(whole.ids, new.ids) - 1, 0)
    high = np.minimum(np.searchsorted(whole.ids, new.ids, side="right"), len(whole) - 1)
    times = np.concatenate([whole.times[low], new.times, whole.times[high]])
    minutes: list[int] = np.unique(times - times % MINUTE).tolist()
    return minutes


def _runs(minutes: list[int]) -> list[tuple[int, int]]:
    """Stretches of minutes without a break, so that a long heal is stored hour by hour and not minute by minute."""
    edges = np.flatnonzero(np.diff(minutes) != MINUTE) + 1
    return [(int(part[0]), int(part[-1]) + MINUTE) for part in np.split(np.array(minutes), edges)]
