"""The use case: frames in, stored chunks out.

parse → validate → sequence → batch, as often as frames are drained; pack → journal → outbox, at each flush.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ingestor.batcher import Batcher
from ingestor.exchanges.base import Exchange, Frame, Reply
from ingestor.logging_json import Log, Seldom
from ingestor.outbox import Entry
from ingestor.quarantine import Quarantine
from ingestor.threads import in_thread
from ingestor.tracker import Tracker
from ingestor.validation import faults, validate
from ingestor.writer import Writer
from quant.domain.chunk import Chunk
from quant.domain.interval import DAY, MINUTE
from quant.domain.market import Market
from quant.domain.ports import Clock
from quant.domain.trade import Trades
from quant.errors import DataError

Pack = Callable[[Sequence[tuple[Market, Trades]]], list[Chunk]]
OldTrades = Callable[[Market, Trades], object]
# What is about to expire is not written as a tick any more.
TTL_MARGIN = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class Received:
    """What a batch of frames came to."""

    valid: int = 0
    new: int = 0
    shutdown: bool = False
    opened_holes: bool = False


class Pipeline:
    """Connects the parts; every port is an argument."""

    def __init__(
        self,
        exchanges: Iterable[Exchange],
        markets: Iterable[Market],
        pack: Pack,
        writer: Writer,
        clock: Clock,
        log: Log,
        *,
        old_trades: OldTrades | None = None,
        tick_ttl: int = 7 * DAY,
    ) -> None:
        """``old_trades`` takes what is older than ``tick_ttl`` (ms); without it all goes to the writer."""
        self.exchanges = {exchange.name: exchange for exchange in exchanges}
        self.trackers = {market: Tracker(market) for market in markets}
        self.writer, self._pack, self._clock, self._log = writer, pack, clock, log
        self._old_trades, self._tick_ttl = old_trades, tick_ttl
        self._seldom = Seldom(log, 10.0)
        self._batcher = Batcher()
        self.quarantine = Quarantine()
        self.counters: Counter[str] = Counter()
        self.clock_offset: dict[str, int] = {}
        self.heard: Callable[[Market, int], None] = lambda market, trades: None

    def receive(self, exchange: Exchange, frames: Sequence[Frame]) -> Received:
        """Take raw frames of one connection in the order of arrival."""
        now = self._clock()
        parsed = exchange.parse(frames)
        self.counters["frames"] += len(frames)
        self.counters["ignored_frames"] += parsed.ignored
        for rejected in parsed.rejected:
            self._refuse(now, rejected.reason, rejected.frame)
        valid = new = 0
        opened = False
        for arrivals in parsed.arrivals:
            exchange_now = now + self.clock_offset.get(exchange.name, 0)
            trades, refused = validate(arrivals, self.trackers, exchange_now)
            for reason, position in refused:
                self._refuse(now, reason, frames[position])
            if len(trades):
                fresh, holes = self._sequence(arrivals.market, trades, now)
                self._batcher.add(arrivals.market, fresh)
                self.heard(arrivals.market, len(trades))
                valid, new, opened = valid + len(trades), new + len(fresh), opened or holes
        return Received(valid, new, self._handle(parsed.events), opened)

    async def flush(self) -> int:
        """Pack what has come, keep it in the journal and queue it; how many chunks."""
        chunks = self.cut()
        self._lost(await self.writer.submit(chunks))
        return len(chunks)

    def cut(self) -> list[Chunk]:
        """Pack what has come since the last cut."""
        batches = list(self._batcher.cut().items())
        try:
            return self._pack(batches)
        except DataError:
            return [chunk for market, trades in batches for chunk in self._packed(market, trades)]

    async def heal(self, market: Market, trades: Trades) -> int:
        """Take trades that were fetched by id; how many missing ids they brought."""
        now = self._clock()
        while found := faults(trades, now + self.clock_offset.get(market.exchange, 0)):
            reason, rows = found[0]
            self._refuse(now, f"rest_{reason}", repr(trades.ids[rows][:5].tolist()))
            trades = trades.take(~rows)
        before = self.trackers[market].counters["filled"]
        oldest = self.archived_before()
        old = trades.take(trades.times < oldest)
        if self._old_trades is not None and len(old):
            await in_thread(self._old_trades, market, old)
        fresh, _ = self._sequence(market, trades, now)
        fresh = fresh.take(fresh.times >= oldest) if len(old) else fresh
        self._lost(await self.writer.submit(self._packed(market, fresh), healed=True))
        return self.trackers[market].counters["filled"] - before

    def archived_before(self) -> int:
        """Trades older than this (ms) are not written as ticks any more."""
        return 0 if self._old_trades is None else self._clock() - self._tick_ttl + TTL_MARGIN

    def lowest_waiting(self) -> dict[Market, int]:
        """The lowest id that is not stored yet, per market."""
        lowest = self.writer.lowest_waiting()
        for market, first in self._batcher.lowest().items():
            lowest[market] = min(first, lowest.get(market, first))
        return lowest

    def _sequence(self, market: Market, trades: Trades, now: int) -> tuple[Trades, bool]:
        tracker = self.trackers[market]
        done = tracker.offer(trades, now)
        if done.reset:
            self._log("ids_reset", "WARNING", market=str(market), next_id=tracker.sequencer.next_id)
        for first, last in done.opened:
            self._log("hole_opened", "WARNING", market=str(market), first_id=first, last_id=last)
        return done.trades, bool(done.opened)

    def _packed(self, market: Market, trades: Trades) -> list[Chunk]:
        try:
            return self._pack([(market, trades)])
        except DataError as exc:
            # Validation lets none of these pass; should one, it costs this flush of one market and is fetched again.
            self._log("pack_failed", "ERROR", market=str(market), reason=str(exc), trades=len(trades))
            for first, last in zip(trades.ids.tolist(), trades.last_ids.tolist(), strict=True):
                self.trackers[market].sequencer.reopen(first, last)
            return []

    def _lost(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self.counters["dropped_chunks"] += 1
            self.trackers[entry.market].sequencer.reopen(entry.first_id, entry.last_id)
            self._seldom(
                "chunk_dropped",
                "ERROR",
                market=str(entry.market),
                first_id=entry.first_id,
                last_id=entry.last_id,
                reason="neither disk nor memory can keep it; to be fetched again",
            )

    def _handle(self, events: Iterable[object]) -> bool:
        shutdown = False
        for event in events:
            if isinstance(event, Reply):
                if event.error:
                    self._log("subscription_refused", "ERROR", request=event.request_id, reason=event.error)
            else:
                shutdown = True
        return shutdown

    def _refuse(self, now: int, reason: str, frame: Frame) -> None:
        specimen = self.quarantine.add(now, reason, frame)
        self._seldom("quarantined", "WARNING", reason=reason, frame=specimen.frame.decode("utf-8", "replace"))
