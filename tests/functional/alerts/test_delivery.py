"""The outbox: what is sent when, how often, together with what, and what becomes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_alerts.delivery import (
    FIRST_PAUSE,
    GROUP_ABOVE,
    LEASE,
    LONGEST_PAUSE,
    MOST_ATTEMPTS,
    MOST_TOGETHER,
    backoff,
    parcels_of,
)
from check_alerts.letters import message_id
from quant.domain.alert import Channel, ChannelType, Delivery, DeliveryStatus
from quant.domain.interval import SECOND
from quant.domain.notification import DELIVERED, Message, Outcome, Result
from quant.errors import UnavailableError
from tests.functional.alerts.messages import NOW, delivery, event
from tests.functional.alerts.post_office import CHAT, EVERY, HOOK, MAIL, Letterbox, PostOffice

LATER = Outcome(Result.RETRY, "the receiver answered 503")
NEVER = Outcome(Result.REFUSED, "the receiver answered 410")
LEASE_SECONDS = LEASE / SECOND


@pytest.fixture
def office() -> PostOffice:
    return PostOffice()


def test_each_channel_gets_the_event_once_and_history_says_so(office: PostOffice) -> None:
    office.happen("e1", channels=EVERY)
    report = office.deliver()
    assert (report.due, report.messages, report.delivered, report.errors) == (4, 4, 4, [])
    for channel in EVERY:
        (message,) = office.sent(channel.type)
        assert (message.channel, message.id) == (channel, office.one("e1", channel).id)
        found = office.one("e1", channel)
        assert (found.status, found.attempts, found.settled_at) == (DeliveryStatus.DELIVERED, 1, NOW)
    assert office.deliver(after=86_400).due == 0


def test_where_nothing_is_due_no_client_is_made(office: PostOffice) -> None:
    def fail() -> dict[ChannelType, object]:
        raise AssertionError("asked for")

    assert replace(office.courier, senders=fail, dead_letters=fail).deliver_due().due == 0


def test_one_channel_that_hangs_delays_no_other(office: PostOffice) -> None:
    """The webhook answers only when the other three have been served."""
    served = threading.Semaphore(0)

    def serve(_: Message) -> Outcome:
        served.release()
        return DELIVERED

    def hang(_: Message) -> Outcome:
        assert all(served.acquire(timeout=10) for _ in range(3))
        return LATER

    for kind in ChannelType:
        office.senders[kind].script = hang if kind is ChannelType.WEBHOOK else serve
    office.happen("e1", channels=(HOOK, *EVERY[:3]))
    assert (report := office.deliver()).delivered == 3
    assert report.retried == 1


def test_one_receiver_that_hangs_delays_no_other_of_its_kind(office: PostOffice) -> None:
    hooks = [Channel(ChannelType.WEBHOOK, f"https://h{number}.example.com/") for number in range(6)]
    others = threading.Barrier(6)

    def meet(_: Message) -> Outcome:
        others.wait(10)
        return DELIVERED

    office.senders[ChannelType.WEBHOOK].script = meet
    office.happen("e1", channels=hooks)
    assert office.deliver().delivered == 6


def test_what_may_pass_is_tried_later_and_later_until_it_has_failed(office: PostOffice) -> None:
    office.senders[ChannelType.WEBHOOK].script = lambda message: LATER
    office.happen("e1", channels=(HOOK,))
    pauses = []
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert office.one("e1", HOOK).attempts == attempt - 1
        office.deliver()
        pauses.append(office.one("e1", HOOK).next_try - office.now)
        assert office.deliver().due == 0
        office.now += max(pauses[-1], 0)
    ended = office.one("e1", HOOK)
    assert (ended.status, ended.attempts, ended.error) == (DeliveryStatus.FAILED, MOST_ATTEMPTS, LATER.reason)
    assert len({message.id for message in office.sent(ChannelType.WEBHOOK)}) == 1
    assert [(letter.id, of and of.id) for letter, of in office.dead.letters] == [(ended.id, "e1")]
    assert all(one < two for one, two in pairwise(pauses[:7]))
    assert 2 * 3_600 < sum(pauses[:-1]) / SECOND < 4 * 3_600


def test_what_is_refused_for_ever_fails_at_once(office: PostOffice) -> None:
    office.senders[ChannelType.TELEGRAM].script = lambda message: NEVER
    office.happen("e1", channels=(CHAT, MAIL))
    report = office.deliver()
    assert (report.failed, report.delivered) == (1, 1)
    assert (office.one("e1", CHAT).status, office.one("e1", CHAT).error) == (DeliveryStatus.FAILED, NEVER.reason)
    assert [letter.id for letter, _ in office.dead.letters] == [office.one("e1", CHAT).id]
    assert office.deliver(after=86_400).due == 0


def test_a_recovered_receiver_gets_what_it_missed_once(office: PostOffice) -> None:
    office.senders[ChannelType.WEBHOOK].script = lambda message: LATER
    office.happen("e1", channels=(HOOK,))
    office.deliver()
    office.senders[ChannelType.WEBHOOK].script = lambda message: DELIVERED
    office.deliver(after=60)
    office.deliver(after=86_400)
    assert [message.id for message in office.sent(ChannelType.WEBHOOK)] == [office.one("e1", HOOK).id] * 2
    assert (office.one("e1", HOOK).status, office.one("e1", HOOK).error) == (DeliveryStatus.DELIVERED, "")


def test_retry_after_is_kept_to_for_all_that_waits_for_that_chat(office: PostOffice) -> None:
    office.senders[ChannelType.TELEGRAM].script = lambda message: replace(LATER, retry_after=300_000)
    other = Channel(ChannelType.TELEGRAM, "42")
    office.happen("e1", "e2", "e3", channels=(CHAT,))
    office.happen("e4", channels=(other,))
    report = office.deliver()
    assert (report.messages, report.retried, report.left) == (2, 2, 2)
    office.senders[ChannelType.TELEGRAM].script = lambda message: DELIVERED
    assert office.deliver(after=299.9).due == 0
    assert [office.one(one, CHAT).attempts for one in ("e1", "e2", "e3")] == [1, 0, 0]
    assert office.deliver(after=0.1).delivered == 4


def test_a_receiver_that_fails_is_asked_once_a_run(office: PostOffice) -> None:
    office.senders[ChannelType.WEBHOOK].script = lambda message: LATER
    office.happen(*(f"e{number}" for number in range(GROUP_ABOVE)), channels=(HOOK,))
    report = office.deliver()
    assert (report.messages, report.retried, report.left) == (1, 1, GROUP_ABOVE - 1)


@pytest.mark.parametrize(("events", "messages"), [(1, 1), (GROUP_ABOVE, GROUP_ABOVE), (GROUP_ABOVE + 1, 1), (120, 3)])
def test_a_flood_is_one_message(office: PostOffice, events: int, messages: int) -> None:
    ids = [f"e{number:03d}" for number in range(events)]
    office.happen(*ids)
    report = office.deliver()
    assert (report.messages, report.delivered) == (messages, events)
    assert sorted(one for message in office.sent() for one in message.event_ids) == ids
    assert {office.one(one).grouped for one in ids} <= {1, events, MOST_TOGETHER, 20}
    assert office.statuses(*ids) == {DeliveryStatus.DELIVERED: events}


def test_a_flood_to_one_channel_leaves_the_others_as_they_are(office: PostOffice) -> None:
    office.happen(*(f"e{number}" for number in range(7)), channels=(MAIL,))
    office.happen("f1", channels=(MAIL, CHAT))
    office.deliver()
    assert [len(message.event_ids) for message in office.sent()] == [8]
    assert [message.event_ids for message in office.sent(ChannelType.TELEGRAM)] == [("f1",)]


def test_a_group_is_tried_again_as_the_same_message_whatever_came_meanwhile(office: PostOffice) -> None:
    office.senders[ChannelType.EMAIL].script = lambda message: LATER
    first = [f"e{number}" for number in range(7)]
    office.happen(*first)
    office.deliver()
    office.happen(*(f"f{number}" for number in range(7)))
    office.senders[ChannelType.EMAIL].script = lambda message: DELIVERED
    office.deliver(after=60)
    tried, again, new = office.sent()
    assert (again.id, sorted(again.event_ids)) == (tried.id, first)
    assert sorted(new.event_ids) == [f"f{number}" for number in range(7)]


def test_a_run_that_dies_while_it_records_a_group_repeats_what_is_left_under_the_same_ids(office: PostOffice) -> None:
    ids = [f"e{number}" for number in range(7)]
    office.happen(*ids)
    with pytest.raises(KeyboardInterrupt):
        replace(office.courier, alerts=_Dying(office, after=3)).deliver_due()  # type: ignore[arg-type]
    assert office.statuses(*ids) == {DeliveryStatus.DELIVERED: 3, DeliveryStatus.PENDING: 4}
    assert office.deliver(after=LEASE_SECONDS).delivered == 4
    whole, rest = office.sent()
    told = {one["id"] for one in whole.facts["notifications"]}
    assert {one["id"] for one in rest.facts["notifications"]} < told == {office.one(one).id for one in ids}
    assert all(one["id"] in rest.text for one in rest.facts["notifications"])
    assert office.deliver(after=86_400).due == 0


def test_no_message_is_begun_that_there_is_no_time_for(office: PostOffice) -> None:
    office.happen("e1", "e2", "e3", channels=(MAIL,))
    times = iter([True, False])
    report = office.courier.deliver_due(lambda: next(times))
    assert (report.messages, report.delivered, report.left) == (1, 1, 2)
    assert office.one("e2").attempts == 0
    assert office.deliver().delivered == 2


def test_a_delivery_whose_event_is_gone_fails(office: PostOffice) -> None:
    office.happen("e1")
    courier = replace(office.courier, alerts=_Forgetful(office))  # type: ignore[arg-type]
    assert courier.deliver_due().failed == 1
    assert office.one("e1").error == "its event is gone from the history"
    assert [of for _, of in office.dead.letters] == [None]


def test_two_couriers_at_once_send_each_delivery_once(office: PostOffice) -> None:
    ids = [f"e{number}" for number in range(5)]
    office.happen(*ids, channels=EVERY)
    start = threading.Barrier(3)

    def run() -> None:
        start.wait()
        office.courier.deliver_due()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for channel in EVERY:
        sent = sorted(message.event_ids for message in office.sent(channel.type))
        assert sent == [(one,) for one in ids]
    assert office.statuses(*ids) == {DeliveryStatus.DELIVERED: 5 * len(EVERY)}


def test_whoever_outlives_his_lease_takes_nothing_back(office: PostOffice) -> None:
    """A run that hangs between send and settle while another one delivers: two messages, and they say the same id."""
    office.happen("e1")

    def slow(_: Message) -> Outcome:
        office.senders[ChannelType.EMAIL].script = lambda message: DELIVERED
        office.deliver(after=LEASE_SECONDS)
        return LATER

    office.senders[ChannelType.EMAIL].script = slow
    office.deliver()
    assert office.one("e1").status is DeliveryStatus.DELIVERED
    assert len({message.id for message in office.sent()}) == 1
    assert office.deliver(after=86_400).due == 0


def test_attempts_that_never_come_to_an_end_are_counted_too(office: PostOffice) -> None:
    """A message that kills whoever sends it is not sent for ever."""

    def kill(_: Message) -> Outcome:
        raise KeyboardInterrupt

    office.senders[ChannelType.EMAIL].script = kill
    office.happen("e1")
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            office.deliver(after=LEASE_SECONDS)
    assert office.deliver(after=LEASE_SECONDS).failed == 1
    assert office.one("e1").error == f"none of {MOST_ATTEMPTS} attempts came to an end"
    assert len(office.sent()) == MOST_ATTEMPTS


def test_a_fault_of_one_sender_is_raised_when_all_others_are_served(office: PostOffice) -> None:
    def broken(_: Message) -> Outcome:
        raise TypeError("a defect")

    office.senders[ChannelType.SNS].script = broken
    office.happen("e1", channels=EVERY)
    with pytest.raises(TypeError, match="a defect"):
        office.deliver()
    assert office.statuses("e1") == {DeliveryStatus.DELIVERED: 3, DeliveryStatus.PENDING: 1}
    assert office.deliver().due == 0


def test_a_dead_letter_that_cannot_be_laid_down_is_not_forgotten(office: PostOffice) -> None:
    class Away(Letterbox):
        def put(self, *_: object) -> None:
            raise UnavailableError("lay down a notification", "it is away")

    office.senders[ChannelType.TELEGRAM].script = lambda message: NEVER
    office.happen("e1", channels=(CHAT, MAIL))
    report = replace(office.courier, dead_letters=Away).deliver_due()
    assert report.errors == ["telegram: storage could not lay down a notification: it is away"]
    assert (report.delivered, office.one("e1", CHAT).status) == (1, DeliveryStatus.PENDING)
    assert office.deliver(after=LEASE_SECONDS).failed == 1
    assert len(office.dead.letters) == 1


def test_without_a_queue_history_alone_says_what_failed(office: PostOffice) -> None:
    office.senders[ChannelType.EMAIL].script = lambda message: NEVER
    office.happen("e1")
    assert replace(office.courier, dead_letters=lambda: None).deliver_due().failed == 1
    assert office.one("e1").status is DeliveryStatus.FAILED


@given(st.integers(1, MOST_ATTEMPTS), st.text(max_size=20), st.integers(0, 3_600_000))
def test_the_pause_is_bounded_and_the_same_each_time(attempts: int, event_id: str, asked: int) -> None:
    one = replace(delivery(event(event_id), MAIL), attempts=attempts)
    pause = backoff([one], asked)
    usual = min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
    assert max(0.8 * usual - 1, asked) <= pause <= max(1.2 * usual, asked)
    assert pause == backoff([one], asked)


def test_pauses_are_spread() -> None:
    pauses = {backoff([replace(delivery(event(f"e{number}"), MAIL), attempts=3)]) for number in range(100)}
    assert len(pauses) > 90


channels = st.sampled_from((MAIL, CHAT, HOOK))
outbox = st.lists(
    st.builds(
        lambda number, channel, group, attempts: delivery(
            event(f"e{number}"), channel, grouped=group, attempts=attempts, next_try=NOW + attempts
        ),
        st.integers(0, 400),
        channels,
        st.sampled_from((1, 1, 1, 7)),
        st.integers(0, 3),
    ),
    max_size=300,
    unique_by=lambda one: one.id,
)


@given(outbox)
def test_whatever_is_due_each_delivery_is_in_one_parcel_of_its_channel(due: list[Delivery]) -> None:
    parcels = parcels_of(due)
    told = [one.id for several in parcels.values() for parcel in several for one in parcel]
    assert sorted(told) == sorted(one.id for one in due)
    for channel, several in parcels.items():
        assert {one.channel for parcel in several for one in parcel} == {channel}
        assert all(0 < len(parcel) <= MOST_TOGETHER for parcel in several)
        assert sum(len(parcel) == 1 and parcel[0].grouped == 1 for parcel in several) <= GROUP_ABOVE


@given(outbox.filter(lambda due: len(due) > 1), st.randoms())
def test_a_messages_id_is_a_function_of_what_it_tells(due: list[Delivery], random: Callable[..., object]) -> None:
    shuffled = list(due)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert message_id(shuffled) == message_id(due)
    assert message_id(due[1:]) != message_id(due)
    assert message_id([replace(one, attempts=one.attempts + 1) for one in due]) == message_id(due)


class _Dying:
    """The outbox as a run sees it that dies after so many of its settlements."""

    def __init__(self, office: PostOffice, after: int) -> None:
        self._alerts, self._left = office.storage.alerts, after
        self.due, self.lease, self.event = self._alerts.due, self._alerts.lease, self._alerts.event

    def settle(self, one: Delivery) -> bool:
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        return self._alerts.settle(one)


class _Forgetful:
    """The outbox of an office whose events have expired."""

    def __init__(self, office: PostOffice) -> None:
        alerts = office.storage.alerts
        self.due, self.lease, self.settle = alerts.due, alerts.lease, alerts.settle

    def event(self, _: str) -> None:
        return None
