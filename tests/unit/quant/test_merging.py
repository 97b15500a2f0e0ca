"""Merging trades and bars depends neither on order nor on repetition."""

import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quant.analytics.resample import bars_of_trades
from quant.domain import bar, trade
from quant.domain.bar import COMPLETE, INCOMPLETE, UNKNOWN
from quant.domain.interval import M1, S1
from quant.domain.trade import Trades
from quant.storage import bar_codec
from tests.unit.quant.reference import figures
from tests.unit.quant.strategies import START, rows, trades


@given(trades(), st.integers(0, 2**32))
def test_pieces_of_trades_in_any_order_and_twice_make_the_whole(batch: Trades, seed: int) -> None:
    chance = random.Random(seed)
    cuts = sorted({0, len(batch), *(chance.randrange(len(batch) + 1) for _ in range(4))})
    pieces = [batch.take(slice(low, high)) for low, high in pairwise(cuts)]
    pieces += chance.sample(pieces, len(pieces) // 2)
    chance.shuffle(pieces)
    assert rows(trade.merge(pieces)) == rows(batch)


def test_an_aggregate_gives_way_to_all_of_its_trades() -> None:
    singles, aggregate = _three(), _aggregate()
    assert rows(trade.merge([aggregate, singles])) == rows(singles)


def test_an_aggregate_stays_where_a_trade_of_it_is_missing() -> None:
    assert rows(trade.merge([_three().take([0, 2]), _aggregate()])) == rows(_aggregate())
    beyond = Trades.of([9], [START], [100], [1], [False], price_decimals=0, quantity_decimals=0)
    assert trade.merge([_three().take([1]), _aggregate(), beyond]).ids.tolist() == [5, 9]


def test_the_widest_decimals_win() -> None:
    coarse = Trades.of([1], [START], [100], [1], [True], price_decimals=0, quantity_decimals=0)
    fine = Trades.of([2], [START], [10001], [15], [True], price_decimals=2, quantity_decimals=1)
    merged = trade.merge([fine, coarse])
    assert merged.prices.tolist() == [10000, 10001]
    assert merged.quantities.tolist() == [10, 15]


@given(trades(), st.integers(0, 2**32))
def test_bars_of_partial_readings_merge_to_those_of_the_whole(batch: Trades, seed: int) -> None:
    """A writer that read too early cannot undo one that read later. Times ascend with ids, as they do on a feed."""
    chance = random.Random(seed)
    batch = replace(batch, times=np.sort(batch.times))
    whole = bars_of_trades(batch, S1.ms)
    partial = [
        bars_of_trades(batch.take(np.sort(chance.sample(range(len(batch)), chance.randint(1, len(batch))))), S1.ms)
        for _ in range(3)
    ]
    versions = [whole, *partial]
    chance.shuffle(versions)
    merged = bar.merge(versions)
    counts = dict(zip(whole.time.tolist(), whole.trades.tolist(), strict=True))
    assert dict(zip(merged.time.tolist(), merged.trades.tolist(), strict=True)) == counts
    assert bar_codec.pack(bar.merge(versions[::-1])) == bar_codec.pack(merged)


def test_the_exchanges_bar_fills_in_until_ours_is_complete() -> None:
    ours = bars_of_trades(_three(), M1.ms)
    exchange = replace(ours, complete=np.array([UNKNOWN], dtype=np.int8), source=np.array([0], dtype=np.int8))
    assert ours.complete.tolist() == [INCOMPLETE]
    assert bar.merge([ours, exchange]).source.tolist() == [0]
    complete = replace(ours, complete=np.array([COMPLETE], dtype=np.int8))
    assert bar.merge([complete, exchange]).source.tolist() == [1]


@given(trades(widest=2**62))
def test_packed_bars_read_back(batch: Trades) -> None:
    bars = bars_of_trades(batch, S1.ms)
    back = bar_codec.unpack(bar_codec.pack(bars), "key")
    assert figures(back) == figures(bars)
    assert back.complete.tolist() == bars.complete.tolist()
    assert (back.interval, back.price_decimals, back.quantity_decimals) == (
        bars.interval,
        bars.price_decimals,
        bars.quantity_decimals,
    )


def _three() -> Trades:
    return Trades.of(
        [5, 6, 7], [START, START, START + 1], [100, 100, 100], [1, 2, 3], [False] * 3,
        price_decimals=0, quantity_decimals=0,
    )  # fmt: skip


def _aggregate() -> Trades:
    return Trades.of([5], [START], [100], [6], [False], price_decimals=0, quantity_decimals=0, last_ids=[7])
