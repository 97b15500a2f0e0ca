"""Basic statistics of a symbol, by hand and against pandas."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from quant.analytics.resample import coarser
from quant.analytics.summary import Completeness, excess_kurtosis, max_drawdown, skew, summarise
from quant.domain.bar import Bars
from quant.domain.interval import HOUR, M5, MINUTE
from quant.errors import SeriesError
from tests.functional.analyse.market import END, minute_bars, walks, without

START = END - 4 * MINUTE


def four() -> Bars:
    """Closes 100, 110, 99, 108.9: returns ln 1.1, ln 0.9, ln 1.1; every bar opens at the close before."""
    return minute_bars(np.array([100, 110, 99, 108.9]), decimals=2)


def test_price_by_hand() -> None:
    price = summarise(four(), START, END).price
    assert (price.last, price.open, price.high, price.low) == (108.9, 100, 110, 99)
    assert (price.change, price.change_percent) == (8.9, pytest.approx(8.9))
    assert price.mean == pytest.approx(104.475)
    assert price.median == pytest.approx(104.45)
    assert price.max_drawdown == pytest.approx(0.1)
    assert (price.drawdown_from, price.drawdown_to) == (START + MINUTE, START + 2 * MINUTE)
    assert price.n == 4


def test_volume_and_vwap_by_hand() -> None:
    """Five units a bar, 10 trades a bar, half of it bought by takers."""
    found = summarise(four(), START, END)
    volume = found.volume
    assert (volume.base, volume.trades, volume.average_trade, volume.taker_buy_share) == (20, 40, 0.5, 0.5)
    assert volume.quote == pytest.approx(5 * (100 + 110 + 99 + 108.9))
    assert volume.average_trade_quote == pytest.approx(volume.quote / 40)
    assert found.vwap == 104.475
    assert volume.per_minute is not None
    assert (volume.per_minute.mean, volume.per_minute.median, volume.per_minute.highest) == (5, 5, 5)
    assert sum(volume.per_minute.by_minute_of_hour) == 20


def test_volatility_by_hand() -> None:
    volatility = summarise(four(), START, END).volatility
    assert volatility is not None
    up, down = math.log(1.1), math.log(0.9)
    squares = 2 * up**2 + down**2
    assert volatility.n == 3
    assert volatility.realised == pytest.approx(math.sqrt(squares))
    assert volatility.bars_per_year == 365 * 24 * 60
    assert volatility.annualisation_factor == pytest.approx(math.sqrt(525_600))
    assert volatility.realised_annualised == pytest.approx(math.sqrt(squares / 3 * 525_600))
    # Each bar runs from one close to the next, so its range is its return; the first bar has none.
    assert volatility.parkinson == pytest.approx(math.sqrt(squares / 4 / (4 * math.log(2))))
    assert volatility.garman_klass == pytest.approx(math.sqrt((0.5 - (2 * math.log(2) - 1)) * squares / 4))
    mean = (2 * up + down) / 3
    assert volatility.std_return == pytest.approx(math.sqrt((2 * (up - mean) ** 2 + (down - mean) ** 2) / 2))
    assert volatility.std_annualised == pytest.approx(volatility.std_return * math.sqrt(525_600))


def test_a_missing_bar_makes_no_return() -> None:
    """Of 100 bars one is missing: 97 returns are left, 2 minutes have no neighbour, and the hole is counted."""
    bars = without(minute_bars(walks(1, 100)[0]), [50])
    found = summarise(bars, END - 100 * MINUTE, END)
    assert found.volatility is not None
    assert found.volatility.n == 97
    assert found.completeness == Completeness(expected=100, bars=99, complete=97, incomplete=2, unknown=0)
    assert found.volume.per_minute is not None
    assert found.volume.per_minute.mean == pytest.approx(5 * 99 / 100)


def test_moments_equal_those_of_pandas() -> None:
    values = np.random.default_rng(2).gamma(2, size=300)
    assert skew(values) == pytest.approx(pd.Series(values).skew(), rel=1e-12)
    assert excess_kurtosis(values) == pytest.approx(pd.Series(values).kurt(), rel=1e-12)


@pytest.mark.parametrize("values", [[3.0, 3.0, 3.0, 3.0, 3.0], [0.1] * 7, [1.0, 2.0]])
def test_moments_that_do_not_exist_are_none(values: list[float]) -> None:
    assert skew(np.array(values)) is None
    assert excess_kurtosis(np.array(values)) is None


def test_the_scale_of_prices_changes_no_percentage() -> None:
    closes = walks(1, 200)[0]
    small, large = (summarise(minute_bars(closes * by), END - 200 * MINUTE, END) for by in (1, 100))
    assert small.volatility is not None
    assert large.volatility is not None
    assert small.volatility.realised == pytest.approx(large.volatility.realised, rel=1e-3)


def test_sums_are_exact_where_floats_are_not() -> None:
    """2^53 + 1 scaled units: as a float the one would be lost, and the mean price with it."""
    bars = four()
    bars.volume[:] = 2**53 + 1
    bars.quote_volume[:] = (2**53 + 1) * 100
    assert summarise(bars, START, END).vwap == 1


def test_max_drawdown_of_a_rising_series_is_zero() -> None:
    assert max_drawdown([1, 2, 3]) == (0, 0, 0)
    assert max_drawdown([4, 2, 5, 1]) == (0.8, 2, 3)
    price = summarise(minute_bars(np.array([1.0, 2.0, 3.0])), END - 3 * MINUTE, END).price
    assert (price.max_drawdown, price.drawdown_from) == (0, None)


def test_longer_bars_have_no_minutes() -> None:
    found = summarise(coarser(minute_bars(walks(1, 100)[0]), M5.ms), END - HOUR, END)
    assert found.volume.per_minute is None
    assert found.volatility is not None
    assert found.volatility.bars_per_year == 365 * 24 * 12


def test_one_bar_has_a_price_and_no_volatility() -> None:
    found = summarise(four(), END - MINUTE, END)
    assert found.volatility is None
    assert (found.price.n, found.price.std, found.price.skew) == (1, None, None)
    assert found.missing == {
        "price.std": "needs two bars",
        "price.skew": "needs three closes that differ",
        "price.excess_kurtosis": "needs four closes that differ",
        "volatility": "needs three returns between neighbouring bars",
    }


def test_whatever_has_no_value_says_what_it_needs() -> None:
    assert summarise(minute_bars(walks(1, 100)[0]), END - HOUR, END).missing == {}
    flat = minute_bars(np.full(10, 7.0))
    for column in (flat.volume, flat.quote_volume, flat.taker_buy_volume, flat.trades):
        column[:] = 0
    found = summarise(flat, END - 10 * MINUTE, END)
    assert set(found.missing) == {
        "price.skew", "price.excess_kurtosis", "volatility.skew", "volatility.excess_kurtosis", "vwap",
        "volume.average_trade", "volume.average_trade_quote", "volume.taker_buy_share",
    }  # fmt: skip


def test_no_bar_is_named() -> None:
    with pytest.raises(SeriesError):
        summarise(four(), END, END + MINUTE)
