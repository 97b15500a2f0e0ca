"""The exchange's own bars of the last day, so that charts and statistics work at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ingestor.backoff import Backoff
from ingestor.exchanges.base import Exchange
from ingestor.logging_json import Log
from ingestor.rest import RestClient
from ingestor.threads import in_thread
from quant.domain.interval import DAY, M1, M5, Interval, floor
from quant.domain.market import Market
from quant.domain.ports import BarRepository, Clock
from quant.errors import QuantError

# A bar is asked for this long after its end: the exchange's REST may lag.
AFTER_CLOSE = 5_000
# A bar is taken for closed this long after its end.
SETTLED = 2_000


class History:
    """Fetches closed bars and merges them into storage, where better bars of our own win."""

    def __init__(self, bars: BarRepository, clock: Clock, log: Log) -> None:
        """``clock`` is the exchange's: a bar that is closed by ours alone would be stored half."""
        self._bars, self._clock, self._log = bars, clock, log

    async def last_day(self, exchange: Exchange, client: RestClient, markets: Sequence[Market]) -> None:
        """1m and 5m bars of the last 24 hours that are not stored yet."""
        now = self._clock()
        total = 0
        for done, market in enumerate(markets, 1):
            for interval in (M5, M1):
                total += await self._patiently(exchange, client, market, interval, floor(now - DAY, M5.ms), now)
            self._log("history", market=str(market), done=done, of=len(markets), bars=total)

    async def first_bars(self, exchange: Exchange, client: RestClient, markets: Sequence[Market], started: int) -> None:
        """The bars within which this ingestor started, once they are closed."""
        start = floor(started, M5.ms)
        await asyncio.sleep(max(start + M5.ms + AFTER_CLOSE - self._clock(), 0) / 1000)
        for market in markets:
            for interval in (M5, M1):
                await self._patiently(exchange, client, market, interval, start, start + M5.ms, skip_known=False)
        self._log("first_bars", markets=len(markets), start=start)

    async def _patiently(
        self, exchange: Exchange, client: RestClient, market: Market, interval: Interval, start: int, end: int,
        *, skip_known: bool = True,
    ) -> int:  # fmt: skip
        backoff = Backoff(base=0.5, cap=30.0)
        while True:
            try:
                return await self.fill(exchange, client, market, interval, start, end, skip_known=skip_known)
            except QuantError as exc:
                pause = backoff.next() if exc.retryable else None
                self._log("history_failed", "WARNING", market=str(market), interval=interval.name, reason=str(exc),
                          again_in_s=pause)  # fmt: skip
                if pause is None:
                    return 0
                await asyncio.sleep(pause)

    async def fill(
        self, exchange: Exchange, client: RestClient, market: Market, interval: Interval, start: int, end: int,
        *, skip_known: bool = True, said: Callable[[int, int], None] = lambda done, total: None,
    ) -> int:  # fmt: skip
        """The exchange's closed bars of ``start <= time < end``; how many were stored.

        ``said`` is told before and after each page how many of the intervals have been dealt with, and of how many.
        """
        start, end = -floor(-start, interval.ms), floor(end, interval.ms)
        begin = start
        total, written = (end - begin) // interval.ms, 0
        if skip_known:
            known = set((await in_thread(self._bars.read, market, interval, start, end)).time.tolist())
            missing = [time for time in range(start, end, interval.ms) if time not in known]
            start, end = (missing[0], missing[-1] + interval.ms) if missing else (end, end)
        while start < end:
            said((start - begin) // interval.ms, total)
            until = min(end, start + exchange.limits.page * interval.ms)
            request = exchange.klines(market.symbol, interval, start, until, exchange.limits.page)
            body = await client.fetch(request, attempts=5)
            bars = exchange.read_klines(body, market.symbol, interval, self._clock() - SETTLED)
            if len(bars):
                await in_thread(self._bars.merge, market, bars)
                written += len(bars)
            # A page may have been cut short: what follows its last bar is asked for, until there is none.
            start = int(bars.time[-1]) + interval.ms if len(bars) else until
        said(total, total)
        return written
