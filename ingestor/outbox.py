"""Chunks on their way to storage, in order, with bounded memory. No I/O.

Live chunks leave in the order in which they came, so that each market's storage only ever grows at its end; healed ones
take a share of every batch beside them. Beyond the budget of memory a chunk's payload stays on disk alone; one that the
disk has refused is held as long as the hard limit allows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ingestor.idset import Span
from quant.domain.chunk import Chunk
from quant.domain.interval import HOUR, MINUTE, floor
from quant.domain.market import Market
from quant.domain.ports import DirtyMark


@dataclass(slots=True)
class Entry:
    """One chunk to be stored: in the journal under ``serial``, in memory as ``chunk``, or both."""

    market: Market
    first_id: int
    last_id: int
    first_time: int
    last_time: int
    count: int
    size: int
    serial: int | None = None
    chunk: Chunk | None = None

    @classmethod
    def of(cls, chunk: Chunk, serial: int | None) -> Entry:
        c = chunk
        return cls(c.market, c.first_id, c.last_id, c.first_time, c.last_time, c.count, len(c.payload), serial, c)

    @property
    def is_contiguous(self) -> bool:
        return self.count == self.last_id - self.first_id + 1


class Outbox:
    """Two lanes; ``take`` hands out a batch, which counts as waiting until ``settle``."""

    def __init__(self, memory: int = 16 * 2**20, hard: int = 64 * 2**20) -> None:
        self._memory, self._hard = memory, hard
        self._live: deque[Entry] = deque()
        self._healed: deque[Entry] = deque()
        self._out: list[Entry] = []
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self._live) + len(self._healed) + len(self._out)

    @property
    def is_on_disk(self) -> bool:
        """Whether all that waits would survive this process."""
        return all(entry.serial is not None for lane in (self._live, self._healed, self._out) for entry in lane)

    def put(self, entries: Iterable[Entry], *, healed: bool = False) -> list[Entry]:
        """Queue them; those that neither disk nor memory can keep come back."""
        lost = []
        for entry in entries:
            if entry.chunk is not None and entry.serial is not None and self.held_bytes + entry.size > self._memory:
                entry.chunk = None
            if entry.chunk is not None and self.held_bytes + entry.size > self._hard:
                lost.append(entry)
                continue
            self.held_bytes += entry.size if entry.chunk is not None else 0
            (self._healed if healed else self._live).append(entry)
        return lost

    def take(self, most: int) -> list[Entry]:
        """The next batch; at most a quarter of it healed while live chunks wait."""
        healed = min(len(self._healed), max(most // 4, most - len(self._live)))
        batch = [self._live.popleft() for _ in range(min(len(self._live), most - healed))]
        batch += [self._healed.popleft() for _ in range(healed)]
        self._out += batch
        return batch

    def settle(self, batch: Sequence[Entry]) -> None:
        """These are stored."""
        done = set(map(id, batch))
        self._out = [entry for entry in self._out if id(entry) not in done]
        self.held_bytes -= sum(entry.size for entry in batch if entry.chunk is not None)

    def lowest(self) -> dict[Market, int]:
        """The lowest id that waits, per market."""
        lowest: dict[Market, int] = {}
        for lane in (self._live, self._healed, self._out):
            for entry in lane:
                lowest[entry.market] = min(entry.first_id, lowest.get(entry.market, entry.first_id))
        return lowest


Runs = Callable[[Entry], Sequence[Span]]
"""The ranges of ids without a break in one chunk."""


def marks_needed(batch: Sequence[Entry], frontier: dict[Market, int], runs: Runs) -> list[DirtyMark]:
    """Marks for what lies in minutes that the frontier has left behind; neighbours of one hour share a mark.

    A mark covers no other ids than those that are about to be written: it is deleted once so many of them are there.
    """
    marks: list[DirtyMark] = []
    for entry in sorted(batch, key=lambda e: (e.market, e.first_time, e.first_id)):
        if floor(frontier.get(entry.market, 0), MINUTE) <= entry.first_time:
            continue
        hour = floor(entry.first_time, HOUR)
        spans = [(entry.first_id, entry.last_id)] if entry.is_contiguous else runs(entry)
        for first, last in spans:
            before = marks[-1] if marks else None
            if before and (before.market, before.hour, before.last_id + 1) == (entry.market, hour, first):
                first = marks.pop().first_id
            marks.append(DirtyMark(entry.market, hour, first, last, last - first + 1))
    return marks
