"""Alerts on the running stack: a rule made through the API, the market's event, and the message in each inbox."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from threading import Barrier
from typing import Any

import pytest
import requests

from infra.local.deployment import clients
from infra.local.environment import aws_environment
from infra.local.inbox.amazon import MAIL_PATH
from quant.domain.alert import Delivery, DeliveryStatus
from quant.errors import ConflictError
from quant.storage.alerts import AlertTable
from quant.storage.dynamo import DynamoTable
from quant.storage.rules import RuleTable
from tests.contract.alert_samples import MAIL, NOW, event, rule, transition
from tests.contract.conftest import ALERT_NAMES, create_tables
from tests.integration.client import get
from tests.integration.conftest import RunningStack

# The first test waits for two checks.
pytestmark = pytest.mark.timeout(400)
CHECK_SECONDS, FLUSH_SECONDS = 60, 1
# What a busy machine may add: until a bar is known to be whole, and until its message has been sent.
BAR_SLACK_SECONDS, SLACK_SECONDS = 10, 20
GROUP = 7
PREFIX = "quant"
CHATS = {"one": "1001", "many": "1002", "lost": "1003"}


@dataclass(frozen=True)
class Desk:
    """The stack, its token, and the rules that were made on it."""

    stack: RunningStack
    rules: dict[str, str]

    def inbox(self, channel: str) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = get(self.stack.url, "/inbox.json", channel=channel)["messages"]
        return messages

    def messages_to(self, channel: str, to: str) -> list[dict[str, Any]]:
        return [one for one in self.inbox(channel) if one["to"] == to]

    def history(self, name: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = get(self.stack.url, "/api/alerts/history", rule_id=self.rules[name])["events"]
        return events


def channels(stack: RunningStack, name: str) -> list[dict[str, str]]:
    topic = f"arn:aws:sns:us-east-1:000000000000:{PREFIX}-alerts"
    return [
        {"type": "email", "target": f"{name}@example.org"},
        {"type": "sns", "target": topic},
        {"type": "telegram", "target": CHATS[name]},
        {"type": "webhook", "target": f"{stack.url}/inbox/webhook/{name}"},
    ]


@pytest.fixture(scope="module")
def desk(stack: RunningStack) -> Desk:
    """Rules that fire with the next second's bar: one, seven together, and one whose webhook leads nowhere.

    They are made once the schedule runs: the emulator's first minute begins when it finds the time.
    """
    _await(lambda: get(stack.url, "/api/alerts/monitor/status")["last_run"] is not None, 2 * CHECK_SECONDS)
    made = {"one": _made(stack, "one", channels(stack, "one"))}
    both = [one for one in channels(stack, "many") if one["type"] in ("email", "telegram")]
    made |= {f"many {number}": _made(stack, f"many {number}", both) for number in range(GROUP)}
    nowhere = {"type": "webhook", "target": f"{stack.url}/no-such-receiver"}
    made["lost"] = _made(stack, "lost", [nowhere, {"type": "email", "target": "lost@example.org"}])
    found = Desk(stack, made)
    _await(lambda: _all_arrived(found), 2 * CHECK_SECONDS)
    return found


def _made(stack: RunningStack, name: str, targets: list[dict[str, str]]) -> str:
    body = {"name": name, "metric": "price", "symbol": "BTCUSDT", "operator": ">", "threshold": 1, "channels": targets}
    token = (stack.state_dir / "api-token").read_text().strip()
    reply = requests.post(
        f"{stack.url}/api/alerts/rules", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=20
    )
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


def _all_arrived(desk: Desk) -> bool:
    own = [desk.messages_to(*where) for where in _places(desk, "one")]
    many = [desk.messages_to("email", "many@example.org"), desk.messages_to("telegram", CHATS["many"])]
    lost = desk.history("lost")
    ended = lost and all(one["status"] in ("delivered", "failed") for one in lost[0]["deliveries"])
    return bool(all(own) and all(many) and ended)


def _places(desk: Desk, name: str) -> list[tuple[str, str]]:
    return [
        (one["type"], f"/inbox/webhook/{name}" if one["type"] == "webhook" else one["target"])
        for one in channels(desk.stack, name)
    ]


def _await(wanted: Callable[[], bool], patience: float) -> None:
    deadline = time.monotonic() + patience
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_a_rule_reaches_every_channel_within_a_minute_and_a_flush(desk: Desk) -> None:
    (fired,) = desk.history("one")
    happened = fired["time"] + 1_000
    limit = (CHECK_SECONDS + FLUSH_SECONDS) * 1_000
    print(f"\nfired {(fired['recorded_at'] - happened) / 1_000:.1f} s after the bar's end")
    assert fired["recorded_at"] - happened <= limit + BAR_SLACK_SECONDS * 1_000
    for channel, to in _places(desk, "one"):
        (message,) = [one for one in desk.messages_to(channel, to) if fired["id"] in one["event_id"]]
        assert message["subject"] == "SIMULATED FIRED: one"
        assert message["time"] - happened <= limit + SLACK_SECONDS * 1_000
        print(f"{channel}: received {(message['time'] - happened) / 1_000:.1f} s after it")
    assert {one["status"] for one in fired["deliveries"]} == {"delivered"}
    assert len(fired["deliveries"]) == 4


def test_each_message_says_what_happened_in_its_own_way(desk: Desk) -> None:
    (fired,) = desk.history("one")
    mail, sns, chat, hook = (
        next(one for one in desk.messages_to(*where) if fired["id"] in one["event_id"])
        for where in _places(desk, "one")
    )
    assert "<table" in mail["html"]
    for message in (mail, sns, chat):
        assert message["text"].startswith("SIMULATED: price of BTCUSDT is ")
        assert f"{desk.stack.url}/api/alerts/silence?token=" in message["text"]
    assert sns["facts"]["attributes"]["event_id"] == sns["event_id"]
    told = json.loads(hook["text"])["notifications"][0]
    assert (told["value"], told["market_kind"], told["event_id"]) == (float(fired["value"]), "simulated", fired["id"])
    assert hook["facts"]["signature"] == "valid"
    assert len({one["event_id"] for one in (mail, sns, chat, hook)}) == 4


def test_many_rules_of_one_run_are_one_message_to_each_target(desk: Desk) -> None:
    ids = {desk.history(f"many {number}")[0]["id"] for number in range(GROUP)}
    for channel, to in (("email", "many@example.org"), ("telegram", CHATS["many"])):
        messages = desk.messages_to(channel, to)
        assert [one["subject"][:20] for one in messages] == ["SIMULATED: 7 alerts:"]
        assert all(event_id in messages[0]["text"] for event_id in ids)


def test_what_cannot_be_delivered_is_in_history_and_in_the_queue(desk: Desk) -> None:
    (fired,) = desk.history("lost")
    ends = {one["channel"]["type"]: one for one in fired["deliveries"]}
    assert (ends["email"]["status"], ends["webhook"]["status"]) == ("delivered", "failed")
    assert "answered 405" in ends["webhook"]["error"]
    sqs = clients(desk.stack.emulator_url)("sqs")
    queue = sqs.get_queue_url(QueueName=f"{PREFIX}-dead-letters")["QueueUrl"]
    letters = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", [])
    assert fired["id"] in {json.loads(one["Body"]).get("event", {}).get("id") for one in letters}


def test_a_rule_that_goes_on_firing_says_it_once(desk: Desk) -> None:
    before = get(desk.stack.url, "/api/alerts/monitor/status")["last_run"]
    _await(lambda: bool(get(desk.stack.url, "/api/alerts/monitor/status")["last_run"] > before), 2 * CHECK_SECONDS)
    for where in _places(desk, "one"):
        if where[0] != "sns":  # all rules share the topic
            assert len(desk.messages_to(*where)) == 1
    assert len(desk.messages_to("email", "many@example.org")) == 1


def test_the_inbox_is_a_page_and_survives_the_emulators_memory(desk: Desk) -> None:
    page = requests.get(f"{desk.stack.url}/inbox/?channel=email", timeout=20)
    assert page.status_code == 200
    assert "SIMULATED FIRED: one" in page.text
    assert "one@example.org" in page.text
    kept = [json.loads(line) for path in _boxes(desk.stack.state_dir) for line in path.read_text().splitlines()]
    fetched = requests.get(desk.stack.emulator_url + MAIL_PATH, timeout=20).json()["messages"]
    sent = {one["MessageId"] for group in fetched.values() for one in group}
    assert sent <= {one["id"] for one in kept if one["channel"] == "email"}


def _boxes(state_dir: Path) -> list[Path]:
    return list(state_dir.glob("*/inbox.jsonl"))


@pytest.fixture
def alerts(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> AlertTable:
    """Tables of their own on the emulator's DynamoDB, with one rule."""
    for name, value in aws_environment(stack.emulator_url).items():
        monkeypatch.setenv(name, value)
    existing = clients(stack.emulator_url)("dynamodb").list_tables()["TableNames"]
    if ALERT_NAMES[0] not in existing:
        create_tables(stack.emulator_url)
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
