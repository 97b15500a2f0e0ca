"""Tied symbols are cointegrated, others are not, seen by statsmodels on simulated minute closes."""

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.tsa.stattools import adfuller

from infra.local.exchange.klines import Klines
from infra.local.exchange.listing import TIES, log_price
from infra.local.exchange.simulated import SimulatedMarket

END = 1_795_348_800_000
DAYS = 3


def closes(symbol: str) -> NDArray[np.float64]:
    market = SimulatedMarket([symbol])
    bars = Klines(market).between(symbol, 60_000, END - DAYS * 86_400_000, END, market.published(symbol, END))
    return np.log([bar.close for bar in bars])


def p_value(values: NDArray[np.float64], lags: int = 1) -> float:
    return float(adfuller(values, maxlag=lags, autolag=None, result_object=True).pvalue)


@pytest.mark.parametrize("y", TIES)
def test_the_spread_of_a_tied_pair_is_stationary(y: str) -> None:
    tie = TIES[y]
    spread = closes(y) - tie.slope * closes(tie.x)
    assert len(spread) == DAYS * 1_440
    assert p_value(spread) < 0.001
    assert 0.4 * tie.deviation < spread.std() < 2 * tie.deviation


@pytest.mark.parametrize("y", TIES)
def test_the_spread_halves_in_about_its_half_life(y: str) -> None:
    tie = TIES[y]
    hours = range(END // 3_600_000 - 24 * 20, END // 3_600_000)
    path, x = log_price(7, y), log_price(7, tie.x)
    spread = np.concatenate([(path.hour(hour) - tie.slope * x.hour(hour))[:-1:60] for hour in hours])
    slope = np.polyfit(spread[:-1], spread[1:], 1)[0]
    assert np.log(0.5) / np.log(slope) == pytest.approx(tie.half_life, rel=0.35)


def test_a_price_alone_is_not_stationary() -> None:
    assert p_value(closes("BCHUSDT")) > 0.05


def test_a_log_price_is_a_brownian_motion_at_every_scale() -> None:
    """Var[X(t+h) - X(t)] grows in proportion to h: the variance ratio of a random walk is 1."""
    path = log_price(7, "BTCUSDT")
    hours = range(END // 3_600_000 - 24 * 60, END // 3_600_000)
    minutes = np.concatenate([path.hour(hour)[:-1:60] for hour in hours])
    for lag in (5, 30, 240):
        ratio = np.var(minutes[lag:] - minutes[:-lag]) / (lag * np.var(np.diff(minutes)))
        assert ratio == pytest.approx(1, abs=0.25)
