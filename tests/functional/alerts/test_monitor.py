"""The monitor over a market in memory: what fires, what waits, what is caught up with."""

from __future__ import annotations

import json

import pytest

from check_alerts.run import MAX_MARKS, bounded
from quant.domain.alert import ChannelType, CheckReport, DeliveryStatus, EventKind, Phase
from quant.domain.interval import HOUR, MINUTE, S1, SECOND
from quant.domain.results import Result
from quant.errors import UnavailableError
from tests.functional.alerts.world import BTC, ETH, MAIL, START, AlertWorld


@pytest.fixture
def world() -> AlertWorld:
    world = AlertWorld()
    world.follow(BTC, ETH)
    return world


def test_a_price_above_the_threshold_fires_one_event_with_one_delivery(world: AlertWorld) -> None:
    world.rule()
    world.trade(BTC, [100] * 30 + [120] * 30)
    report = world.check(61)
    assert world.happened() == [("fired", 30)]
    assert (report.rules, report.evaluated, report.events, report.fired, report.deliveries) == (1, 1, 1, 1, 1)
    assert (report.errors, report.started_at, report.finished_at) == ({}, world.now, world.now + 40)
    (event,) = world.events()
    assert (event.value, event.threshold, event.market_kind) == (120, 110, "live")
    assert event.readings["bar"] == {
        "start": START + 30_000, "end": START + 31_000, "value": 120, "low": 120, "high": 120, "complete": True,
    }  # fmt: skip
    (delivery,) = world.storage.alerts.due(world.now, 10)
    assert (delivery.event_id, delivery.channel.target, delivery.status) == (
        event.id, "me@example.org", DeliveryStatus.PENDING,
    )  # fmt: skip
    assert world.check(62).events == 0
    assert world.state().phase is Phase.FIRING


def test_a_wick_of_two_seconds_between_two_checks_fires(world: AlertWorld) -> None:
    world.rule()
    world.trade(BTC, [100] * 60)
    world.check(61)
    world.trade(BTC, [100] * 20 + [150, 151] + [100] * 38, first=60)
    world.check(121)
    assert world.happened() == [("fired", 80), ("resolved", 82)]


def test_resampled_or_not_makes_no_difference(world: AlertWorld) -> None:
    world.rule(for_seconds=3)
    other = AlertWorld()
    other.follow(BTC)
    other.rule(for_seconds=3)
    prices = [100, 101, 120, 121, 122, 123, 124, 100] * 60
    for minute in range(8):
        for one in (world, other):
            one.trade(BTC, prices[60 * minute : 60 * minute + 60], first=60 * minute)
            one.at(60 * minute + 61)
        other.resample()
        world.check()
        other.check()
    assert world.happened() == other.happened()
    assert len(world.happened()) == 119


def test_a_missed_run_is_caught_up_with(world: AlertWorld) -> None:
    regular, late = world, AlertWorld()
    late.follow(BTC)
    for one in (regular, late):
        one.rule()
    for minute in range(20):
        prices = [100] * 50 + [120 + minute] * 10
        for one in (regular, late):
            one.trade(BTC, prices, first=60 * minute)
            one.at(60 * minute + 61)
        regular.check()
    late.check()
    assert [event.id for event in late.events()] == [event.id for event in regular.events()]
    assert len(late.events()) == 39


def test_what_is_too_long_ago_is_skipped_and_said(world: AlertWorld) -> None:
    world.rule()
    world.trade(BTC, [100] * 60)
    world.check(61)
    world.trade(BTC, {second: 120.0 if second < 600 else 100.0 for second in range(60, 7_200)})
    report = world.check(7_201)
    assert world.happened() == []
    assert report.skipped == {"binance:BTCUSDT@1s": 7_201_000 - HOUR - 59_000}


def test_two_runs_at_once_and_a_repeated_one_make_one_event(world: AlertWorld) -> None:
    world.rule()
    world.rule(name="other", operator="<", threshold=105)
    world.trade(BTC, [100, 120] * 30)
    world.at(61)
    reads = iter(range(1_000))
    slow = world.new_monitor()
    original = world.storage.alerts.commit

    class Racing:
        """The repository as the slower of two runs sees it: before its first commit the other run does all of its."""

        def __getattr__(self, name: str) -> object:
            return getattr(world.storage.alerts, name)

        def commit(self, transition: object) -> None:
            if next(reads) == 0:
                world.check()
            original(transition)  # type: ignore[arg-type]

    slow.alerts = Racing()  # type: ignore[assignment]
    slow.check(world.now)
    once = AlertWorld()
    once.follow(BTC)
    once.rule()
    once.rule(name="other", operator="<", threshold=105)
    once.trade(BTC, [100, 120] * 30)
    once.check(61)
    assert [event.id for event in world.events()] == [event.id for event in once.events()]
    assert world.state() == once.state()


def test_one_rules_error_is_that_rules(world: AlertWorld) -> None:
    world.rule()
    world.rule(symbol="GONEUSDT")
    world.trade(BTC, [120] * 60)
    report = world.check(61)
    assert report.errors == {"r2": "binance:GONEUSDT is not followed any more"}
    assert world.happened("r1") == [("fired", 0)]
    assert (world.state("r2").phase, world.state("r2").reason) == (Phase.NO_DATA, report.errors["r2"])
    assert world.check(62).errors == report.errors
    assert len(world.events("r2")) == 1


def test_an_input_waits_for_a_rule_that_could_not_be_stored(world: AlertWorld) -> None:
    world.rule()
    world.trade(BTC, [120] * 60)
    world.at(61)

    class Down:
        def __getattr__(self, name: str) -> object:
            return getattr(world.storage.alerts, name)

        def commit(self, transition: object) -> None:
            raise UnavailableError("write", "down")

    broken = world.new_monitor(alerts=Down())
    report = broken.check(world.now)
    assert (report.unfinished, report.evaluated_until) == (1, {})
    assert "down" in report.errors["r1"]
    world.check(65)
    assert world.happened() == [("fired", 0)]


def test_a_run_without_time_leaves_the_rest_to_the_next(world: AlertWorld) -> None:
    for _ in range(5):
        world.rule()
    world.trade(BTC, [120] * 60)
    world.at(61)
    left = iter([True] * 8)  # each rule is looked at; three of five can be stored
    report = world.monitor.check(world.now, lambda: next(left, False))
    assert (report.evaluated, report.unfinished) == (3, 2)
    report = world.check(62)
    assert (report.evaluated, report.unfinished) == (5, 0)
    assert [event.rule_id for event in world.events()].count("r5") == 1
    assert len(world.events()) == 5


@pytest.mark.parametrize(
    ("source", "local", "status"),
    [
        ("live", [], DeliveryStatus.PENDING),
        ("simulated", [], DeliveryStatus.SUPPRESSED),
        ("simulated", [ChannelType.EMAIL], DeliveryStatus.PENDING),
        ("replay", [], DeliveryStatus.PENDING),
    ],
)
def test_a_simulated_market_fires_marked_and_to_local_channels_only(
    source: str, local: list[ChannelType], status: DeliveryStatus
) -> None:
    world = AlertWorld(source)
    world.follow(BTC)
    world.monitor = world.new_monitor(local_channels=frozenset(local))
    world.rule(message="{{ name }} at {{ value|number }}")
    world.trade(BTC, [120] * 60)
    world.check(61)
    (event,) = world.events()
    assert event.market_kind == source
    assert event.message.startswith("SIMULATED: high at 120.00") == (source == "simulated")
    assert event.title.startswith("SIMULATED") == (source == "simulated")
    (delivery,) = world.storage.alerts.deliveries(event.id)
    assert delivery.status is status
    assert bool(delivery.error) == (status is DeliveryStatus.SUPPRESSED)


def test_a_simulated_market_stays_one_when_its_ingestor_is_long_dead() -> None:
    """Heartbeats are kept for an hour; the reminders of a stale feed go on, and must not lead outside then."""
    world = AlertWorld("simulated")
    world.follow(BTC)
    world.rule(metric="staleness", operator=">", threshold=90, remind_seconds=3_600)
    world.trade(BTC, [100] * 60)
    world.check(61)
    for minute in range(10, 200, 10):
        world.now = START + minute * MINUTE
        world.check()
    events = world.events()
    assert [event.kind for event in events] == [EventKind.FIRED, *[EventKind.REMINDER] * 3]
    assert {event.market_kind for event in events} == {"simulated"}
    told = [one for event in events for one in world.storage.alerts.deliveries(event.id)]
    assert {one.status for one in told} == {DeliveryStatus.SUPPRESSED}


def test_what_is_held_back_is_in_the_history_with_the_reason(world: AlertWorld) -> None:
    world.rule(cooldown_seconds=3_600)
    world.trade(BTC, [120, 100, 120, 100] * 15)
    world.check(61)
    events = world.events()
    assert len(events) == 59
    told = [world.storage.alerts.deliveries(event.id)[0] for event in events]
    assert [one.status for one in told].count(DeliveryStatus.PENDING) == 1
    assert {one.error for one in told[1:]} == {"cooldown"}


def test_a_template_that_fails_falls_back_and_is_recorded(world: AlertWorld) -> None:
    world.rule(message="{{ 1 / ((value or 0) - 120) }}")
    world.trade(BTC, [120] * 60)
    world.check(61)
    (event,) = world.events()
    assert "price of BTCUSDT is 120" in event.message
    assert "division by zero" in event.readings["template_error"]


def test_a_disabled_rule_is_not_looked_at(world: AlertWorld) -> None:
    world.rule(enabled=False)
    world.trade(BTC, [120] * 60)
    assert world.check(61).evaluated == 0
    assert world.happened() == []


def test_pairs_are_read_on_whole_minutes(world: AlertWorld) -> None:
    world.rule(metric="correlation", symbol="ETHUSDT", x="BTCUSDT", operator="<", threshold=0.9, window=10)
    for market, price in ((BTC, 100.0), (ETH, 100.0)):
        world.trade(market, {second: price + second % 7 for second in range(0, 1_200, 5)})
        world.trade(
            market, {second: price + second % (7 if market is BTC else 11) for second in range(1_200, 2_400, 5)}
        )
    world.check(2_401)
    event = world.events()[0]
    assert event.kind is EventKind.FIRED
    assert 1_200 <= (event.time - START) / SECOND < 1_800
    assert (event.time - START) % MINUTE == 0


def test_reads_grow_with_markets_and_not_with_rules(world: AlertWorld) -> None:
    world.trade(BTC, [100] * 60)
    world.trade(ETH, [100] * 60)
    world.rule()
    world.check(61)
    few = world.check(61).reads
    for threshold in range(200, 260):
        world.rule(threshold=threshold)
    assert world.check(62).reads == few
    world.rule(symbol="ETHUSDT")
    world.check(63)
    assert world.check(64).reads == few + 2


def test_a_correction_is_recorded_when_healed_trades_change_the_bar(world: AlertWorld) -> None:
    world.rule(notify=["fired", "correction"])
    world.rule(name="quiet")
    world.trade(BTC, [100] * 30 + [120] * 30)
    world.check(61)
    world.trade(BTC, [120] * 60, first=60)
    assert world.check(121).events == 0
    # What a healed trade does to the bar of the event.
    world.resample()
    bars = world.storage.bars
    second = bars.read(BTC, S1, START + 30_000, START + 31_000)
    bars.merge(BTC, type(second)(**{name: getattr(second, name) for name in second.__slots__} | {
        "high": second.high + 1_000, "trades": second.trades + 1, "last_id": second.last_id + 1,
    }))  # fmt: skip
    world.check(122)
    corrections = [event for event in world.events() if event.kind is EventKind.CORRECTION]
    assert {event.rule_id for event in corrections} == {"r1", "r2"}
    (told,) = [event for event in corrections if event.rule_id == "r1"]
    assert (told.value, told.corrects) == (130, world.events("r1")[0].id)
    assert "was 120, and is 130" in told.message
    assert [one.rule_id for one in world.storage.alerts.due(world.now, 50) if one.event_id == told.id] == ["r1"]
    assert world.check(123).events == 0


def test_a_trade_that_came_after_its_second_was_believed_to_be_over_makes_a_correction(world: AlertWorld) -> None:
    world.rule(notify=["fired", "correction"], clear_threshold=50)
    world.trade(BTC, [100] * 30 + [120])
    world.check(37)
    assert [(event.kind, event.value) for event in world.events()] == [(EventKind.FIRED, 120)]
    world.trade(BTC, {30: 131})
    world.trade(BTC, [120] * 20, first=40)
    world.check(61)
    (correction,) = [event for event in world.events() if event.kind is EventKind.CORRECTION]
    assert (correction.value, correction.corrects) == (131, world.events()[0].id)
    assert correction.message.endswith("it stands.")
    assert len(world.storage.alerts.due(world.now, 10)) == 2
    world.check(62)
    assert len(world.events()) == 2


def test_the_channels_of_a_rule_each_have_a_delivery(world: AlertWorld) -> None:
    channels = [MAIL, {"type": "telegram", "target": "42"}, {"type": "webhook", "target": "https://example.org/hook"}]
    world.rule(channels=channels)
    world.trade(BTC, [120] * 60)
    world.check(61)
    assert len(world.storage.alerts.due(world.now, 10)) == 3


def test_very_many_inputs_share_their_marks_in_the_report(world: AlertWorld) -> None:
    few = {f"binance:S{number}USDT@1m": START + number for number in range(MAX_MARKS)}
    assert bounded(few) == few
    more = few | {"binance:S0USDT@1s": START + 7}
    assert bounded(more) == {"*@1m": START, "*@1s": START + 7}
    world.rule()
    world.trade(BTC, [120, 120] + [100] * 58)
    shared = CheckReport(world.now, world.now, evaluated_until={"*@1s": START + 30_000})
    world.storage.alerts.put_report(shared)
    world.check(61)
    assert world.happened() == []


def test_a_p_value_is_read_once_per_scan(world: AlertWorld) -> None:
    world.rule(metric="cointegration_pvalue", symbol="ETHUSDT", x="BTCUSDT", threshold=0.1, for_seconds=300)

    def scan(second: int, p_value: float | None, complete: bool = True) -> None:
        row = {"exchange": "binance", "y": "BTCUSDT", "x_exchange": "binance", "x": "ETHUSDT", "p_value": p_value}
        body = json.dumps({"pairs": [row | {"passes": {"data": complete}}]}).encode()
        at = START + second * SECOND
        world.now = at
        world.storage.cache.publish(Result("scan", str(at), at, body))

    for second, p_value, happened in (
        (0, 0.01, []),
        (300, 0.5, []),
        (600, 0.6, [("fired", 600)]),
        (900, 0.7, [("fired", 600)]),
        (1_200, 0.05, [("fired", 600), ("resolved", 1_200)]),
    ):
        scan(second, p_value)
        for later in (5, 65, 125):
            world.check(second + later)
        assert world.happened() == happened
    scan(1_500, 0.9, complete=False)
    world.check(1_510)
    assert len(world.events()) == 2
    scan(1_800, 0.9)
    scan(2_100, 0.9)
    world.check(2_105)
    assert world.state().phase is Phase.PENDING
    world.check(2_100 + 700)
    assert world.happened()[-1] == ("resolved", 1_200)
    world.check(2_100 + 730)
    assert world.happened()[-1] == ("no_data", 2_400)
    assert "no scan has been made" in world.state().reason


def test_when_very_many_rules_fire_at_once_each_does_so_once(world: AlertWorld) -> None:
    for number in range(300):
        world.rule(id=f"r{number:03}", threshold=110 + number / 100)
    world.trade(BTC, [100] * 30 + [120] * 20 + [100] * 10)
    report = world.check(61)
    assert (report.evaluated, report.fired, report.events, report.deliveries) == (300, 300, 600, 600)
    assert world.check(62).events == 0
    assert len({event.id for event in world.events()}) == 600


def test_corrections_that_cannot_be_looked_for_do_not_keep_the_run_from_being_reported(world: AlertWorld) -> None:
    class Down:
        def __getattr__(self, name: str) -> object:
            return getattr(world.storage.alerts, name)

        def events(self, *args: object, **more: object) -> object:
            raise UnavailableError("read", "down")

    world.rule()
    world.trade(BTC, [120] * 60)
    world.at(61)
    report = world.new_monitor(alerts=Down()).check(world.now)
    assert (report.fired, report.unfinished) == (1, 0)
    assert "down" in report.errors["corrections"]
    assert world.storage.alerts.report() == report
