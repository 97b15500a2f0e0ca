from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingestor.sequencer import FREE_JUMP, Sequencer
from tests.unit.ingestor.trades import START, trades


def started(*ids: int) -> Sequencer:
    sequencer = Sequencer()
    sequencer.offer(trades(ids))
    return sequencer


def test_trades_in_order_pass_as_they_are() -> None:
    sequencer = started(10, 11)
    given_trades = trades([12, 13, 14])
    assert sequencer.offer(given_trades).trades is given_trades
    assert sequencer.next_id == 15


def test_a_skipped_id_opens_a_hole() -> None:
    done = started(10).offer(trades([11, 14, 15]))
    assert done.opened == ((12, 13),)
    assert done.trades.ids.tolist() == [11, 14, 15]


def test_a_late_trade_fills_its_hole() -> None:
    sequencer = started(10)
    sequencer.offer(trades([14]))
    done = sequencer.offer(trades([12]))
    assert done.trades.ids.tolist() == [12]
    assert done.filled == 1
    assert list(sequencer.holes) == [(11, 11), (13, 13)]


def test_a_trade_that_came_before_is_a_duplicate() -> None:
    done = started(10, 11, 12).offer(trades([11, 12, 13]))
    assert done.trades.ids.tolist() == [13]
    assert done.duplicates == 2


def test_trades_of_one_delivery_may_come_out_of_order() -> None:
    done = started(10).offer(trades([13, 11, 12]))
    assert done.trades.ids.tolist() == [11, 12, 13]
    assert done.opened == ()


def test_trades_of_the_same_millisecond_are_told_apart_by_their_ids() -> None:
    done = started(10).offer(trades([11, 12, 13], [START + 20] * 3))
    assert done.trades.ids.tolist() == [11, 12, 13]


def test_contiguous_ids_over_a_silence_are_no_hole() -> None:
    done = started(10).offer(trades([11], [START + 4 * 3_600_000]))
    assert done.opened == ()
    assert len(done.trades) == 1


def test_an_anchor_before_the_first_trade_opens_the_hole_since_then() -> None:
    sequencer = Sequencer()
    sequencer.anchor(5, START - 1000, START)
    assert sequencer.offer(trades([9])).opened == ((6, 8),)


def test_an_anchor_after_the_first_trade_opens_the_hole_since_then() -> None:
    sequencer = started(9)
    sequencer.anchor(5, START - 1000, START)
    assert list(sequencer.holes) == [(6, 8)]


def test_an_aggregate_fills_all_of_its_ids() -> None:
    sequencer = started(10)
    sequencer.offer(trades([20]))
    done = sequencer.offer(trades([11, 15], last_ids=[14, 19]))
    assert done.filled == 9
    assert not sequencer.holes


def test_one_absurd_id_is_put_aside() -> None:
    sequencer = started(10)
    done = sequencer.offer(trades([11, 2**60, 12], [START + 20] * 3))
    assert done.trades.ids.tolist() == [11, 12]
    assert done.suspects == 1
    assert not sequencer.holes
    assert sequencer.next_id == 13


def test_a_new_count_from_below_is_recognised() -> None:
    sequencer = started(*range(5_000_000, 5_000_010))
    later = START + 6_000_000
    assert len(sequencer.offer(trades([1, 2, 3], [later, later + 1, later + 2])).trades) == 0
    done = sequencer.offer(trades([4, 5, 6], [later + 3, later + 4, later + 5]))
    assert done.reset
    assert done.trades.ids.tolist() == [1, 2, 3, 4, 5, 6]
    assert sequencer.next_id == 7


def test_a_new_count_from_above_is_recognised() -> None:
    sequencer = started(10)
    ids = [FREE_JUMP * 1000 + k for k in range(6)]
    done = sequencer.offer(trades(ids, [START + 20 + k for k in range(6)]))
    assert done.reset
    assert done.trades.ids.tolist() == ids
    assert not sequencer.holes


def test_a_long_absence_explains_a_far_jump() -> None:
    done = started(10).offer(trades([3_000_000], [START + 3_600_000]))
    assert done.opened == ((11, 2_999_999),)


@given(st.data())
def test_any_delivery_ends_in_the_same_set(data: st.DataObject) -> None:
    """Losses, duplicates, reorderings and heals: what passes is each id once; holes are what has not come."""
    published = list(range(100, 100 + data.draw(st.integers(1, 60))))
    first = data.draw(st.sampled_from(published[:5]))
    deliveries = [[first]]
    rest = st.lists(st.sampled_from(published), max_size=20)
    deliveries += data.draw(st.lists(rest, max_size=8))
    sequencer, passed = Sequencer(), []
    for delivery in deliveries:
        # All lie in one moment, so that no id is unbelievable: only order and presence are tried here.
        passed += sequencer.offer(trades(delivery, [START] * len(delivery))).trades.ids.tolist()
    assert len(passed) == len(set(passed))
    assert set(passed) == {i for delivery in deliveries for i in delivery}
    missing = {i for low, high in sequencer.holes for i in range(low, high + 1)}
    assert missing == set(range(min(passed), max(passed) + 1)) - set(passed)
    for low, high in list(sequencer.holes):
        healed = sequencer.offer(trades(range(low, high + 1), [START] * (high - low + 1)))
        passed += healed.trades.ids.tolist()
    assert sorted(passed) == list(range(min(passed), max(passed) + 1))
    assert not sequencer.holes
