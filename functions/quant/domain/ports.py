"""What use cases need of the outside. Each port has an in-memory twin in quant.storage.memory; one contract suite holds
both to the same behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from quant.domain.bar import Bars
from quant.domain.chunk import Chunk
from quant.domain.interval import Interval
from quant.domain.market import Instrument, Market
from quant.domain.trade import Trades

Clock = Callable[[], int]
"""Milliseconds since the epoch, UTC."""


@dataclass(frozen=True, slots=True)
class DirtyMark:
    """``count`` trades of first_id…last_id of an hour were, or are about to be, written below the published frontier.

    Written before their chunk; deleted by the resampler once that many trades are there and their bars rewritten.
    """

    market: Market
    hour: int
    first_id: int
    last_id: int
    count: int


@dataclass(frozen=True, slots=True)
class DamagedChunk:
    """A stored chunk that cannot be read; all of its trades count as missing."""

    market: Market
    hour: int
    first_id: int
    last_id: int
    digest: str
    reason: str


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a market has been resampled.

    Attributes:
        time: bars that start before it are stored; a whole minute.
        resume_id: the lowest id that a trade at or after ``time`` may have.
        last_id: id of the last trade before ``time``; -1 where there is none.
        last_time: time of that trade, ms.
        joined: whether the trade after it was there too, so that its bar is judged on both sides.
        written_at: when this was written, ms.
    """

    market: Market
    time: int
    resume_id: int
    last_id: int
    last_time: int
    joined: bool
    written_at: int


@dataclass(frozen=True, slots=True)
class MarketPulse:
    """What an ingestor says of one market in its heartbeat.

    ``confirmed_id`` and ``confirmed_time`` are those of the last stored trade; ``frontier`` promises that whatever this
    ingestor still writes of trades before that time is announced by a dirty mark. Zero where nothing is stored yet.
    ``last_price`` is the last trade's price as an exact decimal.
    """

    market: Market
    last_id: int
    last_time: int
    confirmed_id: int
    confirmed_time: int
    frontier: int
    lag_ms: int | None = None
    last_price: str | None = None
    counters: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One item per ingestor, every ten seconds.

    Attributes:
        shard: ``I/N``, or ``auto-`` and a name where ingestors share the symbols among themselves.
        instance: which process.
        time: when it was written, ms.
        source: ``live``, ``simulated`` or ``replay``.
        figures: trades per second, chunks, reconnects, journal bytes …, by name.
    """

    shard: str
    instance: str
    time: int
    source: str
    pulses: tuple[MarketPulse, ...]
    figures: dict[str, Any] = field(default_factory=dict)


class TickRepository(Protocol):
    """Stored trades, merged by id, and the marks beside them."""

    def write(self, chunks: Sequence[Chunk]) -> None:
        """Store all of them; when this returns, all are stored. Writing one twice is harmless."""

    def read(
        self,
        market: Market,
        start: int,
        end: int,
        *,
        first_id: int = 0,
        last_id: int | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        aligned: bool = False,
    ) -> Trades:
        """Trades with ``start <= time < end`` and ``first_id <= id <= last_id``, by id, at most ``limit``.

        With ``limit``, the first that many in the order asked for; the result itself always ascends. ``aligned`` says
        that ``first_id`` begins a minute, so that no chunk straddles it and the read is as short as can be.
        """

    def last_id(self, market: Market, start: int, end: int) -> int | None:
        """The highest id stored among the hours of ``start <= time < end``."""

    def mark_dirty(self, mark: DirtyMark) -> None: ...

    def dirty_marks(self) -> tuple[DirtyMark, ...]: ...

    def clear_mark(self, mark: DirtyMark) -> None: ...

    def note_damage(self) -> int:
        """Register the chunks that could not be read since the last call; how many."""

    def damaged(self) -> tuple[DamagedChunk, ...]:
        """Chunks that are registered as damaged."""

    def discard(self, damaged: DamagedChunk) -> None:
        """Delete a damaged chunk, unless a sound one has its key by now, and its registration."""


class BarRepository(Protocol):
    """Stored bars and how far they go."""

    def read(self, market: Market, interval: Interval, start: int, end: int) -> Bars:
        """Stored bars of a stored interval with ``start <= time < end``."""

    def merge(self, market: Market, bars: Bars) -> int:
        """Join ``bars`` with what is stored, by quant.domain.bar.merge; how many items were written."""

    def earliest(self, market: Market, interval: Interval, start: int) -> int | None:
        """Time of the first stored bar at or after ``start``."""

    def latest(self, market: Market, interval: Interval, end: int) -> int | None:
        """Time of the last stored bar before ``end``."""

    def watermarks(self) -> dict[Market, Watermark]: ...

    def watermark(self, market: Market) -> Watermark | None: ...

    def advance(self, watermark: Watermark) -> bool:
        """Store it if it is later than the stored one; whether it was."""

    def note_incomplete(self, market: Market, minute: int) -> None:
        """Register a minute with a bar whose trades are not all there, to be looked at again."""

    def incomplete(self) -> tuple[tuple[Market, int], ...]:
        """Registered minutes of the last hours in which holes are healed."""

    def clear_incomplete(self, market: Market, minute: int) -> None: ...

    def differences(self) -> tuple[str, ...]:
        """Keys of the bars, of the last week, in which our own complete bar and the exchange's differed."""


class HeartbeatRepository(Protocol):
    def put(self, heartbeat: Heartbeat) -> None: ...

    def all(self) -> tuple[Heartbeat, ...]:
        """Those of the last hour, the newest last."""


class InstrumentRepository(Protocol):
    def put(self, instruments: Sequence[Instrument]) -> None: ...

    def all(self) -> tuple[Instrument, ...]:
        """Every followed market, by exchange and symbol."""


class ArchiveRepository(Protocol):
    """Trades for ever, by market and hour."""

    def merge(self, market: Market, hour: int, trades: Trades) -> Trades:
        """Join an hour's trades with those that are archived, never to fewer ids; what is archived then."""

    def read(self, market: Market, hour: int) -> Trades | None:
        """The trades of an archived hour; None where there is none."""

    def hours(self, market: Market, start: int, end: int) -> Iterator[int]:
        """The archived hours that begin in ``start <= hour < end``."""
