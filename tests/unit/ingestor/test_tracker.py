from __future__ import annotations

import pytest

from ingestor.tracker import HALT, Tracker
from tests.unit.ingestor.trades import BTC, START, trades


def after(silence: int, next_id: int) -> Tracker:
    """A market that was followed up to id 10, and was heard again later."""
    tracker = Tracker(BTC)
    tracker.offer(trades([9, 10], [START - 5, START]), START)
    tracker.offer(trades([next_id], [START + silence]), START + silence + 70)
    return tracker


def test_contiguous_ids_over_a_silence_are_recorded_as_a_halt() -> None:
    tracker = after(HALT, 11)
    assert (tracker.counters["halts"], tracker.counters["holes_opened"]) == (1, 0)
    assert tracker.lag_ms == 70


@pytest.mark.parametrize(("silence", "next_id", "holes"), [(HALT - 1, 11, 0), (HALT, 12, 1)])
def test_a_short_silence_is_none_and_neither_is_a_loss(silence: int, next_id: int, holes: int) -> None:
    tracker = after(silence, next_id)
    assert (tracker.counters["halts"], tracker.counters["holes_opened"]) == (0, holes)


def test_trades_that_the_exchange_tells_of_and_the_stream_hides_are_a_hole() -> None:
    tracker = after(1_000, 11)
    assert tracker.expect(15, START + 4_000) == (12, 15)
    assert tracker.expect(15, START + 4_000) is None
    assert (tracker.counters["halts"], tracker.counters["holes_opened"]) == (0, 1)
