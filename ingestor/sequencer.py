"""Which trades of one market are new, and which are missing, by the exchange's trade ids.

The state is the next id expected and the ids below it that have not arrived: the holes. A trade at or after the next id
is new, and what it skips becomes a hole. A trade below is new where it fills a hole, else it is a duplicate. Times
decide nothing here but whether an id is believable: ids grow with time, so a far jump within little time, or an old id
with a new time, is believed only once its successors follow it. Then the exchange has begun to count anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ingestor.idset import IdRanges, Span
from quant.domain.trade import Bools, Trades, concatenate

# Above what any market of any exchange has ever traded in a second; and what may be skipped at once in any case.
MAX_IDS_PER_SECOND = 20_000
FREE_JUMP = 1_000_000
# A new count is believed after this many trades of it in a row.
BELIEVED = 5
_MAX_SUSPECTS = 1_000


@dataclass(frozen=True, slots=True)
class Sequenced:
    """What one delivery came to.

    Attributes:
        trades: the new ones, ascending by id.
        duplicates: how many were there before.
        opened: holes that it opened.
        filled: how many missing ids it brought.
        reset: the exchange began to count anew.
        suspects: how many were put aside because their ids are not believable (yet).
    """

    trades: Trades
    duplicates: int = 0
    opened: tuple[Span, ...] = ()
    filled: int = 0
    reset: bool = False
    suspects: int = 0


class Sequencer:
    """The state of one market."""

    def __init__(self) -> None:
        self.next_id: int | None = None
        self.first_id: int | None = None
        self.last_time = 0
        self.holes = IdRanges()
        self._suspects: list[Trades] = []
        self._since = 0

    def anchor(self, last_id: int, not_before: int, not_after: int, holes: Iterable[Span] = ()) -> None:
        """Ids up to ``last_id`` are stored, but for ``holes``; before or after the first delivery.

        The time of ``last_id`` lies between ``not_before`` and ``not_after``, ms.
        """
        for first, last in holes:
            self.holes.add(first, last)
        if self.next_id is None or self.first_id is None:
            self.next_id = self.first_id = last_id + 1
            self.last_time, self._since = not_after, not_before
        elif last_id + 1 < self.first_id <= last_id + 1 + _plausible(self.last_time - not_before):
            self.holes.add(last_id + 1, self.first_id - 1)
            self.first_id = last_id + 1

    def offer(self, trades: Trades) -> Sequenced:
        """Take a delivery of valid trades in any order."""
        if not len(trades):
            return Sequenced(trades)
        if self.next_id is None:
            start = int(trades.ids.min()) if not _far_apart(trades) else int(trades.ids[0])
            self.next_id = self.first_id = start
            self.last_time = self._since = int(trades.times.max())
        if not self._suspects and int(trades.ids[0]) == self.next_id and _contiguous(trades):
            return self._advance(trades)
        return self._sort_out(trades)

    def expect(self, last_id: int, time: int) -> Span | None:
        """The exchange has traded up to ``last_id``; the hole that this opens, if any."""
        if self.next_id is None or not 0 <= last_id - self.next_id <= _plausible(time - self._since):
            return None
        hole = (self.next_id, last_id)
        self.holes.add(*hole)
        self.next_id = last_id + 1
        return hole

    def forget(self, first: int, last: int) -> None:
        """Give up on the missing ids among first…last: the exchange does not have them, or not for us."""
        self.holes.remove(first, last)

    def reopen(self, first: int, last: int) -> None:
        """Ids that were new and have been lost since: they are missing again."""
        self.holes.add(first, last)

    def _advance(self, trades: Trades) -> Sequenced:
        self.next_id = trades.last_id + 1
        self._seen(trades)
        return Sequenced(trades)

    def _seen(self, trades: Trades) -> None:
        latest = int(trades.times.max())
        self.last_time, self._since = max(self.last_time, latest), max(self._since, latest)

    def _sort_out(self, trades: Trades) -> Sequenced:
        assert self.next_id is not None
        doubtful = self._doubtful(trades)
        put_aside = 0
        if doubtful is not None:
            aside = trades.take(doubtful)
            trades = trades.take(~doubtful)
            put_aside = len(aside)
            believed = self._believe(aside)
            if believed is not None:
                # What came of the old count beside it is dealt with first.
                before = self._merge_in(trades)
                self.holes = IdRanges()
                self.next_id = self.first_id = int(believed.ids.min())
                self.last_time = self._since = int(believed.times.max())
                after = self._merge_in(believed)
                new = concatenate([before.trades, after.trades])
                return Sequenced(new, before.duplicates + after.duplicates, after.opened, before.filled, True)
        elif len(trades) and self._suspects:
            self._suspects = []
        done = self._merge_in(trades)
        return Sequenced(done.trades, done.duplicates, done.opened, done.filled, False, put_aside)

    def _merge_in(self, trades: Trades) -> Sequenced:
        assert self.next_id is not None
        assert self.first_id is not None
        if not len(trades):
            return Sequenced(trades)
        order = np.lexsort((-trades.last_ids, trades.ids))
        ids, last_ids, keep = trades.ids[order].tolist(), trades.last_ids[order].tolist(), []
        if ids[0] < self.first_id:
            # Trades before the first one seen: delivered out of order at the very beginning.
            self.holes.add(ids[0], self.first_id - 1)
            self.first_id = ids[0]
        opened: list[Span] = []
        filled, next_id = 0, self.next_id
        for position, first, last in zip(order.tolist(), ids, last_ids, strict=True):
            if first > next_id:
                opened.append((next_id, first - 1))
                self.holes.add(next_id, first - 1)
            missing = self.holes.within(first, last)
            fresh = last >= next_id
            if missing or fresh:
                keep.append(position)
            for low, high in missing:
                filled += high - low + 1
            if missing:
                self.holes.remove(first, last)
            next_id = max(next_id, last + 1)
        self.next_id = next_id
        self._seen(trades)
        new = trades.take(np.array(keep, np.int64)) if len(keep) < len(trades) or keep != sorted(keep) else trades
        return Sequenced(new, len(trades) - len(keep), tuple(opened), filled)

    def _doubtful(self, trades: Trades) -> Bools | None:
        assert self.next_id is not None
        far = trades.ids - self.next_id > _plausible(trades.times - self._since)
        # A duplicate was seen, so its time is no news. An id from below with a time after all others is another count.
        again = (trades.ids < self.next_id) & (trades.times > self.last_time)
        if self.holes and bool(again.any()):
            again &= np.array([not self.holes.within(first, first) for first in trades.ids.tolist()])
        doubtful = far | again
        return doubtful if bool(doubtful.any()) else None

    def _believe(self, aside: Trades) -> Trades | None:
        self._suspects = [*self._suspects, aside][-_MAX_SUSPECTS:]
        together = concatenate(self._suspects)
        ids = np.unique(together.ids)
        if len(ids) >= BELIEVED and int(ids[-1] - ids[-BELIEVED]) < 10 * BELIEVED:
            self._suspects = []
            return together.take(together.ids >= ids[-1] - FREE_JUMP)
        return None


def _plausible(elapsed: Any) -> Any:
    return FREE_JUMP + np.maximum(elapsed, 0) * MAX_IDS_PER_SECOND // 1000


def _contiguous(trades: Trades) -> bool:
    return bool(np.all(trades.ids[1:] == trades.last_ids[:-1] + 1))


def _far_apart(trades: Trades) -> bool:
    return int(trades.ids.max()) - int(trades.ids.min()) > FREE_JUMP
