"""The monitor where data is missing: what is not known does not fire, and the reason follows its cause."""

from __future__ import annotations

import pytest

from quant.alerting.readings import HEAL_WAIT
from quant.domain.alert import EventKind, Phase
from quant.domain.interval import SECOND
from quant.domain.market import Instrument, Market
from tests.functional.alerts.world import BTC, ETH, START, AlertWorld


@pytest.fixture
def world() -> AlertWorld:
    world = AlertWorld()
    world.follow(BTC, ETH)
    return world


def test_a_gap_in_the_data_does_not_fire(world: AlertWorld) -> None:
    """The trades of the wick are missing: nothing is known, nothing fires, and later the gap is said."""
    world.rule(notify=["fired", "no_data"])
    world.trade(BTC, [100] * 60)
    world.check(61)
    missing = world.trades(BTC, [150, 151], first=80)
    world.trade(BTC, [100] * 38, first=82)
    world.check(121)
    assert world.happened() == []
    assert world.storage.alerts.report().evaluated_until["binance:BTCUSDT@1s"] == START + 59_000  # type: ignore[union-attr]
    world.store(BTC, missing)
    world.trade(BTC, [100] * 60, first=120)
    world.check(181)
    assert world.happened() == [("fired", 80), ("resolved", 82)]


def test_a_gap_that_is_not_healed_becomes_no_data_and_then_data_again(world: AlertWorld) -> None:
    world.rule()
    world.trade(BTC, [100] * 60)
    world.trades(BTC, [150, 151], first=80)
    world.trade(BTC, [100] * 300, first=82)
    world.check(130)
    assert world.happened() == []
    gap_ends = 83  # the bars at both sides of a hole are incomplete
    world.check(gap_ends + HEAL_WAIT / SECOND + 1)
    assert world.happened() == [("no_data", 59)]
    assert "trades of BTCUSDT are missing" in world.events()[0].message
    assert world.state().phase is Phase.OK
    assert world.storage.alerts.due(world.now, 10) == ()


def test_a_halt_is_no_missing_data(world: AlertWorld) -> None:
    """The market is silent for ten minutes, the ingestor says that it misses nothing; ids go on where they ended."""
    world.rule(notify=["fired", "resolved", "no_data"])
    world.trade(BTC, [100] * 60)
    for minute in range(1, 11):
        world.at(60 * minute + 5)
        world.resample()
        world.check(60 * minute + 6)
    assert world.happened() == []
    world.trade(BTC, [120] * 30, first=660)
    world.check(700)
    assert world.happened() == [("fired", 660)]


def test_a_price_holds_through_a_silence(world: AlertWorld) -> None:
    world.rule(for_seconds=120)
    world.trade(BTC, [100] * 30 + [120] * 10)
    for second in range(60, 400, 60):
        world.check(second)
    assert world.happened() == [("fired", 150)]


def test_a_dead_ingestor_is_no_data_and_nothing_fires(world: AlertWorld) -> None:
    world.rule()
    world.trade(BTC, [100] * 60)
    world.check(61)
    for second in range(121, 600, 60):
        world.now = START + second * SECOND
        world.check()
    assert world.happened() == [("no_data", 59)]
    assert "no ingestor reports" in world.state().reason
    world.trade(BTC, [100] * 600, first=60)
    world.check(661)
    assert (world.state().phase, len(world.events())) == (Phase.OK, 1)


def test_staleness_fires_where_everything_else_says_no_data(world: AlertWorld) -> None:
    world.rule(metric="staleness", operator=">", threshold=90)
    world.trade(BTC, [100] * 60)
    world.check(61)
    assert world.happened() == []
    for second in (121, 181, 241):
        world.now = START + second * SECOND
        world.check()
    assert [event.kind for event in world.events()] == [EventKind.FIRED]
    assert world.events()[0].value == 122
    world.trade(BTC, [100] * 240, first=60)
    world.check(301)
    assert [event.kind for event in world.events()] == [EventKind.FIRED, EventKind.RESOLVED]


def test_the_last_second_of_a_quiet_market_is_over_some_seconds_later(world: AlertWorld) -> None:
    world.rule()
    world.trade(BTC, [100] * 30 + [120])
    assert world.check(35).events == 0
    world.check(37)
    assert world.happened() == [("fired", 30)]


def test_the_reason_tells_what_is_missing(world: AlertWorld) -> None:
    new = Market("binance", "NEWUSDT")
    world.storage.instruments.put([Instrument(new, "NEW", "USDT", 2, 5)])
    world.rule(symbol="NEWUSDT")
    world.check(1)
    world.check(400)
    assert world.state("r1").reason == "no trade of NEWUSDT has been stored yet; no running ingestor follows it"
    world.trade(new, [100] * 600, first=360)
    world.rule(metric="change", symbol="NEWUSDT", window=10, operator=">", threshold=1)
    world.check(961)
    assert world.state("r2").reason == "NEWUSDT is not known before 2026-11-22 12:07:00 UTC"
    assert world.state("r1").phase is Phase.OK


def test_a_symbol_that_is_no_longer_traded_says_so(world: AlertWorld) -> None:
    """Its ingestor lives and misses nothing. A day of that is a halt; more is not believed to be one."""
    world.rule(notify=["fired", "no_data"])
    world.rule(metric="staleness", operator=">", threshold=600)
    world.trade(BTC, [100] * 60)
    for hour in range(25):
        assert world.happened() == []
        world.at(3_600 * hour + 300)
        world.resample()
        world.check()
    (event,) = world.events("r1")
    since = "BTCUSDT has not been traded since 2026-11-22 12:00:59 UTC: it may no longer be"
    assert (event.kind, world.state().reason) == (EventKind.NO_DATA, since)
    world.check(3_600 * 24 + 600)
    assert len(world.events("r1")) == 1
    world.trade(BTC, [120] * 30, first=3_600 * 24 + 700)
    world.check(3_600 * 24 + 740)
    assert world.happened("r1")[1:] == [("fired", 3_600 * 24 + 700)]


def test_what_no_running_ingestor_follows_says_so(world: AlertWorld) -> None:
    """The symbol was taken off the list: others go on."""
    world.rule()
    world.trade(ETH, [100] * 60)
    world.trade(BTC, [100] * 60)
    world.check(61)
    del world._last[BTC]
    world.trade(ETH, [100] * 240, first=60)
    world.check(301)
    assert world.state().reason == "nothing newer of BTCUSDT is known; no running ingestor follows it"


def test_the_reason_follows_its_cause_and_costs_a_write_when_it_changes(world: AlertWorld) -> None:
    """The ingestor lives and stores nothing; then it is dead; then it is back, and a hole is left."""
    world.rule()
    world.trade(BTC, [100] * 60)
    world.check(61)
    missing = world.trades(BTC, [100] * 60, first=60)
    world._last[BTC] = (missing.last_id, int(missing.times[-1]))
    seen = []
    for second in (121, 181, 241, 301, 361, 421):
        world.now = START + second * SECOND
        if second < 300:
            world.beat()
        world.check()
        state = world.storage.alerts.state("r1")
        seen.append((state.sequence, state.reason) if state else None)
    alone, dead = "nothing newer of BTCUSDT is known", "nothing newer of BTCUSDT is known; no ingestor reports"
    assert seen == [None, (1, alone), (1, alone), (2, dead), (2, dead), (2, dead)]
    assert [event.kind for event in world.events()] == [EventKind.NO_DATA]
    world.trade(BTC, [100] * 600, first=120)
    world.check(721)
    assert world.state().phase is Phase.OK
