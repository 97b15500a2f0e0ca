"""What the ingestor says of itself every ten seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ingestor.connection import Feed
from ingestor.gaps import FIGURE, Gaps
from ingestor.heal import Healer
from ingestor.pipeline import Pipeline
from quant.domain.market import Market
from quant.domain.ports import Heartbeat, MarketPulse

PERIOD = 10.0
# A connection that comes back within this long (ms) makes nothing late.
RECONNECTING = 10_000


class Pulse:
    """Makes heartbeats out of the parts' figures."""

    def __init__(
        self,
        pipeline: Pipeline,
        feeds: Sequence[Feed],
        healer: Healer,
        now: int,
        *,
        shard: str,
        instance: str,
        source: str,
        gaps: Gaps,
        absent: Callable[[Market], int],
    ) -> None:
        """``absent`` tells for how long, ms, a market has had no connection."""
        self._gaps, self._absent = gaps, absent
        self._pipeline, self._feeds, self._healer = pipeline, feeds, healer
        self._shard, self._instance, self._source = shard, instance, source
        self._started = self._last_time = now
        self._last_trades = 0

    def beat(self, now: int) -> Heartbeat:
        """The heartbeat of this moment; rates are those since the one before."""
        return Heartbeat(self._shard, self._instance, now, self._source, self._pulses(), self._figures(now))

    def _pulses(self) -> tuple[MarketPulse, ...]:
        writer, waiting = self._pipeline.writer, self._pipeline.lowest_waiting()
        return tuple(
            MarketPulse(
                market=market,
                last_id=tracker.last_id,
                last_time=tracker.last_time,
                confirmed_id=writer.confirmed.get(market, 0),
                confirmed_time=writer.confirmed_times.get(market, 0),
                frontier=writer.frontier.get(market, 0),
                lag_ms=late(tracker.lag_ms, self._absent(market)),
                last_price=tracker.last_price,
                counters={
                    **tracker.counters,
                    "holes_open": len(tracker.sequencer.holes),
                    "missing_ids": tracker.sequencer.holes.count(),
                    **({"contiguous_id": tracker.contiguous_id(waiting.get(market))} if tracker.resumed else {}),
                },
            )
            for market, tracker in self._pipeline.trackers.items()
        )

    def _figures(self, now: int) -> dict[str, Any]:
        trackers, writer = self._pipeline.trackers.values(), self._pipeline.writer
        trades = sum(tracker.counters["trades"] for tracker in trackers)
        seconds = max(now - self._last_time, 1) / 1000
        rate, self._last_trades, self._last_time = (trades - self._last_trades) / seconds, trades, now
        return {
            "trades_per_second": round(rate, 1),
            "trades": trades,
            "stored_trades": writer.trades,
            "chunks": writer.chunks,
            "connected": sum(feed.connected for feed in self._feeds),
            "connections": len(self._feeds),
            "reconnects": sum(feed.reconnects for feed in self._feeds),
            "handovers": sum(feed.handovers for feed in self._feeds),
            "stale": sum(feed.stale for feed in self._feeds),
            "holes_open": sum(len(tracker.sequencer.holes) for tracker in trackers),
            "holes_healed": self._healer.healed_holes,
            "ids_healed": self._healer.healed,
            "aggregates": self._healer.aggregates,
            "gaps": sum(tracker.counters["gaps"] for tracker in trackers),
            FIGURE: self._gaps.figure(),
            "halts": sum(tracker.counters["halts"] for tracker in trackers),
            "duplicates": sum(tracker.counters["duplicates"] for tracker in trackers),
            "quarantined": self._pipeline.quarantine.total,
            "quarantined_by_reason": dict(self._pipeline.quarantine.counts),
            "ignored_frames": self._pipeline.counters["ignored_frames"],
            "dropped_chunks": self._pipeline.counters["dropped_chunks"],
            "refused_by_disk": writer.refused_by_disk,
            "journal_bytes": writer.journal_bytes,
            "queue_depth": writer.queued,
            "parked_chunks": len(writer.parked),
            "storage_retries": writer.retries,
            "uptime_s": (now - self._started) // 1000,
        }


def late(lag: int | None, absent: int) -> int | None:
    """How late trades are, ms: as the last ones came, or as long as none can come."""
    return lag if absent <= RECONNECTING else max(lag or 0, absent)
