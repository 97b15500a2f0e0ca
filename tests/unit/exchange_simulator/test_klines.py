"""Klines are the bars of the market's own trades, to the last digit."""

from decimal import ROUND_DOWN, Decimal, localcontext

import pytest

from infra.local.exchange.bars import Bar
from infra.local.exchange.klines import INTERVALS, Klines
from infra.local.exchange.market import Market
from infra.local.exchange.rendering import kline_row, trade_rows
from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.simulated import SimulatedMarket

START = 1_795_348_800_000
MINUTE, HOUR = 60_000, 3_600_000


def reference(market: Market, symbol: str, interval: int, start: int, end: int) -> list[list[object]]:
    """Bars of the trades as the REST API prints them, in decimals, one trade after the other."""
    rows = trade_rows(market.trades(symbol, market.first_at(symbol, start), market.first_at(symbol, end)))
    bars: dict[int, list[dict[str, object]]] = {}
    for row in rows:
        time = row["time"]
        assert isinstance(time, int)
        bars.setdefault(time // interval * interval, []).append(row)
    return [_bar(time, interval, group) for time, group in sorted(bars.items())]


def _bar(time: int, interval: int, group: list[dict[str, object]]) -> list[object]:
    prices = [Decimal(str(row["price"])) for row in group]
    taken = [row for row in group if not row["isBuyerMaker"]]
    return [
        time,
        *(f"{price:.8f}" for price in (prices[0], max(prices), min(prices), prices[-1])),
        _sum(group, "qty"),
        time + interval - 1,
        _quote(group),
        len(group),
        _sum(taken, "qty"),
        _quote(taken),
        "0",
    ]


def _sum(group: list[dict[str, object]], name: str) -> str:
    return f"{sum((Decimal(str(row[name])) for row in group), Decimal(0)):.8f}"


def _quote(group: list[dict[str, object]]) -> str:
    with localcontext(prec=60):
        total = sum((Decimal(str(row["price"])) * Decimal(str(row["qty"])) for row in group), Decimal(0))
        return f"{total.quantize(Decimal('1e-8'), ROUND_DOWN):f}"


@pytest.mark.parametrize("interval", ["1s", "1m", "5m"])
def test_klines_of_a_busy_hour_are_made_in_parts_and_join(interval: str) -> None:
    market, step = SimulatedMarket(["BTCUSDT"], trades_per_second=50), INTERVALS[interval]
    stop = market.published("BTCUSDT", START + 2 * HOUR)
    end = START + 10 * MINUTE
    bars = Klines(market).between("BTCUSDT", step, START, end, stop)
    assert [kline_row(bar, step) for bar in bars] == reference(market, "BTCUSDT", step, START, end)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "DOGEUSDT", "LTCUSDT"])
@pytest.mark.parametrize("interval", ["1s", "1m", "5m", "1h"])
def test_klines_equal_bars_of_the_printed_trades(symbol: str, interval: str) -> None:
    market, step = SimulatedMarket([symbol]), INTERVALS[interval]
    stop = market.published(symbol, START + 10 * HOUR)
    bars = Klines(market).between(symbol, step, START, START + 2 * HOUR, stop)
    assert [bar.time for bar in bars] == list(range(START, START + 2 * HOUR, step))
    with_trades = [kline_row(bar, step) for bar in bars if bar.trades]
    assert with_trades == reference(market, symbol, step, START, START + 2 * HOUR)


def test_huge_numbers_of_eight_decimals_are_summed_exactly() -> None:
    market = ScriptedMarket()
    for price, quantity in (("99999.99999999", "9000000.00000001"), ("0.00000001", "0.00000003")) * 50:
        market.publish("BTCUSDT", price=price, quantity=quantity, time=START)
    [bar] = Klines(market).between("BTCUSDT", MINUTE, START, START + MINUTE, 101)
    assert [kline_row(bar, MINUTE)] == reference(market, "BTCUSDT", MINUTE, START, START + MINUTE)


def test_an_empty_interval_repeats_the_close_before_it() -> None:
    market = ScriptedMarket()
    market.publish("BTCUSDT", price="10", quantity="1", time=START + 5_000)
    market.publish("BTCUSDT", price="11", quantity="1", time=START + 2 * HOUR + 5_000)
    klines = Klines(market)
    bars = klines.between("BTCUSDT", MINUTE, START - HOUR, START + 2 * HOUR + MINUTE, 3)
    assert [bar.time for bar in bars] == list(range(START, START + 2 * HOUR + MINUTE, MINUTE))
    close = 10 * 10**8
    assert bars[1] == Bar(START + MINUTE, close, close, close, close, 0, 0, 0, 0, 0, -1, -1)
    assert bars[60]._replace(time=0) == bars[1]._replace(time=0)
    assert (bars[120].open, bars[120].trades) == (11 * 10**8, 1)
    later = klines.between("BTCUSDT", MINUTE, START + HOUR, START + HOUR + MINUTE, 3)
    assert later == [bars[60]]


def test_an_empty_minute_feeds_no_coarser_open_high_or_low() -> None:
    market = ScriptedMarket()
    market.publish("BTCUSDT", price="10", quantity="1", time=START - 1_000)
    market.publish("BTCUSDT", price="20", quantity="1", time=START + 3 * MINUTE)
    [bar] = Klines(market).between("BTCUSDT", 5 * MINUTE, START, START + MINUTE, 3)
    assert (bar.open, bar.low, bar.trades) == (20 * 10**8, 20 * 10**8, 1)


def test_trades_that_are_not_public_are_in_no_bar() -> None:
    market = SimulatedMarket(["BTCUSDT"])
    klines = Klines(market)
    whole = klines.between("BTCUSDT", MINUTE, START, START + MINUTE, market.first_at("BTCUSDT", START + 9 * HOUR))
    stop = market.first_at("BTCUSDT", START + 30_000)
    [part] = klines.between("BTCUSDT", MINUTE, START, START + MINUTE, stop)
    assert (part.first_id, part.last_id) == (whole[0].first_id, stop - 1)
    assert part.trades < whole[0].trades


def test_nothing_traded_gives_no_bars() -> None:
    assert Klines(ScriptedMarket()).between("BTCUSDT", MINUTE, 0, START, 1) == []
