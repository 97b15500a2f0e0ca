"""What the emulator's DynamoDB makes of several commits and leases at once, and how long the one window is open."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from statistics import median
from threading import Barrier

import pytest

from infra.local.deployment import clients
from infra.local.environment import aws_environment
from quant.domain.alert import Delivery, DeliveryStatus
from quant.errors import ConflictError
from quant.storage.alerts import AlertTable
from quant.storage.dynamo import DynamoTable
from quant.storage.rules import RuleTable
from tests.contract.alert_samples import MAIL, NOW, event, rule, transition
from tests.contract.conftest import ALERT_NAMES, create_tables
from tests.integration.conftest import RunningStack


@pytest.fixture
def alerts(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> AlertTable:
    """Tables of their own on the emulator's DynamoDB, with one rule."""
    for name, value in aws_environment(stack.emulator_url).items():
        monkeypatch.setenv(name, value)
    existing = clients(stack.emulator_url)("dynamodb").list_tables()["TableNames"]
    if ALERT_NAMES[0] not in existing:
        create_tables(ALERT_NAMES, stack.emulator_url)
    rules, history = (DynamoTable(name) for name in ALERT_NAMES)
    for name, table in zip(ALERT_NAMES, (rules, history), strict=True):
        for page in clients(stack.emulator_url)("dynamodb").get_paginator("scan").paginate(TableName=name):
            for item in page["Items"]:
                table.delete(item["pk"]["S"], item["sk"]["S"])
    RuleTable(rules, lambda: NOW).put(rule(), expected=0)
    return AlertTable(rules, history, lambda: NOW)


def test_of_several_commits_at_once_one_is_stored(alerts: AlertTable) -> None:
    start = Barrier(4)

    def commit(number: int) -> bool:
        start.wait()
        try:
            alerts.commit(transition(1, event(f"e{number}"), value=float(number), channels=(MAIL,)))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(commit, range(4)))
    assert [one.id for one in alerts.events(0, NOW + 1)] == [f"e{won.index(True)}"]
    assert (sum(won), len(alerts.due(NOW, 10))) == (1, 1)


def test_of_several_leases_at_once_one_is_got_and_the_window_is_short(alerts: AlertTable) -> None:
    """The window of a repeat is as long as it takes to record what was sent."""
    spans = []
    for number in range(1, 11):
        alerts.commit(transition(number, event(f"e{number}"), channels=(MAIL,)))
        (due,) = alerts.due(NOW, 10)
        start = Barrier(3)

        def lease(_: int, due: Delivery = due, start: Barrier = start) -> Delivery | None:
            start.wait()
            return alerts.lease(due, NOW + 90_000)

        with ThreadPoolExecutor(3) as pool:
            (leased,) = [one for one in pool.map(lease, range(3)) if one is not None]
        began = time.perf_counter()
        assert alerts.settle(_ended(leased))
        spans.append(time.perf_counter() - began)
    print(f"sent, not yet recorded: {1_000 * median(spans):.1f} ms on the emulator (median of {len(spans)})")
    assert alerts.due(NOW + 90_000, 10) == ()


def _ended(leased: Delivery) -> Delivery:
    return replace(leased, status=DeliveryStatus.DELIVERED, settled_at=NOW)
