"""Names of markets, lengths of bars and the grid of time."""

import pytest

from quant.domain.interval import DAY, HOUR, M1, M5, MINUTE, S1, Interval, ceil, floor, hours_between
from quant.domain.market import Market
from quant.errors import ValidationError


def test_the_exchange_is_binance_where_it_is_left_out() -> None:
    assert Market.parse("btcusdt") == Market("binance", "BTCUSDT")
    assert Market.parse("coinbase:BTC-USD") == Market("coinbase", "BTC-USD")
    assert Market.from_key(Market("coinbase", "BTC-USD").key) == Market("coinbase", "BTC-USD")


@pytest.mark.parametrize("text", ["", "B", "BTC/USDT", "BTC USDT", "BTC\0USDT", "../etc", "a:b:c", "BTCUSDT" * 5])
def test_what_is_no_symbol_is_refused_with_the_field(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Market.parse(text)
    assert caught.value.field in ("symbol", "exchange")


@pytest.mark.parametrize(("text", "base"), [("1s", S1), ("15s", S1), ("1m", M1), ("3m", M1), ("15m", M5), ("1d", M5)])
def test_an_interval_is_made_of_the_coarsest_stored_one(text: str, base: Interval) -> None:
    assert Interval.parse(text).base == base


@pytest.mark.parametrize("text", ["7m", "0m", "1w", "m", "1.5m", "2d", "1M", "-1m", "1m ", "100000s"])
def test_an_interval_divides_a_day(text: str) -> None:
    with pytest.raises(ValidationError, match="must be 1s, 1m, 5m or a multiple"):
        Interval.parse(text)


def test_the_grid_of_time() -> None:
    assert floor(61_999, MINUTE) == MINUTE
    assert ceil(MINUTE, MINUTE) == MINUTE
    assert ceil(MINUTE + 1, MINUTE) == 2 * MINUTE
    assert list(hours_between(HOUR - 1, HOUR + 1)) == [0, HOUR]
    assert list(hours_between(DAY, DAY)) == []
