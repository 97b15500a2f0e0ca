"""What is known of the markets at one moment: read once per market, however many rules look at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from quant.alerting.templates import moment
from quant.domain.bar import Bars, merge
from quant.domain.interval import DAY, MINUTE, SECOND, STORED, Interval, floor
from quant.domain.market import Market
from quant.domain.ports import BarRepository, Heartbeat, HeartbeatRepository, TickRepository, Watermark
from quant.live_bars import LiveBars, Tail
from quant.readings.frame import Frame, frame_of

ALIVE = 30 * SECOND
"""A heartbeat that is older says nothing of now."""
SILENCE = MINUTE
"""A market is believed to be silent up to so long before a living ingestor's word: what a dead connection hides comes
to light sooner."""
LONGEST_SILENCE = DAY
"""A market in which nothing has been traded for so long is no longer believed to be merely silent: it may be gone."""
SETTLED = 5 * SECOND
"""The second of the newest trade is believed to be over when a living ingestor has heard nothing else for so long."""
LIVE = "live"
INTERVALS = {interval.name: interval for interval in STORED}


@dataclass(frozen=True, slots=True)
class Known:
    """How far a market is known.

    Attributes:
        until: bars that end at or before this are all there, or not yet healed, ms; 0 where nothing is known.
        reason: why nothing is known after it.
    """

    tail: Tail
    until: int
    reason: str


@dataclass(slots=True)
class Feed:
    """Bars of all markets up to now. Made for one run and thrown away.

    Attributes:
        kinds: by market, what is not live.
        reads: how often a market was read.
    """

    ticks: TickRepository
    bars: BarRepository
    beats: tuple[Heartbeat, ...]
    marks: Mapping[Market, Watermark]
    now: int
    kinds: Mapping[str, str] = field(default_factory=dict)
    reads: int = 0
    _known: dict[Market, Known] = field(default_factory=dict)
    _frames: dict[tuple[Market, str], Frame] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        ticks: TickRepository,
        bars: BarRepository,
        heartbeats: HeartbeatRepository,
        now: int,
        earlier: Mapping[str, str] | None = None,
    ) -> Feed:
        """Heartbeats are read first: what an ingestor says it has stored is then found.

        Args:
            earlier: kinds as they were known before: an ingestor that has been dead for an hour says nothing more.
        """
        beats = heartbeats.all()
        return cls(ticks, bars, beats, bars.watermarks(), now, _kinds(beats, earlier or {}), reads=2)

    def kind_of(self, market: Market) -> str:
        """``live``, ``simulated`` or ``replay``, as the newest ingestor of it says or said; live where none has."""
        return self.kinds.get(str(market), LIVE)

    def known(self, market: Market) -> Known:
        """How far it is known; its newest trades are read at the first call."""
        if market not in self._known:
            self.reads += 1
            tail = LiveBars(self.ticks, self.bars).tail(market, self.now)
            has_any = len(tail.seconds) or market in self.marks
            until = max(tail.open_from, self._silent_until(market, tail)) if has_any else 0
            last = self._last_trade(market, tail)
            is_gone = 0 < last <= self.now - LONGEST_SILENCE
            if is_gone:
                until = min(until, floor(last + LONGEST_SILENCE, SECOND))
            self._known[market] = Known(tail, until, self._reason(market, until, last if is_gone else 0))
        return self._known[market]

    def frame(self, market: Market, interval: str, start: int) -> Frame:
        """Its bars from ``start``, on the grid, up to where they are known. The first call for an interval should name
        the earliest start: a later start is served out of what was read."""
        kept = self._frames.get((market, interval))
        if kept is None or kept.start > start:
            kept = self._frames[market, interval] = self._read(market, INTERVALS[interval], start)
        return kept

    def past(self, market: Market, interval: str, start: int, end: int) -> Frame:
        """Its bars of ``start <= time < end``, as far as they are known; not kept."""
        return self._read(market, INTERVALS[interval], start, end)

    def _read(self, market: Market, interval: Interval, start: int, end: int | None = None) -> Frame:
        known, live = self.known(market), LiveBars(self.ticks, self.bars)
        until = floor(known.until if end is None else min(end, known.until), interval.ms)
        if until <= start:
            return frame_of(Bars.empty(interval.ms), start, until)
        self.reads += 1
        # The bar that is still open says whether the last closed one is whole.
        bars = live.read(market, interval, start, until + interval.ms, known.tail)
        if not len(bars) or int(bars.time[0]) > start:
            self.reads += 1
            before = live.read_newest(market, interval, start, 1, known.tail)
            bars = merge([before, bars]) if len(before) else bars
        return frame_of(bars, start, until)

    def _silent_until(self, market: Market, tail: Tail) -> int:
        """Up to when a living ingestor that misses nothing has heard nothing: then nothing was traded."""
        mark = self.marks.get(market)
        newest = int(tail.seconds.last_id[-1]) if len(tail.seconds) else mark.last_id if mark else -1
        words = [beat.time for beat in self.beats if self.now - beat.time <= ALIVE and _hears_all(beat, market, newest)]
        if not words:
            return 0
        is_over = len(tail.seconds) > 0 and max(words) - tail.open_from >= SECOND + SETTLED
        return max(floor(max(words) - SILENCE, SECOND), tail.open_from + SECOND if is_over else 0)

    def _last_trade(self, market: Market, tail: Tail) -> int:
        """Its time, ms; 0 where none is known."""
        mark = self.marks.get(market)
        newest = int(tail.seconds.time[-1]) if len(tail.seconds) else 0
        return max(newest, mark.last_time if mark else 0)

    def _reason(self, market: Market, until: int, last: int) -> str:
        alive = [beat for beat in self.beats if self.now - beat.time <= ALIVE]
        is_followed = any(pulse.market == market for beat in alive for pulse in beat.pulses)
        why = "" if is_followed else "; no running ingestor follows it" if alive else "; no ingestor reports"
        if not until:
            return f"no trade of {market.symbol} has been stored yet{why}"
        if last:
            return f"{market.symbol} has not been traded since {moment(last)}: it may no longer be{why}"
        # Without a time: a rule's state tells since when, and a reason that moves with a lag would be written anew.
        return f"nothing newer of {market.symbol} is known{why}"


def _kinds(beats: Sequence[Heartbeat], earlier: Mapping[str, str]) -> dict[str, str]:
    newest = {str(pulse.market): beat.source for beat in beats for pulse in beat.pulses}
    return {market: kind for market, kind in {**earlier, **newest}.items() if kind != LIVE}


def _hears_all(beat: Heartbeat, market: Market, newest: int) -> bool:
    """Whether this ingestor is connected, has stored all that it heard, misses nothing, and we have read all of it."""
    figures = beat.figures
    if figures.get("connected", 1) < figures.get("connections", 1):
        return False
    return any(
        pulse.last_id == pulse.confirmed_id and 0 < pulse.last_id <= newest and not pulse.counters.get("missing_ids", 0)
        for pulse in beat.pulses
        if pulse.market == market
    )
