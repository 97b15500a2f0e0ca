"""What an ingestor is made of and how it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ingestor.feeds import STREAMS_PER_CONNECTION
from ingestor.heartbeat import PERIOD
from ingestor.idset import IdRanges, Span
from ingestor.pipeline import Pack
from ingestor.resume import HEAL_MAX
from ingestor.silence import LEAST
from quant.domain.chunk import Chunk
from quant.domain.interval import DAY
from quant.domain.market import Market
from quant.domain.ports import BarRepository, HeartbeatRepository, InstrumentRepository, TickRepository
from quant.domain.trade import Trades

# Of the 20 s that SIGTERM leaves: this long for storing what has come, the rest for closing.
DRAIN_SECONDS = 14.0


class OldTradeStore(Protocol):
    """Where trades go that are older than ticks are kept: straight to archive and bars."""

    def store(self, market: Market, trades: Trades) -> object:
        """Store all of them, ascending by id; when this returns, all are stored. Storing twice is harmless."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What the ingestor stores to."""

    ticks: TickRepository
    bars: BarRepository
    heartbeats: HeartbeatRepository
    instruments: InstrumentRepository
    old_trades: OldTradeStore | None = None


@dataclass(frozen=True, slots=True)
class Codec:
    """How trades become chunks and back."""

    pack: Pack
    unpack: Callable[[Chunk], Trades]

    def runs(self, chunk: Chunk) -> list[Span]:
        """The ranges of ids without a break."""
        trades = self.unpack(chunk)
        covered = IdRanges(zip(trades.ids.tolist(), trades.last_ids.tolist(), strict=True))
        return list(covered)


@dataclass(frozen=True, slots=True)
class Options:
    """How this ingestor works; all times in ms unless said otherwise."""

    flush_ms: int = 1_000
    shard: str = "1/1"
    instance: str = "local"
    source: str = "live"
    stale_seconds: float = 30.0
    heartbeat_seconds: float = PERIOD
    heal_max: int = HEAL_MAX
    tick_ttl: int = 7 * DAY
    first_pages: int = 30
    streams_per_connection: int = STREAMS_PER_CONNECTION
    settle_seconds: float = 0.5
    silent_seconds: float = LEAST
    absent_seconds: float = 60.0
    history: bool = True
    drain_seconds: float = DRAIN_SECONDS


def journal_folder(base: Path, shard: str) -> Path:
    """Each shard has a journal of its own."""
    return base / f"shard-{shard.replace('/', '-of-')}"
