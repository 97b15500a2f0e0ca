"""Bars made of trades equal bars made one trade at a time, and say whether they are complete."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant.analytics.resample import bars_of_trades, coarser
from quant.domain.bar import COMPLETE, INCOMPLETE, UNKNOWN, Bars, concatenate
from quant.domain.interval import M1, M5, MINUTE, S1
from quant.domain.trade import INT64_MAX, Trades
from tests.unit.quant.reference import figures, plain_bars
from tests.unit.quant.strategies import START, trades


def _trades(rows: list[tuple[int, int, int, int]]) -> Trades:
    """Trades of (id, ms after START, price, quantity), all bought by the taker."""
    ids, offsets, prices, quantities = zip(*rows, strict=True)
    times = [START + offset for offset in offsets]
    return Trades.of(ids, times, prices, quantities, [False] * len(ids), price_decimals=2, quantity_decimals=3)


@settings(max_examples=200)
@given(trades(widest=INT64_MAX), st.sampled_from([S1, M1, M5]))
def test_bars_equal_those_made_one_trade_at_a_time(batch: Trades, interval: tuple[str, int]) -> None:
    assert figures(bars_of_trades(batch, interval[1])) == plain_bars(batch, interval[1])


@given(trades(widest=INT64_MAX, contiguous=True))
def test_coarser_bars_of_trades_in_order_equal_bars_of_the_trades(batch: Trades) -> None:
    ordered = batch.take(np.argsort(batch.times, kind="stable"))
    batch = Trades.of(batch.ids, ordered.times, batch.prices, batch.quantities, batch.buyer_is_maker,
                      price_decimals=0, quantity_decimals=0)  # fmt: skip
    seconds = bars_of_trades(batch, S1.ms)
    for interval in (M1, M5):
        assert figures(coarser(seconds, interval.ms)) == figures(bars_of_trades(batch, interval.ms))


def test_a_bar_is_complete_when_its_trades_join_on_both_sides() -> None:
    bars = bars_of_trades(
        _trades([(5, 0, 100, 1), (6, 10, 101, 1), (7, 1000, 102, 1), (8, 2000, 99, 1)]), S1.ms, previous_id=4, next_id=9
    )
    assert bars.complete.tolist() == [COMPLETE, COMPLETE, COMPLETE]


def test_a_hole_between_two_bars_marks_both() -> None:
    batch = _trades([(5, 0, 100, 1), (6, 1000, 101, 1), (8, 2000, 102, 1), (9, 3000, 99, 1)])
    bars = bars_of_trades(batch, S1.ms, previous_id=4, next_id=10)
    assert bars.complete.tolist() == [COMPLETE, INCOMPLETE, INCOMPLETE, COMPLETE]


def test_the_ends_are_incomplete_where_no_neighbour_is_known() -> None:
    batch = _trades([(5, 0, 100, 1), (6, 1000, 101, 1), (7, 2000, 102, 1)])
    assert bars_of_trades(batch, S1.ms).complete.tolist() == [INCOMPLETE, COMPLETE, INCOMPLETE]
    assert bars_of_trades(batch, S1.ms, open_end=True).complete.tolist() == [INCOMPLETE, COMPLETE, COMPLETE]


def test_an_aggregate_joins_the_ids_it_stands_for() -> None:
    batch = Trades.of(
        [5, 8], [START, START + 1000], [100, 100], [3, 1], [False, False], price_decimals=0, quantity_decimals=0,
        last_ids=[7, 8],
    )  # fmt: skip
    bars = bars_of_trades(batch, S1.ms, previous_id=4, next_id=9)
    assert bars.complete.tolist() == [COMPLETE, COMPLETE]
    assert bars.trades.tolist() == [3, 1]


def test_a_trade_stamped_back_over_the_edge_breaks_no_certificate() -> None:
    batch = _trades([(5, 990, 100, 1), (6, 1001, 101, 1), (7, 999, 102, 1), (8, 1500, 103, 1)])
    bars = bars_of_trades(batch, S1.ms, previous_id=4, next_id=9)
    assert bars.complete.tolist() == [COMPLETE, COMPLETE]
    assert bars.close.tolist() == [102, 103]


def test_a_coarse_bar_with_one_incomplete_part_is_incomplete() -> None:
    batch = _trades([(5, 0, 100, 1), (6, 1000, 101, 1), (8, MINUTE, 102, 1), (9, 2 * MINUTE, 99, 1)])
    minutes = coarser(bars_of_trades(batch, S1.ms, previous_id=4, next_id=10), M1.ms)
    assert minutes.complete.tolist() == [INCOMPLETE, INCOMPLETE, COMPLETE]
    assert coarser(minutes, M5.ms).complete.tolist() == [INCOMPLETE]


def test_an_empty_bar_never_feeds_a_coarser_one() -> None:
    """The exchange writes the previous close into an empty bar; it would widen the range of the hour."""
    minutes = bars_of_trades(_trades([(5, MINUTE, 100, 2), (6, 2 * MINUTE, 110, 1)]), M1.ms, previous_id=4, next_id=7)
    empty = _exchange_bar(START, price=900, trades=0)
    five = coarser(concatenate([empty, minutes]), M5.ms)
    assert (five.open[0], five.high[0], five.low[0], five.close[0]) == (100, 110, 100, 110)
    assert five.complete.tolist() == [COMPLETE]


def test_bars_of_the_exchange_stay_uncertified() -> None:
    minutes = bars_of_trades(_trades([(5, MINUTE, 100, 2)]), M1.ms, previous_id=4, next_id=6)
    mixed = coarser(concatenate([_exchange_bar(START, price=90, trades=4), minutes]), M5.ms)
    assert mixed.complete.tolist() == [UNKNOWN]
    assert (mixed.first_id[0], mixed.last_id[0], mixed.trades[0]) == (5, 5, 5)


@pytest.mark.parametrize("interval", [S1, M1, M5])
def test_no_trades_no_bars(interval: tuple[str, int]) -> None:
    assert len(bars_of_trades(Trades.empty(2, 5), interval[1])) == 0
    assert len(coarser(Bars.empty(S1.ms), interval[1])) == 0


def _exchange_bar(time: int, price: int, trades: int) -> Bars:
    whole = {name: np.array([value], dtype=np.int64) for name, value in {
        "time": time, "open": price, "high": price, "low": price, "close": price, "volume": trades,
        "quote_volume": price * trades, "taker_buy_volume": 0, "taker_buy_quote_volume": 0, "trades": trades,
        "first_id": -1, "last_id": -1}.items()}  # fmt: skip
    small = {"complete": np.array([UNKNOWN], dtype=np.int8), "source": np.array([0], dtype=np.int8)}
    return Bars(interval=M1.ms, price_decimals=2, quantity_decimals=3, **whole, **small)
