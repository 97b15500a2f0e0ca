"""What the repository of alerts promises, in memory and on DynamoDB."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from quant.domain.alert import (
    AlertEvent,
    CheckReport,
    Delivery,
    DeliveryStatus,
    EventKind,
    Phase,
    RuleState,
    Transition,
)
from quant.domain.interval import DAY, MINUTE, SECOND
from quant.errors import ConflictError
from quant.storage.alerts import HISTORY_KEPT_FOR, AlertTable
from quant.storage.rules import RuleTable
from quant.storage.table import Table, Write
from tests.contract.alert_samples import CHAT, EVERY, HOOK, MAIL, NOW, delivery, event, rule, state, transition
from tests.contract.conftest import FixedClock

Tables = tuple[Table, Table]
# moto runs a transaction without a lock, so that two threads may both pass its conditions; tests/integration has the
# emulator's word for this.
threaded = pytest.mark.parametrize("alert_tables", ["memory"], indirect=True)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def alerts(alert_tables: Tables, clock: FixedClock) -> AlertTable:
    for rule_id in ("r1", "r2"):
        RuleTable(alert_tables[0], clock).put(rule(rule_id), expected=0)
    return AlertTable(*alert_tables, clock)


def outbox(alerts: AlertTable, now: int = NOW) -> list[Delivery]:
    return list(alerts.due(now, 1_000))


def recorded(alerts: AlertTable, **query: object) -> list[str]:
    return [one.id for one in alerts.events(0, NOW + DAY, **query)]  # type: ignore[arg-type]


def test_a_transition_reads_back_whole(alerts: AlertTable) -> None:
    happened = event(readings={"complete": True, "bars": [1, 2]})
    alerts.commit(transition(1, happened))
    assert alerts.state("r1") == state(1)
    assert alerts.states() == {"r1": state(1)}
    assert alerts.event("e1") == happened
    assert alerts.events(NOW, NOW + 1) == (happened,)
    assert {one.channel for one in alerts.deliveries("e1")} == set(EVERY)
    assert {one.id for one in outbox(alerts)} == {delivery(happened, channel).id for channel in EVERY}
    assert (alerts.state("r2"), alerts.event("e2"), alerts.deliveries("e2")) == (None, None, ())


def test_a_repeat_of_the_whole_changes_nothing(alerts: AlertTable) -> None:
    for again in (transition(1, event("e1")), transition(2, event("e2", NOW + 1)), transition(3)):
        alerts.commit(again)
        leased = alerts.lease(outbox(alerts)[0], NOW + MINUTE) if again.events else None
        before = (alerts.states(), recorded(alerts), outbox(alerts, NOW + DAY))
        alerts.commit(again)
        assert (alerts.states(), recorded(alerts), outbox(alerts, NOW + DAY)) == before
        assert leased is None or leased in before[2]


def test_a_repeat_that_comes_after_the_next_transition_changes_nothing(alerts: AlertTable) -> None:
    alerts.commit(transition(1, event("e1")))
    alerts.commit(transition(2, event("e2", NOW + 1)))
    alerts.commit(transition(1, event("e1")))
    assert alerts.state("r1") == state(2)
    assert len(outbox(alerts, NOW + DAY)) == 2 * len(EVERY)


@pytest.mark.parametrize(
    "other",
    [
        transition(1, event("e2")),
        transition(1, event("e1", NOW + 7)),
        transition(1, event("e1"), phase=Phase.PENDING),
        transition(3, event("e3")),
        transition(2, event("e2"), rule_id="r2"),
    ],
    ids=["another event", "found later", "another state", "ahead", "another rule, ahead"],
)
def test_whoever_comes_second_stores_nothing(alerts: AlertTable, other: Transition) -> None:
    first = transition(1, event("e1"))
    alerts.commit(first)
    before = (alerts.states(), recorded(alerts), outbox(alerts, NOW + DAY))
    with pytest.raises(ConflictError):
        alerts.commit(other)
    assert (alerts.states(), recorded(alerts), outbox(alerts, NOW + DAY)) == before


def test_an_event_that_is_known_does_not_hold_up_its_rule(alerts: AlertTable) -> None:
    alerts.commit(Transition(RuleState("r1"), (event("e1"),), (delivery(event("e1")),)))
    alerts.commit(transition(1, event("e1", NOW + 5), event("e2", NOW + 5)))
    assert alerts.state("r1") == state(1)
    assert recorded(alerts) == ["e2", "e1"]
    assert [one.channel for one in alerts.deliveries("e1")] == [MAIL]
    assert len(outbox(alerts, NOW + DAY)) == 1 + len(EVERY)


def test_an_event_without_a_transition_leaves_the_state_alone(alerts: AlertTable) -> None:
    test = event("t1", kind=EventKind.TEST)
    for _ in range(2):
        alerts.commit(Transition(RuleState("r1"), (test,), (delivery(test),)))
    assert (alerts.states(), recorded(alerts), len(outbox(alerts))) == ({}, ["t1"], 1)
    with pytest.raises(ConflictError):
        alerts.commit(Transition(RuleState("r1"), (replace(test, value=1.0),), ()))


def test_a_rule_that_was_deleted_meanwhile_fires_no_more(alerts: AlertTable, alert_tables: Tables) -> None:
    alerts.commit(transition(1))
    RuleTable(alert_tables[0], lambda: NOW).delete("r1", expected=1)
    for sequence in (1, 2):
        with pytest.raises(ConflictError):
            alerts.commit(transition(sequence, event("e1")))
    assert (alerts.states(), recorded(alerts), outbox(alerts)) == ({}, [], [])


@threaded
def test_two_at_once_store_one_of_them(alerts: AlertTable) -> None:
    start = Barrier(4)

    def commit(number: int) -> bool:
        start.wait()
        try:
            alerts.commit(transition(1, event(f"e{number}"), value=float(number)))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(commit, range(4)))
    assert sum(won) == 1
    assert recorded(alerts) == [f"e{won.index(True)}"]
    assert len(outbox(alerts)) == len(EVERY)


def test_more_events_than_a_transaction_takes_are_stored_once(alerts: AlertTable, alert_tables: Tables) -> None:
    """The state comes last: whoever is killed before finds the same events again, at another time, and goes on."""
    events = [event(f"e{number:02d}", NOW + number) for number in range(25)]
    killed = _Killed(alert_tables[1], after=1)
    with pytest.raises(KeyboardInterrupt):
        AlertTable(alert_tables[0], killed, lambda: NOW).commit(transition(1, *events))
    assert alerts.states() == {}
    assert 0 < len(recorded(alerts)) < 25
    alerts.commit(transition(1, *(replace(one, recorded_at=one.recorded_at + MINUTE) for one in events)))
    assert alerts.state("r1") == state(1)
    assert sorted(recorded(alerts)) == [one.id for one in events]
    assert len(outbox(alerts, NOW + DAY)) == 25 * len(EVERY)
    with pytest.raises(ConflictError):
        alerts.commit(transition(1, *(event(f"f{number:02d}") for number in range(25))))
    assert len(recorded(alerts)) == 25


def test_what_is_due_comes_oldest_first_and_not_before_its_time(alerts: AlertTable) -> None:
    for number, at in enumerate((NOW + 2, NOW + 1, NOW + MINUTE)):
        alerts.commit(transition(number + 1, event(f"e{number}", at), channels=(MAIL,)))
    assert [one.event_id for one in alerts.due(NOW + 2, 10)] == ["e1", "e0"]
    assert [one.event_id for one in alerts.due(NOW + 2, 1)] == ["e1"]
    assert [one.event_id for one in alerts.due(NOW + MINUTE, 10)] == ["e1", "e0", "e2"]
    assert alerts.due(NOW, 10) == ()


def test_a_delivery_goes_through_lease_retry_and_end(alerts: AlertTable) -> None:
    alerts.commit(transition(1, event(), channels=(HOOK,)))
    leased = alerts.lease(outbox(alerts)[0], NOW + MINUTE)
    assert leased is not None
    assert (leased.attempts, leased.next_try) == (1, NOW + MINUTE)
    assert (outbox(alerts), outbox(alerts, NOW + MINUTE)) == ([], [leased])
    assert alerts.settle(
        replace(leased, status=DeliveryStatus.RETRYING, next_try=NOW + 2 * MINUTE, error="503 of the receiver")
    )
    (waiting,) = alerts.deliveries("e1")
    assert (outbox(alerts, NOW + MINUTE), outbox(alerts, NOW + 2 * MINUTE)) == ([], [waiting])
    again = alerts.lease(waiting, NOW + 3 * MINUTE)
    assert again is not None
    assert again.attempts == 2
    assert alerts.settle(replace(again, status=DeliveryStatus.DELIVERED, settled_at=NOW + 2 * MINUTE, error=""))
    assert outbox(alerts, NOW + DAY) == []
    (ended,) = alerts.deliveries("e1")
    assert (ended.status, ended.attempts, ended.settled_at) == (DeliveryStatus.DELIVERED, 2, NOW + 2 * MINUTE)


@pytest.mark.parametrize("status", [DeliveryStatus.FAILED, DeliveryStatus.SUPPRESSED, DeliveryStatus.DELIVERED])
def test_what_is_born_at_its_end_never_enters_the_outbox(alerts: AlertTable, status: DeliveryStatus) -> None:
    alerts.commit(Transition(state(1), (event(),), (delivery(event(), status=status),)))
    assert outbox(alerts, NOW + DAY) == []
    assert [one.status for one in alerts.deliveries("e1")] == [status]


@threaded
def test_one_of_many_gets_the_lease(alerts: AlertTable) -> None:
    alerts.commit(transition(1, event(), channels=(CHAT,)))
    (due,) = outbox(alerts)
    start = Barrier(4)

    def lease(_: int) -> Delivery | None:
        start.wait()
        return alerts.lease(due, NOW + MINUTE)

    with ThreadPoolExecutor(4) as pool:
        leased = [one for one in pool.map(lease, range(4)) if one is not None]
    assert len(leased) == 1
    assert outbox(alerts, NOW + DAY) == leased


def test_a_lease_that_ran_out_settles_nothing(alerts: AlertTable) -> None:
    alerts.commit(transition(1, event(), channels=(CHAT,)))
    slow = alerts.lease(outbox(alerts)[0], NOW + MINUTE)
    assert slow is not None
    quick = alerts.lease(slow, NOW + 2 * MINUTE)
    assert quick is not None
    assert not alerts.settle(replace(slow, status=DeliveryStatus.FAILED))
    assert alerts.settle(replace(quick, status=DeliveryStatus.DELIVERED))
    assert not alerts.settle(replace(quick, status=DeliveryStatus.FAILED))
    assert [one.status for one in alerts.deliveries("e1")] == [DeliveryStatus.DELIVERED]
    assert alerts.lease(quick, NOW + DAY) is None


def test_pages_give_each_event_once_while_new_ones_arrive(alerts: AlertTable) -> None:
    """Backwards over the turn of a month, forwards behind the last one seen; each rule apart, too."""
    times = [NOW + number * DAY for number in range(-40, 0)]
    for number, at in enumerate(times):
        events = (event(f"e{number:02d}", at, rule_id=f"r{number % 2 + 1}"),)
        alerts.commit(Transition(RuleState(f"r{number % 2 + 1}"), events))
    assert _paged(alerts) == [f"e{number:02d}" for number in reversed(range(40))]
    assert recorded(alerts, rule_id="r2", limit=100, newest_first=False) == [f"e{n:02d}" for n in range(1, 40, 2)]


def test_whoever_follows_is_told_each_event_once(alerts: AlertTable) -> None:
    told, after = [], ""
    for number in range(20):
        for part in range(number % 3):
            alerts.commit(Transition(RuleState("r1"), (event(f"e{number:02d}{part}", NOW + number),)))
        page = alerts.events(0, NOW + DAY, limit=10, after=after, newest_first=False)
        told += [one.id for one in page]
        after = alerts.position(page[-1]) if page else after
    assert told == [f"e{number:02d}{part}" for number in range(20) for part in range(number % 3)]


def _paged(alerts: AlertTable) -> list[str]:
    """All there is, the newest first, in pages of 7; an event arrives between any two of them."""
    found: list[str] = []
    after = ""
    while page := alerts.events(0, NOW + DAY, limit=7, after=after):
        found += [one.id for one in page]
        after = alerts.position(page[-1])
        alerts.commit(Transition(RuleState("r1"), (event(f"new{len(found)}", NOW + len(found)),)))
    return found


def test_events_of_one_moment_are_all_told(alerts: AlertTable) -> None:
    for number in range(6):
        alerts.commit(Transition(RuleState("r1"), (event(f"e{number}"),)))
    pages: list[Sequence[AlertEvent]] = []
    while page := alerts.events(NOW, NOW + 1, limit=2, after=alerts.position(pages[-1][-1]) if pages else ""):
        pages.append(page)
    assert [one.id for page in pages for one in page] == ["e5", "e4", "e3", "e2", "e1", "e0"]
    assert alerts.events(NOW + 1, NOW + 2) == alerts.events(NOW - 1, NOW) == alerts.events(NOW, NOW) == ()


def test_history_lasts_a_year(alerts: AlertTable, alert_tables: Tables, clock: FixedClock) -> None:
    alerts.commit(transition(1, event()))
    ttl = (NOW + HISTORY_KEPT_FOR) // SECOND
    items = [item for pk in ("e1", "event#2026-11", "rule#r1") for item in alert_tables[1].query(pk)]
    assert {item.ttl for item in items} == {ttl}
    assert len(items) == 3 + len(EVERY)
    assert {item.ttl for item in alert_tables[1].query("outbox")} == {None}
    clock.now = NOW + HISTORY_KEPT_FOR
    assert len(alerts.events(0, clock.now)) == 1
    clock.now += 1
    assert alerts.events(0, clock.now) == ()


def test_the_last_report_is_kept(alerts: AlertTable) -> None:
    assert alerts.report() is None
    report = CheckReport(
        NOW, NOW + 900, rules=2, errors={"r1": "it is gone"}, evaluated_until={"binance:BTCUSDT@1s": 1}
    )
    alerts.put_report(report)
    alerts.put_report(CheckReport(NOW - MINUTE, NOW + 5_000))
    assert alerts.report() == report
    alerts.put_report(CheckReport(NOW + MINUTE, NOW + MINUTE))
    assert alerts.report() == CheckReport(NOW + MINUTE, NOW + MINUTE)


class _Killed:
    """A table whose process ends at the transaction that follows ``after`` others."""

    def __init__(self, table: Table, after: int) -> None:
        self._table, self._left = table, after
        self.get, self.query = table.get, table.query

    def transact(self, writes: Sequence[Write]) -> None:
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        self._table.transact([replace(one, table=self._table) if one.table is self else one for one in writes])
