"""Sequencer and journal together: any interleaving of deliveries, duplicates, losses, heals and crashes ends alike."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestor.gaps import missing_between
from ingestor.journal import Journal
from ingestor.sequencer import Sequencer
from quant.domain.trade import Trades, merge
from quant.storage.codec import pack, unpack
from tests.unit.ingestor.trades import BTC, START, trades

FIRST, COUNT = 100, 60
PUBLISHED = range(FIRST, FIRST + COUNT)

delivery = st.lists(st.sampled_from(PUBLISHED), min_size=1, max_size=15)
step = st.one_of(
    st.tuples(st.just("deliver"), delivery),
    st.tuples(st.just("flush"), st.booleans()),
    st.tuples(st.just("store"), st.integers(1, 5)),
    st.tuples(st.just("heal"), st.integers(0, 10)),
    st.tuples(st.just("crash"), st.integers(0, 40)),
)


class Ingestor:
    """The rules of the real one without its clock and its network: ticks, journal and the exchange are what lasts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stored = folder, list[Trades]()
        self.begin()

    def begin(self) -> None:
        self.journal = Journal(self.folder, segment_bytes=600, sync=False)
        self.queue = [(serial, self.journal.load(serial)) for serial in self.journal.waiting()]
        self.fresh: list[Trades] = []
        self.sequencer = Sequencer()
        self.store(len(self.queue))
        known = merge(self.stored) if self.stored else trades([])
        if len(known):
            self.sequencer.anchor(known.last_id, START, START)
            for low, high in missing_between(known.ids, known.last_ids, FIRST, known.last_id):
                self.sequencer.reopen(low, high)
        else:
            self.sequencer.anchor(FIRST - 1, START, START)

    def deliver(self, ids: list[int]) -> None:
        self.fresh.append(self.sequencer.offer(trades(ids, [START] * len(ids))).trades)

    def flush(self, confirmed: bool) -> None:
        chunks = pack(BTC, merge(self.fresh)) if any(map(len, self.fresh)) else []
        self.queue += zip(self.journal.append(chunks), chunks, strict=True)
        self.fresh = []

    def store(self, count: int) -> None:
        taken, self.queue = self.queue[:count], self.queue[count:]
        self.stored += [unpack(chunk) for _, chunk in taken]
        self.journal.confirm([serial for serial, _ in taken])

    def heal(self, which: int) -> None:
        spans = list(self.sequencer.holes)
        if spans:
            low, high = spans[which % len(spans)]
            self.deliver(list(range(low, high + 1)))

    def crash(self, torn: int) -> None:
        """What was not flushed is gone; a flush may have been cut short after any number of its bytes."""
        before = {path: path.stat().st_size for path in self.folder.glob("*.journal")}
        self.flush(False)
        self.journal.close()
        files = sorted(self.folder.glob("*.journal"))
        if files:
            low = before.get(files[-1], 0)
            os.truncate(files[-1], min(low + torn, files[-1].stat().st_size))
        self.begin()


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(step, max_size=25))
def test_any_interleaving_ends_in_the_same_set(steps: list[tuple[str, object]]) -> None:
    with TemporaryDirectory() as name:
        ingestor = Ingestor(Path(name))
        for what, argument in steps:
            getattr(ingestor, what)(argument)
        # The last trade comes, all holes are healed, all is stored.
        ingestor.deliver([PUBLISHED[-1]])
        while ingestor.sequencer.holes:
            ingestor.heal(0)
        ingestor.flush(False)
        ingestor.store(len(ingestor.queue))
        assert merge(ingestor.stored).ids.tolist() == list(PUBLISHED)
        assert ingestor.journal.waiting() == []
        ingestor.journal.close()
