from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ingestor.exchanges.base import Arrivals
from ingestor.validation import AHEAD, BAD_ID, BAD_PRICE, BAD_QUANTITY, BAD_TIME, UNKNOWN_SYMBOL, validate
from quant.domain.trade import Trades
from tests.unit.ingestor.trades import BTC, START, trades

NOW = START + 60_000


def arrivals(given: Trades) -> Arrivals:
    return Arrivals(BTC, given, np.arange(len(given)) * 10)


def with_value(column: str, value: int) -> Trades:
    good = trades([1, 2, 3])
    values = getattr(good, column).copy()
    values[1] = value
    return replace(good, **{column: values})


def test_sound_trades_pass_as_they_are() -> None:
    good = trades([1, 2, 3])
    found, refused = validate(arrivals(good), {BTC}, NOW)
    assert found is good
    assert refused == []


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("ids", 0, BAD_ID),
        ("prices", 0, BAD_PRICE),
        ("prices", -5, BAD_PRICE),
        ("quantities", 0, BAD_QUANTITY),
        ("times", 5, BAD_TIME),
        ("times", NOW + AHEAD + 1, BAD_TIME),
    ],
)
def test_an_unsound_trade_is_refused_with_its_reason_and_frame(column: str, value: int, reason: str) -> None:
    found, refused = validate(arrivals(with_value(column, value)), {BTC}, NOW)
    assert refused == [(reason, 10)]
    assert len(found) == 2


def test_a_trade_from_a_clock_that_runs_ahead_passes() -> None:
    found, refused = validate(arrivals(with_value("times", NOW + 1_280)), {BTC}, NOW)
    assert len(found) == 3
    assert refused == []


def test_a_market_that_is_not_followed_is_refused() -> None:
    found, refused = validate(arrivals(trades([1, 2])), set(), NOW)
    assert len(found) == 0
    assert [reason for reason, _ in refused] == [UNKNOWN_SYMBOL] * 2
