"""What is known of one market: its sequencer, its holes with their times, and its counters."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field

from ingestor.idset import Span
from ingestor.sequencer import Sequenced, Sequencer
from quant.domain.decimals import format_scaled
from quant.domain.interval import MINUTE
from quant.domain.market import Market
from quant.domain.trade import Trades

# A pause this long between two neighbouring ids is recorded: the market was silent, nothing is lost.
HALT = MINUTE


@dataclass(slots=True)
class Tracker:
    """State of one market; ``offer`` is the only way in for trades."""

    market: Market
    sequencer: Sequencer = field(default_factory=Sequencer)
    counters: Counter[str] = field(default_factory=Counter)
    last_id: int = 0
    last_time: int = 0
    last_price: str | None = None
    lag_ms: int | None = None
    resumed: bool = False
    _hole_starts: list[int] = field(default_factory=list)
    _hole_times: list[int] = field(default_factory=list)

    def offer(self, trades: Trades, now: int) -> Sequenced:
        before = self.sequencer.last_time
        done = self.sequencer.offer(trades)
        if done.reset:
            self.counters["resets"] += 1
        for first, _ in done.opened:
            self.note_hole(first, before)
            self.counters["holes_opened"] += 1
        self.counters["duplicates"] += done.duplicates
        self.counters["filled"] += done.filled
        self.counters["suspects"] += done.suspects
        if len(done.trades):
            self.counters["trades"] += len(done.trades)
            newest = int(done.trades.times.max())
            if before and not done.opened and not done.reset and int(done.trades.times[0]) - before >= HALT:
                self.counters["halts"] += 1
            if newest >= self.last_time:
                self.last_id, self.last_time = done.trades.last_id, newest
                self.last_price = format_scaled(int(done.trades.prices[-1]), done.trades.price_decimals)
                self.lag_ms = max(now - newest, 0)
        return done

    def expect(self, last_id: int, time: int) -> Span | None:
        """The exchange says that it has traded up to ``last_id``, then at ``time``."""
        opened = self.sequencer.expect(last_id, time)
        if opened is not None:
            self.counters["holes_opened"] += 1
            self.note_hole(opened[0], self.sequencer.last_time)
        return opened

    def note_hole(self, first: int, not_before: int) -> None:
        """Remember that trades from ``first`` on are not older than ``not_before``."""
        at = bisect_right(self._hole_starts, first)
        self._hole_starts.insert(at, first)
        self._hole_times.insert(at, not_before)
        if not self.sequencer.holes:
            del self._hole_starts[:-1], self._hole_times[:-1]

    def not_before(self, first: int) -> int:
        """A time at or before that of the missing trade ``first``; 0 where nothing is known."""
        at = bisect_right(self._hole_starts, first)
        return self._hole_times[at - 1] if at else 0

    def contiguous_id(self, waiting: int | None) -> int:
        """All ids up to this one are stored, as far back as was looked; ``waiting`` is the lowest not yet stored."""
        candidates = [self.sequencer.next_id or 0]
        if self.sequencer.holes:
            candidates.append(self.sequencer.holes.lowest)
        if waiting is not None:
            candidates.append(waiting)
        return min(candidates) - 1
