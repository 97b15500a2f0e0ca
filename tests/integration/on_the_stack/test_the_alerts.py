"""Alerts on the running stack: a rule made through the API, the market's event, and the message in each inbox.

The last of this folder's: its rules are made at once where the schedule runs already.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.local.deployment import clients
from infra.local.inbox.amazon import MAIL_PATH
from tests.integration.client import get, wait_until
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
class Trouble:
    """A receiver that a fault strikes once, and how many attempts it takes to reach it then."""

    channel: str
    name: str
    attempts: int
    fault: dict[str, Any]


RETRY_AFTER = 45
# One of each kind, all of one rule: what fails in its first run arrives in the second.
TROUBLED = (
    Trouble("telegram", "2001", 2, {"fault": "Refuse", "status": 429, "retry_after": RETRY_AFTER}),
    Trouble("telegram", "2002", 2, {"fault": "Refuse", "status": 502}),
    Trouble("telegram", "2003", 2, {"fault": "Hang"}),
    Trouble("telegram", "2004", 1, {"fault": "SlowBody", "pause": 1.0}),
    Trouble("webhook", "busy", 2, {"fault": "Refuse", "status": 503, "retry_after": 5}),
    Trouble("webhook", "hanging", 2, {"fault": "Hang"}),
    Trouble("webhook", "broken", 2, {"fault": "BreakOff"}),
    Trouble("webhook", "slow", 1, {"fault": "SlowBody", "pause": 1.0}),
)


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
    """Rules that fire with the next second's bar: one, seven together, one whose webhook leads nowhere, and one whose
    receivers are in trouble.

    They are made once the schedule runs: the emulator's first minute begins when it finds the time.
    """
    wait_until(lambda: get(stack.url, "/api/alerts/monitor/status")["last_run"] is not None, 2 * CHECK_SECONDS)
    made = {"one": _made(stack, "one", channels(stack, "one"))}
    both = [one for one in channels(stack, "many") if one["type"] in ("email", "telegram")]
    made |= {f"many {number}": _made(stack, f"many {number}", both) for number in range(GROUP)}
    nowhere = {"type": "webhook", "target": f"{stack.url}/no-such-receiver"}
    made["lost"] = _made(stack, "lost", [nowhere, {"type": "email", "target": "lost@example.org"}])
    for trouble in TROUBLED:
        fault = trouble.fault | {"channel": trouble.channel, "to": _received_as(trouble)}
        assert requests.post(f"{stack.url}/inbox/faults", json=fault, timeout=20).status_code == 201
    made["troubled"] = _made(stack, "troubled", [_channel(stack, one) for one in TROUBLED])
    found = Desk(stack, made)
    wait_until(lambda: _all_arrived(found), 2 * CHECK_SECONDS)
    return found


def _channel(stack: RunningStack, one: Trouble) -> dict[str, str]:
    target = f"{stack.url}/inbox/webhook/{one.name}" if one.channel == "webhook" else one.name
    return {"type": one.channel, "target": target}


def _received_as(one: Trouble) -> str:
    """Whom the inbox says it was for."""
    return f"/inbox/webhook/{one.name}" if one.channel == "webhook" else one.name


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


def test_receivers_in_trouble_get_it_once_and_history_shows_the_attempts(desk: Desk) -> None:
    def attempts() -> dict[str, tuple[str, int]]:
        deliveries = [one for event in desk.history("troubled") for one in event["deliveries"]]
        return {one["channel"]["target"]: (one["status"], one["attempts"]) for one in deliveries}

    wait_until(lambda: {status for status, _ in attempts().values()} == {"delivered"}, 3 * CHECK_SECONDS)
    assert len(desk.history("troubled")) == 1
    wanted = {_channel(desk.stack, one)["target"]: ("delivered", one.attempts) for one in TROUBLED}
    assert attempts() == wanted
    struck = get(desk.stack.url, "/inbox/faults")["struck"]
    for trouble in TROUBLED:
        to = _received_as(trouble)
        (message,) = desk.messages_to(trouble.channel, to)
        (strike,) = [one for one in struck if (one["channel"], one["to"]) == (trouble.channel, to)]
        assert strike["fault"] == trouble.fault["fault"]
        # The attempt that failed and the one that did not have the same id.
        assert strike["event_id"] == message["event_id"]
        if trouble.attempts > 1:
            assert message["time"] - strike["time"] >= 1_000 * trouble.fault.get("retry_after", 0)


def test_a_rule_that_goes_on_firing_says_it_once(desk: Desk) -> None:
    """After the check that found it, another one has run to its end."""
    (fired,) = desk.history("one")
    next_run = fired["recorded_at"] + CHECK_SECONDS * 500
    wait_until(lambda: get(desk.stack.url, "/api/alerts/monitor/status")["last_run"] > next_run, 2 * CHECK_SECONDS)
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
