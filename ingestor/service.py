"""The ingestor as a whole: its tasks, its rhythm and its orderly end."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

from ingestor.batcher import next_flush
from ingestor.budget import WeightBudget
from ingestor.exchanges.base import Exchange
from ingestor.feeds import Feeds
from ingestor.gaps import Gaps, close_filled
from ingestor.heal import Healer
from ingestor.healplan import HealPlan
from ingestor.heartbeat import Pulse
from ingestor.journal import Journal
from ingestor.logging_json import Log
from ingestor.options import Codec, Options, Ports
from ingestor.pipeline import Pipeline
from ingestor.probe import Prober
from ingestor.rest import RestClient
from ingestor.resume import frontiers
from ingestor.silence import Silence
from ingestor.starting import Starting
from ingestor.threads import in_thread
from ingestor.writer import Writer
from quant.domain.market import Market
from quant.domain.ports import Clock, Heartbeat
from quant.errors import QuantError

TICK_MS = 200
GAPS_LOOKED_AT_EVERY = 6


class Ingestor:
    """Made by a composition root; ``run`` until ``stop`` is set."""

    def __init__(
        self,
        exchanges: Sequence[Exchange],
        markets: Sequence[Market],
        ports: Ports,
        journal: Journal,
        codec: Codec,
        clock: Clock,
        log: Log,
        options: Options,
        metrics: Callable[[Heartbeat], None] = lambda beat: None,
    ) -> None:
        self._metrics = metrics
        self._exchanges = {e.name: e for e in exchanges if any(m.exchange == e.name for m in markets)}
        self._markets, self._ports, self._journal, self._clock, self._log = markets, ports, journal, clock, log
        self._options = options
        self._frontiers = partial(frontiers, ports.heartbeats, ports.bars)
        self.writer = Writer(ports.ticks, journal, log, frontiers=self._frontiers, runs=codec.runs)
        self.pipeline = Pipeline(
            self._exchanges.values(),
            markets,
            codec.pack,
            self.writer,
            clock,
            log,
            old_trades=ports.old_trades.store if ports.old_trades else None,
            tick_ttl=options.tick_ttl,
        )
        self.clients = {
            name: RestClient(
                WeightBudget(),
                log,
                used_header=exchange.used_weight_header,
                per_second=exchange.limits.rest_per_second,
            )
            for name, exchange in self._exchanges.items()
        }
        plan = HealPlan(settle=options.settle_seconds, absent_seconds=options.absent_seconds)
        self.gaps = Gaps(journal.folder)
        self.healer = Healer(self.pipeline, self.clients, log, gaps=self.gaps, clock=clock, plan=plan)
        self.silence = Silence(least=options.silent_seconds)
        self.feeds = Feeds(
            self.pipeline,
            markets,
            self.silence,
            log,
            stale_seconds=options.stale_seconds,
            hole=self.healer.wake,
            streams_per_connection=options.streams_per_connection,
        )
        self.prober = Prober(
            self.pipeline, self.clients, self.silence, log, found=self.healer.wake, replace=self.feeds.replace
        )
        self._pulse = Pulse(
            self.pipeline,
            self.feeds.all,
            self.healer,
            clock(),
            shard=options.shard,
            instance=options.instance,
            source=options.source,
            gaps=self.gaps,
            absent=self.feeds.absent,
        )
        self._starting = Starting(
            self.pipeline, self.clients, ports, self.gaps, clock, log, options, wake=self.healer.wake
        )
        self._flushing = asyncio.Lock()

    async def run(self, stop: asyncio.Event) -> bool:
        """Ingest until ``stop`` is set; whether the end was an orderly one."""
        replayed = await self.writer.replay()
        self._log("started", markets=[str(m) for m in self._markets], shard=self._options.shard, replayed=replayed,
                  torn=self._journal.torn)  # fmt: skip
        writing = self._task(self.writer.run(), "writer")
        receiving = [self._task(feed.run(), feed.name) for feed in self.feeds.all] + [
            self._task(self._drain(), "drain")
        ]
        helping = [
            self._task(self.healer.run(), "healer"),
            self._task(self.prober.run(), "prober"),
            self._task(self._beat(), "heartbeat"),
            *(
                self._task(self._starting.begin(exchange), f"begin {name}")
                for name, exchange in self._exchanges.items()
            ),
        ]
        stopped = self._task(stop.wait(), "stop")
        broken = await self._watch([writing, *receiving, *helping], stopped)
        await self._end(writing, receiving, helping)
        return not broken

    async def _watch(self, tasks: Sequence[asyncio.Task[Any]], stopped: asyncio.Task[Any]) -> bool:
        waiting = {*tasks, stopped}
        while True:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopped}:
                error = None if task.cancelled() else task.exception()
                if error is not None:
                    trace = "".join(traceback.format_exception(error))
                    self._log("task_failed", "ERROR", task=task.get_name(), reason=repr(error), trace=trace)
                    stopped.cancel()
                    return True
            if stopped in done:
                return False

    async def _end(
        self, writing: asyncio.Task[Any], receiving: Sequence[asyncio.Task[Any]], helping: Sequence[asyncio.Task[Any]]
    ) -> None:
        began = time.monotonic()
        self._log("stopping", queued=self.writer.queued)
        # A flush that has begun must end: until it is queued, what it has cut is in no other hands.
        with suppress(TimeoutError):
            async with asyncio.timeout(self._options.drain_seconds), self._flushing:
                pass
        for task in helping:
            task.cancel()
        await asyncio.gather(*(feed.stop() for feed in self.feeds.all))
        for task in receiving:
            task.cancel()
        await asyncio.gather(*receiving, *helping, return_exceptions=True)
        self.feeds.take()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._options.drain_seconds - (time.monotonic() - began)):
                await self._store_rest(writing)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        with suppress(TimeoutError, QuantError):
            async with asyncio.timeout(3.0):
                await in_thread(self._ports.heartbeats.put, self._pulse.beat(self._clock()))
        self._journal.close()
        self._log("stopped", stored=self.writer.trades, left_in_journal=self.writer.queued,
                  seconds=round(time.monotonic() - began, 2))  # fmt: skip

    async def _store_rest(self, writing: asyncio.Task[Any]) -> None:
        async with self._flushing:
            await self.pipeline.flush()
        drained = asyncio.create_task(self.writer.at_rest())
        await asyncio.wait({drained, writing}, return_when=asyncio.FIRST_COMPLETED)
        drained.cancel()

    async def _drain(self) -> None:
        flush_at = next_flush(self._clock(), self._options.flush_ms)
        while True:
            now = self._clock()
            await asyncio.sleep((next_flush(now, TICK_MS) - now) / 1000)
            self.feeds.take()
            self.feeds.watch()
            now = self._clock()
            if now >= flush_at or now < flush_at - 2 * self._options.flush_ms:
                flush_at = next_flush(now, self._options.flush_ms)
                async with self._flushing:
                    await self.pipeline.flush()

    async def _beat(self) -> None:
        for number in count():
            beat = self._pulse.beat(self._clock())
            self._metrics(beat)
            try:
                await in_thread(self._ports.heartbeats.put, beat)
                self.writer.raise_frontiers(await in_thread(self._frontiers))
            except QuantError as exc:
                self._log("heartbeat_failed", "WARNING", reason=str(exc))
            figures = {name: value for name, value in beat.figures.items() if not isinstance(value, Mapping)}
            self._log("heartbeat", **figures)
            if number % GAPS_LOOKED_AT_EVERY == 0 and self.gaps.all():
                await self._close_gaps()
            await asyncio.sleep(self._options.heartbeat_seconds)

    async def _close_gaps(self) -> None:
        try:
            closed = await in_thread(close_filled, self.gaps, self._ports.bars)
        except QuantError as exc:
            self._log("gaps_not_read", "WARNING", reason=str(exc))
            return
        for gap in closed:
            self._log("gap_closed", market=str(gap.market), first_id=gap.first_id, last_id=gap.last_id)

    def _task(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        return asyncio.create_task(work, name=f"ingestor:{name}")
