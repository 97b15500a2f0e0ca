"""Thousands of rules that fire in one minute: a run does what it has time for, and the next goes on there."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from check_alerts.delivery import MOST_DUE, Courier
from check_alerts.letters import Letters
from check_alerts.service import THREADS
from quant.domain.alert import ChannelType, EventKind
from quant.domain.notification import DELIVERED, Message, Outcome, Sender
from tests.functional.alerts.messages import links
from tests.functional.alerts.world import BTC, AlertWorld

RULES, RESTLESS, COMMITS = 2_000, 700, 500
LOW = [100.0] * 58
WICK = [*LOW, 120.0, 100.0]


def world_of_many() -> AlertWorld:
    """The first rules, by id, fire again in each minute that has a wick; the others fire once and stay."""
    world = AlertWorld()
    world.follow(BTC)
    for number in range(RULES):
        clear = {} if number < RESTLESS else {"clear_threshold": 50}
        world.rule(id=f"r{number:04}", notify=["fired"], **clear)
    return world


def minute(world: AlertWorld, number: int, prices: list[float]) -> None:
    world.trade(BTC, prices, first=60 * number)
    world.at(60 * number + 61)


def time_for(calls: int) -> Callable[[], bool]:
    """Time for so many questions whether there is any left, from whichever thread."""
    left, lock = [calls], threading.Lock()

    def has_time() -> bool:
        with lock:
            left[0] -= 1
            return left[0] >= 0

    return has_time


def test_what_a_run_has_no_time_for_the_next_does_and_none_is_kept_waiting_by_others() -> None:
    world, whole = world_of_many(), world_of_many()
    waiting = []
    for number in range(4):
        for one in (world, whole):
            minute(one, number, WICK)
        whole.check()
        world.monitor.check(world.now, time_for(RULES + COMMITS))
        waiting.append(RULES - len({event.rule_id for event in world.events()}))
    # 500 at a time, although the first 700 have something new in each of these minutes. (The threads' turns may give a
    # few of those a second transition.)
    assert all(left <= wanted + THREADS for left, wanted in zip(waiting, (1_500, 1_000, 500, 0), strict=True))
    for number in range(4, 16):
        for one in (world, whole):
            minute(one, number, [100.0] * 60)
        whole.check()
        report = world.monitor.check(world.now, time_for(RULES + COMMITS))
        if not report.unfinished:
            break
    assert report.unfinished == 0
    assert report.skipped == {}
    assert sorted(event.id for event in world.events()) == sorted(event.id for event in whole.events())
    told = Counter((event.rule_id, event.kind) for event in world.events())
    assert {count for (_, kind), count in told.items() if kind is EventKind.FIRED} == {1, 4}


@dataclass
class _Receiver:
    got: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> Outcome:
        self.got.append(message)
        return DELIVERED


def test_an_outbox_of_thousands_is_worked_off_run_by_run_each_of_them_once() -> None:
    world, receiver = world_of_many(), _Receiver()
    minute(world, 0, WICK)
    world.check()
    senders: Mapping[ChannelType, Sender] = {ChannelType.EMAIL: receiver}
    courier = Courier(world.storage.alerts, Letters(links), lambda: senders, lambda: None, lambda: world.now)
    runs = []
    while (report := courier.deliver_due()).due:
        runs.append(report.delivered)
    assert runs == [MOST_DUE, MOST_DUE]
    told = Counter(one for message in receiver.got for one in message.event_ids)
    assert set(told.values()) == {1}
    assert len(told) == RULES
    assert len(receiver.got) == RULES / 50
