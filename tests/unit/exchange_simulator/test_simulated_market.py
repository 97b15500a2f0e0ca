"""The seeded market is a function of seed, symbol and time, whichever way it is asked."""

import itertools

import numpy as np
import pytest

from infra.local.exchange.listing import LISTINGS
from infra.local.exchange.simulated import SimulatedMarket
from infra.local.exchange.trades import Trades
from quant.errors import ValidationError

NOON = 1_795_348_800_000
HOUR = 3_600_000
DAY = 24 * HOUR


def columns(trades: Trades) -> list[list[object]]:
    return [
        [trades.first_id],
        trades.times.tolist(),
        trades.prices.tolist(),
        trades.quantities.tolist(),
        trades.buyer_is_maker.tolist(),
        trades.aggregates.tolist(),
    ]


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return SimulatedMarket(list(LISTINGS))


@pytest.fixture(scope="module")
def hours(market: SimulatedMarket) -> Trades:
    """Three hours of BTCUSDT across midnight."""
    midnight = NOON + DAY // 2
    first, stop = (market.first_at("BTCUSDT", midnight + offset) for offset in (-HOUR, 2 * HOUR))
    return market.trades("BTCUSDT", first, stop)


def test_two_instances_tell_the_same_trades(market: SimulatedMarket, hours: Trades) -> None:
    other = SimulatedMarket(["BTCUSDT"])
    assert columns(other.trades("BTCUSDT", hours.first_id, hours.stop_id)) == columns(hours)


def test_another_seed_tells_others(hours: Trades) -> None:
    other = SimulatedMarket(["BTCUSDT"], seed=8).trades("BTCUSDT", hours.first_id, hours.stop_id)
    assert other.prices.tolist() != hours.prices.tolist()


def test_small_pieces_in_any_order_are_the_whole(hours: Trades) -> None:
    market = SimulatedMarket(["BTCUSDT"])
    edges = [*range(hours.first_id, hours.stop_id, 7_919), hours.stop_id]
    pieces = [market.trades("BTCUSDT", *pair) for pair in reversed(list(itertools.pairwise(edges)))]
    assert [time for piece in reversed(pieces) for time in piece.times.tolist()] == hours.times.tolist()
    assert [price for piece in reversed(pieces) for price in piece.prices.tolist()] == hours.prices.tolist()


def test_the_first_trade_at_a_time_is_the_first_by_time(market: SimulatedMarket, hours: Trades) -> None:
    rng = np.random.default_rng(1)
    for time in rng.integers(hours.times[0], hours.times[-1], 200).tolist():
        expected = hours.first_id + int(np.searchsorted(hours.times, time))
        assert market.first_at("BTCUSDT", time) == expected


def test_what_is_public_grows_by_the_trades_of_the_time(market: SimulatedMarket, hours: Trades) -> None:
    time = int(hours.times[1_000])
    stop = market.published("BTCUSDT", time)
    assert market.trades("BTCUSDT", stop - 1, stop).times[0] <= time
    assert market.trades("BTCUSDT", stop, stop + 1).times[0] > time
    assert market.published("BTCUSDT", time - 1) <= hours.first_id + 1_000 < stop


@pytest.mark.parametrize("symbol", ["BTCUSDT", "DOTUSDT", "LTCUSDT"])
def test_times_never_fall_and_ids_join_across_midnight(market: SimulatedMarket, symbol: str) -> None:
    midnight = NOON + DAY // 2
    first, stop = (market.first_at(symbol, midnight + offset) for offset in (-HOUR, HOUR))
    trades = market.trades(symbol, first, stop)
    assert (trades.first_id, len(trades)) == (first, stop - first)
    assert np.diff(trades.times).min() >= 0
    assert midnight - HOUR <= trades.times[0]
    assert trades.times[-1] < midnight + HOUR


def test_prices_and_quantities_lie_on_their_grids(market: SimulatedMarket) -> None:
    for symbol, instrument in market.instruments.items():
        first = market.first_at(symbol, NOON)
        trades = market.trades(symbol, first, first + 2_000)
        assert not (trades.prices % instrument.tick).any()
        assert not (trades.quantities % instrument.step).any()
        assert trades.prices.min() > 0
        assert trades.quantities.min() > 0


def test_taker_orders_share_time_price_and_side(hours: Trades) -> None:
    same = np.diff(hours.aggregates) == 0
    assert 0.2 < same.mean() < 0.4
    assert set(np.diff(hours.aggregates).tolist()) == {0, 1}
    for column in (hours.times, hours.prices, hours.buyer_is_maker.astype(int)):
        assert not np.diff(column)[same].any()


def test_an_aggregates_first_trade_is_found_by_its_id(market: SimulatedMarket, hours: Trades) -> None:
    for at in range(100, 200):
        aggregate = int(hours.aggregates[at])
        expected = hours.first_id + int(np.searchsorted(hours.aggregates, aggregate))
        assert market.first_of_aggregate("BTCUSDT", aggregate) == expected


def test_rates_are_as_listed_and_bursts_many_times_that(hours: Trades) -> None:
    per_second = np.bincount((hours.times - hours.times[0]) // 1_000)
    assert 4 < per_second.mean() < 25
    assert per_second.max() > 5 * per_second.mean()


def test_rate_multiplies_the_trades_of_a_day() -> None:
    plain, fast = SimulatedMarket(["BTCUSDT"]), SimulatedMarket(["BTCUSDT"], rate=20)
    counts = [one.first_at("BTCUSDT", NOON + DAY) - one.first_at("BTCUSDT", NOON) for one in (plain, fast)]
    assert counts[1] == pytest.approx(20 * counts[0], rel=0.01)


@pytest.mark.parametrize("rate", [0.01, 3, 700, 5_000])
def test_a_steady_market_has_the_same_number_every_second(rate: float) -> None:
    market = SimulatedMarket(["SIM001USDT"], trades_per_second=rate)
    start = market.first_at("SIM001USDT", NOON)
    for seconds in (1, 7, 600):
        count = market.first_at("SIM001USDT", NOON + seconds * 1_000) - start
        assert count == pytest.approx(rate * seconds, abs=5)
    trades = market.trades("SIM001USDT", start, start + int(rate * 20))
    assert len(trades) == int(rate * 20)
    assert all(np.diff(trades.times) >= 0)
    assert market.trades("SIM001USDT", start + 5, start + 6).times[0] >= NOON


def test_prices_stay_near_their_nominal_ones(market: SimulatedMarket) -> None:
    for symbol, one in LISTINGS.items():
        first = market.first_at(symbol, NOON)
        assert one.price / 6 < market.trades(symbol, first, first + 1).prices[0] / 1e8 < one.price * 6


def test_the_price_does_not_jump_at_midnight_or_between_hours(market: SimulatedMarket) -> None:
    first, stop = (market.first_at("BTCUSDT", NOON + offset) for offset in (0, DAY))
    steps = np.diff(np.log(market.trades("BTCUSDT", first, stop).prices))
    assert np.abs(steps).max() < 0.004


def test_a_name_that_is_no_symbol_is_refused() -> None:
    with pytest.raises(ValidationError, match="capital letters"):
        SimulatedMarket(["btc-usdt"])
