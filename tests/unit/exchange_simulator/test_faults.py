"""Faults strike when, where and as often as they are told."""

from dataclasses import dataclass

import pytest

from infra.local.exchange.disturbance import Disturbance
from infra.local.exchange.faults import Close, Duplicate, Faults, Halt, Inject, NoHistoricalTrades, Reorder, Skip, parse
from infra.local.exchange.market import Event
from quant.errors import ValidationError


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def events(*ids: int) -> list[Event]:
    return [Event("BTCUSDT", "btcusdt@trade", str(number), number) for number in ids]


def ids(sent: list[Event]) -> list[int | None]:
    return [event.trade_id for event in sent]


def test_a_fault_strikes_once() -> None:
    faults = Faults(Close(code=1001))
    assert faults.take(Close) == Close(code=1001)
    assert faults.take(Close) is None


def test_a_fault_strikes_as_often_as_it_says() -> None:
    faults = Faults(Close(times=3))
    assert [faults.take(Close) is not None for _ in range(4)] == [True, True, True, False]


def test_a_fault_with_seconds_strikes_for_that_long() -> None:
    clock = Clock()
    faults = Faults(Halt(seconds=5), clock=clock)
    assert faults.active(Halt)
    clock.now += 4.9
    assert faults.take(Halt)
    clock.now += 0.1
    assert not faults.active(Halt)


def test_a_delayed_fault_waits() -> None:
    clock = Clock()
    faults = Faults(clock=clock)
    faults.add(Close(), after=2)
    assert faults.take(Close) is None
    clock.now += 2
    assert faults.take(Close)


def test_a_fault_of_another_symbol_is_left_alone() -> None:
    faults = Faults(Skip(symbol="ETHUSDT"))
    assert faults.take(Skip, "BTCUSDT") is None
    assert faults.take(Skip, "ETHUSDT")


def test_skipped_trades_are_missing_from_the_stream() -> None:
    disturbance = Disturbance(Faults(Skip(times=2)))
    assert ids(disturbance.apply("BTCUSDT", events(1, 2, 3))) == [3]


def test_duplicates_come_twice() -> None:
    assert ids(Disturbance(Faults(Duplicate())).apply("BTCUSDT", events(1, 2))) == [1, 1, 2]


def test_neighbours_change_places_across_batches() -> None:
    disturbance = Disturbance(Faults(Reorder(times=2)))
    assert ids(disturbance.apply("BTCUSDT", events(1, 2, 3))) == [2, 1]
    assert ids(disturbance.apply("BTCUSDT", events(4, 5))) == [4, 3, 5]


def test_faults_are_read_from_json() -> None:
    assert parse({"fault": "Inject", "what": "huge", "times": 2, "after": 1}) == (Inject(what="huge", times=2), 1.0)
    assert parse({"fault": "NoHistoricalTrades"}) == (NoHistoricalTrades(), 0.0)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"fault": "Nope"},
        {"fault": "Close", "kode": 1},
        {"fault": "Close", "code": "1001"},
        {"fault": "Inject", "what": "nothing"},
    ],
)
def test_what_is_no_fault_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        parse(value)
