"""What the repository of rules promises, in memory and on DynamoDB."""

from __future__ import annotations

import pytest

from quant.domain.alert import EventKind
from quant.domain.interval import DAY
from quant.errors import ConflictError
from quant.storage.alerts import AlertTable
from quant.storage.rules import RuleTable
from quant.storage.table import Table
from tests.contract.alert_samples import ETH, NOW, rule, transition
from tests.contract.conftest import FixedClock


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def rules(alert_tables: tuple[Table, Table], clock: FixedClock) -> RuleTable:
    return RuleTable(alert_tables[0], clock)


def test_a_rule_reads_back_whole(rules: RuleTable) -> None:
    full = rule(
        "r2",
        x=ETH,
        clear_threshold=99_000.0,
        for_seconds=30,
        notify=(EventKind.FIRED, EventKind.CORRECTION),
        message="{{ value }}",
        enabled=False,
        silenced_until=NOW,
        created_at=NOW,
        updated_at=NOW,
    )
    rules.put(full, expected=0)
    rules.put(rule("r1"), expected=0)
    assert rules.get("r2") == full
    assert rules.all() == (rule("r1"), full)
    assert rules.get("r3") is None


def test_a_change_is_refused_where_another_came_before(rules: RuleTable) -> None:
    rules.put(rule(), expected=0)
    with pytest.raises(ConflictError):
        rules.put(rule(name="again"), expected=0)
    rules.put(rule(version=2, name="first"), expected=1)
    with pytest.raises(ConflictError):
        rules.put(rule(version=2, name="second"), expected=1)
    found = rules.get("r1")
    assert found is not None
    assert (found.version, found.name) == (2, "first")


def test_a_change_of_a_rule_that_is_gone_is_refused(rules: RuleTable) -> None:
    with pytest.raises(ConflictError):
        rules.put(rule(version=2), expected=1)


def test_deleting_asks_for_the_version_and_takes_the_state_along(
    rules: RuleTable, alert_tables: tuple[Table, Table], clock: FixedClock
) -> None:
    alerts = AlertTable(*alert_tables, clock)
    rules.put(rule(), expected=0)
    alerts.commit(transition(1))
    for version in (0, 2):
        with pytest.raises(ConflictError):
            rules.delete("r1", expected=version)
    assert alerts.state("r1") is not None
    rules.delete("r1", expected=1)
    assert (rules.get("r1"), alerts.state("r1")) == (None, None)
    with pytest.raises(ConflictError):
        rules.delete("r1", expected=1)


def test_an_answer_is_kept_once_and_for_a_day(rules: RuleTable, clock: FixedClock) -> None:
    assert rules.answer_of("key") is None
    assert rules.keep_answer("key", "hash", b"\x00answer")
    assert not rules.keep_answer("key", "other", b"later")
    clock.now += DAY
    assert rules.answer_of("key") == ("hash", b"\x00answer")
    clock.now += 1
    assert rules.answer_of("key") is None
    assert rules.keep_answer("key", "other", b"later")
    assert rules.answer_of("key") == ("other", b"later")


def test_many_rules_read_back_whole_and_in_order(rules: RuleTable) -> None:
    several = tuple(rule(f"r{number:04d}") for number in range(300))
    for one in reversed(several):
        rules.put(one, expected=0)
    assert rules.all() == several
