"""The switchboard of the inbox's receivers, as the real senders see it over the network."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from check_alerts.delivery import Courier
from check_alerts.letters import Letters
from quant.domain.alert import ChannelType, DeliveryStatus
from quant.domain.notification import DELIVERED, Outcome, Result, Sender
from quant.notify.secrets import Secrets as Kept
from quant.notify.telegram import Pace, TelegramSender
from quant.notify.webhook import WebhookSender
from tests.functional.alerts.messages import Secrets, links, message
from tests.functional.alerts.peers.inbox import RunningInbox, running_inbox
from tests.functional.alerts.peers.server import seconds_of
from tests.functional.alerts.world import BTC, AlertWorld

CHAT, OTHER, PATIENCE = "-100123", "-100124", 0.5
both = pytest.mark.parametrize("channel", ["telegram", "webhook"])


@pytest.fixture
def inbox() -> Iterator[RunningInbox]:
    with running_inbox() as running:
        yield running


def sender_to(inbox: RunningInbox, channel: str) -> Sender:
    if channel == "webhook":
        secrets, host = Kept(Secrets(secret=inbox.secrets.webhook_secret)), inbox.url.removeprefix("http://")
        return WebhookSender(secrets, "secret", lambda: time.time_ns() // 1_000_000, trusted=(host,), seconds=PATIENCE)
    secrets, pace = Kept(Secrets(token=inbox.secrets.telegram_token)), Pace(pause=lambda seconds: None)
    return TelegramSender(secrets, "token", f"{inbox.url}/inbox/telegram", pace=pace, seconds=PATIENCE)


def send(inbox: RunningInbox, channel: str, to: str = CHAT) -> Outcome:
    target = f"{inbox.url}/inbox/webhook/{to}" if channel == "webhook" else to
    return sender_to(inbox, channel).send(message(ChannelType(channel), target))


def arm(inbox: RunningInbox, **fault: Any) -> dict[str, Any]:
    reply = requests.post(f"{inbox.url}/inbox/faults", json=fault, timeout=5)
    assert reply.status_code == 201, reply.text
    told: dict[str, Any] = reply.json()
    return told


def received(inbox: RunningInbox) -> list[str]:
    return [one["event_id"] for one in _messages(inbox)]


@both
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"fault": "Refuse", "status": 503}, "503"),
        ({"fault": "Refuse", "status": 429, "retry_after": 7}, "429"),
        ({"fault": "Hang", "delay": 1.0}, "no answer within 0.5 s"),
        ({"fault": "BreakOff"}, "broke off"),
    ],
    ids=["503", "429", "hang", "break off"],
)
def test_a_receiver_in_trouble_keeps_nothing_and_takes_the_next_attempt(
    inbox: RunningInbox, channel: str, fault: dict[str, Any], reason: str
) -> None:
    arm(inbox, **fault)
    first = send(inbox, channel)
    assert (first.result, reason in first.reason) == (Result.RETRY, True), first.reason
    assert first.retry_after == 1_000 * fault.get("retry_after", 0)
    assert received(inbox) == []
    assert send(inbox, channel) == DELIVERED
    assert len(received(inbox)) == 1


@both
def test_a_slow_body_delays_and_takes_back_nothing(inbox: RunningInbox, channel: str) -> None:
    arm(inbox, fault="SlowBody", pause=0.3)
    outcomes: list[Outcome] = []
    took = seconds_of(lambda: outcomes.append(send(inbox, channel)))
    assert outcomes == [DELIVERED]
    assert 0.3 <= took < PATIENCE + 1
    assert len(received(inbox)) == 1


@both
def test_a_lost_answer_is_the_window_and_its_repeat_has_the_same_id(inbox: RunningInbox, channel: str) -> None:
    arm(inbox, fault="LoseAnswer")
    assert send(inbox, channel).result is Result.RETRY
    if channel == "telegram":
        assert send(inbox, channel).retry_after == 1_000  # The chat has just had a message, and Telegram says so.
        time.sleep(1)
    assert send(inbox, channel) == DELIVERED
    first, again = received(inbox)
    assert first == again != ""


# A receiver of each kind of trouble, the fault that strikes it once, and the attempts that history shows in the end.
TROUBLED = (
    ("telegram", "2001", {"fault": "Refuse", "status": 429, "retry_after": 45}, 2),
    ("telegram", "2002", {"fault": "Refuse", "status": 502}, 2),
    ("telegram", "2003", {"fault": "Hang", "delay": 1.0}, 2),
    ("telegram", "2004", {"fault": "SlowBody", "pause": 0.2}, 1),
    ("webhook", "busy", {"fault": "Refuse", "status": 503, "retry_after": 5}, 2),
    ("webhook", "hanging", {"fault": "Hang", "delay": 1.0}, 2),
    ("webhook", "broken", {"fault": "BreakOff"}, 2),
    ("webhook", "slow", {"fault": "SlowBody", "pause": 0.2}, 1),
)


def test_a_rule_reaches_receivers_in_trouble_once_and_history_shows_the_attempts(inbox: RunningInbox) -> None:
    """Two runs a minute apart. On the running stack: tests/integration/on_the_stack/test_the_alerts.py."""
    world, now = AlertWorld(), [0]
    world.follow(BTC)
    paths = {name: f"/inbox/webhook/{name}" if channel == "webhook" else name for channel, name, *_ in TROUBLED}
    targets = {name: f"{inbox.url}{path}" if path != name else name for name, path in paths.items()}
    for channel, name, fault, _ in TROUBLED:
        arm(inbox, **fault, channel=channel, to=paths[name])
    world.rule(channels=[{"type": channel, "target": targets[name]} for channel, name, *_ in TROUBLED])
    world.trade(BTC, [120] * 60)
    world.check(61)
    senders = {ChannelType(channel): sender_to(inbox, channel) for channel in ("telegram", "webhook")}
    courier = Courier(world.storage.alerts, Letters(links), lambda: senders, lambda: None, lambda: world.now + now[0])
    assert courier.deliver_due().retried == 6
    now[0] = 44_000
    assert (courier.deliver_due().delivered, {one["to"] for one in _messages(inbox)}) == (
        5,
        set(paths.values()) - {"2001"},
    )
    now[0] = 60_000
    assert courier.deliver_due().delivered == 1
    (event,) = world.events()
    told = {one.channel.target: (one.status, one.attempts) for one in world.storage.alerts.deliveries(event.id)}
    assert told == {targets[name]: (DeliveryStatus.DELIVERED, attempts) for _, name, _, attempts in TROUBLED}
    assert sorted(one["to"] for one in _messages(inbox)) == sorted(paths.values())
    struck = {
        one["to"]: one["event_id"] for one in requests.get(f"{inbox.url}/inbox/faults", timeout=5).json()["struck"]
    }
    assert struck == {one["to"]: one["event_id"] for one in _messages(inbox)}


def _messages(inbox: RunningInbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{inbox.url}/inbox.json", timeout=5).json()["messages"]
    return found


def test_a_fault_strikes_only_whom_it_names_and_as_often_as_it_says(inbox: RunningInbox) -> None:
    told = arm(inbox, fault="Refuse", channel="telegram", to=CHAT, times=2, status=500)
    assert told["active"][0]["times"] == 2
    assert send(inbox, "webhook") == DELIVERED
    assert send(inbox, "telegram", OTHER) == DELIVERED
    results = [send(inbox, "telegram").result for _ in range(3)]
    assert results == [Result.RETRY, Result.RETRY, Result.DELIVERED]
    struck = requests.get(f"{inbox.url}/inbox/faults", timeout=5).json()["struck"]
    assert [(one["channel"], one["to"], one["status"]) for one in struck] == [("telegram", CHAT, 500)] * 2
    assert {one["event_id"] for one in struck} <= set(received(inbox))


def test_armed_faults_can_be_disarmed(inbox: RunningInbox) -> None:
    arm(inbox, fault="Refuse", times=100)
    assert requests.delete(f"{inbox.url}/inbox/faults", timeout=5).json()["active"] == []
    assert send(inbox, "telegram") == DELIVERED


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"fault": "Explode"}, "must be one of Refuse"),
        ({"fault": "Refuse", "status": 200}, "status must be from 400"),
        ({"fault": "Refuse", "status": "503"}, "status is not a field of Refuse"),
        ({"fault": "Hang", "channel": "pigeon"}, "channel must be one of telegram"),
        ([], "must be one of"),
    ],
)
def test_an_unknown_fault_is_refused(inbox: RunningInbox, body: Any, reason: str) -> None:
    reply = requests.post(f"{inbox.url}/inbox/faults", json=body, timeout=5)
    assert (reply.status_code, reason in reply.json()["error"]) == (400, True), reply.text


def test_a_foreign_page_cannot_arm_anything(inbox: RunningInbox) -> None:
    """What a page may post to another origin without being asked: forms and plain text."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        told = requests.post(
            f"{inbox.url}/inbox/faults", data='{"fault": "Hang"}', headers={"Content-Type": kind}, timeout=5
        )
        assert told.status_code == 415
    assert requests.get(f"{inbox.url}/inbox/faults", timeout=5).json()["active"] == []
