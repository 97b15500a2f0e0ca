"""Holes are fetched by id while the live stream goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress

import numpy as np

from ingestor.exchanges.base import Exchange
from ingestor.gaps import Gap, Gaps
from ingestor.healplan import HealPlan
from ingestor.logging_json import Log
from ingestor.pipeline import Pipeline
from ingestor.rest import RestClient
from quant.domain.interval import DAY
from quant.domain.market import Market
from quant.domain.ports import Clock
from quant.domain.trade import Trades, concatenate, merge
from quant.errors import ExchangeError, FrameError, StorageError, UnsupportedError

WORKERS = 4
LOOK_SECONDS = 0.5
# A host that had no single trades is asked for them again after this long.
AGGREGATES_SECONDS = 600.0
# Trades for the archive are gathered up to so many: it rewrites whole hours.
GATHERED = 50_000
GIVEN_UP_WITHIN = DAY
_MAX_AGGREGATE_PAGES = 20


class Healer:
    """Runs beside the pipeline and closes what its sequencers miss."""

    def __init__(
        self,
        pipeline: Pipeline,
        clients: Mapping[str, RestClient],
        log: Log,
        *,
        gaps: Gaps,
        clock: Clock,
        plan: HealPlan | None = None,
    ) -> None:
        self._pipeline, self._clients, self._log = pipeline, clients, log
        self._gaps, self._clock = gaps, clock
        self._plan = plan or HealPlan()
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(WORKERS)
        self._jobs: set[asyncio.Task[None]] = set()
        self._aggregates_until: dict[str, float] = {}
        self.healed = self.healed_holes = self.gaps = self.aggregates = 0

    def wake(self) -> None:
        """A hole was opened."""
        self._wake.set()

    async def run(self) -> None:
        """Heal for ever; cancel to end."""
        try:
            while True:
                holes = {m: t.sequencer.holes for m, t in self._pipeline.trackers.items() if t.sequencer.holes}
                for market, span in self._plan.due(time.monotonic(), holes):
                    job = asyncio.create_task(self._heal(market, *span))
                    self._jobs.add(job)
                    job.add_done_callback(self._jobs.discard)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            for job in self._jobs:
                job.cancel()

    async def _heal(self, market: Market, first: int, last: int) -> None:
        holes = self._pipeline.trackers[market].sequencer.holes
        try:
            async with self._slots:
                while missing := holes.within(first, last):
                    low, high = missing[0]
                    found = await self._gather(market, low, high)
                    self.healed += await self._pipeline.heal(market, found)
                    if not holes.within(low, low):
                        continue
                    # Not there, or nothing that can be used.
                    if not self._plan.absent(market, low, time.monotonic()):
                        raise ExchangeError("trades by id", f"id {low} is not there yet")
                    page = self._pipeline.exchanges[market.exchange].limits.page
                    self._give_up(market, *holes.within(low, min(high, low + page - 1))[0])
        except (ExchangeError, FrameError, StorageError) as exc:
            pause = self._plan.failed(market, time.monotonic(), 0.0 if getattr(exc, "retryable", True) else 10.0)
            self._log("heal_retry", "WARNING", market=str(market), first_id=first, last_id=last, reason=str(exc),
                      pause_s=round(pause, 3))  # fmt: skip
        else:
            self._plan.finished(market)
            self.healed_holes += 1
            self._log("hole_healed", market=str(market), first_id=first, last_id=last)
            self.wake()

    async def _gather(self, market: Market, low: int, high: int) -> Trades:
        """The next page of missing trades; many pages where they go to the archive."""
        pages: list[Trades] = []
        at = low
        while at <= high and sum(map(len, pages)) < GATHERED:
            found = await self._fetch(market, at, high)
            page = found.take((found.last_ids >= at) & (found.ids <= high))
            if not len(page):
                break
            pages.append(page)
            if int(page.times[-1]) >= self._pipeline.archived_before():
                break
            at = page.last_id + 1
        return concatenate(pages)

    async def _fetch(self, market: Market, low: int, high: int) -> Trades:
        exchange = self._pipeline.exchanges[market.exchange]
        client = self._clients[market.exchange]
        if time.monotonic() >= self._aggregates_until.get(market.exchange, 0.0):
            request = exchange.trades_from(market.symbol, low, min(exchange.limits.page, high - low + 1))
            try:
                trades = exchange.read_trades(await client.call(request), market.symbol)
            except UnsupportedError:
                self._aggregates_until[market.exchange] = time.monotonic() + AGGREGATES_SECONDS
                self._log("only_aggregates", "WARNING", exchange=market.exchange)
            else:
                return merge([trades])
        return await self._fetch_aggregates(exchange, client, market, low, high)

    async def _fetch_aggregates(
        self, exchange: Exchange, client: RestClient, market: Market, low: int, high: int
    ) -> Trades:
        # Aggregates cannot be asked for by trade id: from a time before the hole, page by page, until it is passed.
        start = self._pipeline.trackers[market].not_before(low)
        request = exchange.aggregates_from_time(market.symbol, max(start, 0), exchange.limits.page)
        found: list[Trades] = []
        for _ in range(_MAX_AGGREGATE_PAGES):
            page = exchange.read_aggregates(await client.call(request), market.symbol)
            inside = page.trades.take((page.trades.last_ids >= low) & (page.trades.ids <= high))
            found.append(inside)
            if page.next_page < 0 or not len(page.trades) or page.trades.last_id >= high:
                break
            if len(page.trades) and page.trades.last_id < low:
                self._pipeline.trackers[market].note_hole(low, int(page.trades.times[-1]))
            request = exchange.aggregates_from_page(market.symbol, page.next_page, exchange.limits.page)
        trades = concatenate(found)
        self.aggregates += int(np.count_nonzero(trades.last_ids > trades.ids))
        return trades

    def _give_up(self, market: Market, first: int, last: int) -> None:
        self.gaps += 1
        tracker = self._pipeline.trackers[market]
        tracker.sequencer.forget(first, last)
        tracker.counters["gaps"] += 1
        tracker.counters["gap_ids"] += last - first + 1
        reason, now = "the exchange does not have these ids", self._clock()
        start = max(tracker.not_before(first), now - GIVEN_UP_WITHIN)
        self._gaps.record([Gap(market.exchange, market.symbol, first, last, start, now, reason)])
        self._log("gap", "ERROR", market=str(market), first_id=first, last_id=last, reason=reason)
