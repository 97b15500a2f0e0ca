"""The alert tables under any order of what several runs do to them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from quant.domain.alert import AlertEvent, Delivery, DeliveryStatus, RuleState, Transition
from quant.errors import ConflictError
from quant.storage.alerts import AlertTable
from quant.storage.rules import RuleTable
from quant.storage.table import MemoryTable
from tests.contract import alert_samples as samples

DAY = 86_400_000
WAITING = (DeliveryStatus.PENDING, DeliveryStatus.RETRYING)
ENDS = st.sampled_from((DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.RETRYING))
IDS = st.lists(st.sampled_from("abcdef"), max_size=3, unique=True)


class Runs(RuleBasedStateMachine):
    """Runs that each go on from what they have read, however old that is by now."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.sequence = samples.NOW, 0
        self.rules, self.history = MemoryTable(), MemoryTable()
        self.alerts = AlertTable(self.rules, self.history, lambda: self.now)
        RuleTable(self.rules, lambda: self.now).put(samples.rule(), expected=0)
        self.first: dict[str, AlertEvent] = {}
        self.held: list[Delivery] = []
        self.seen: list[Delivery] = []
        self.ended: dict[str, DeliveryStatus] = {}

    @rule(ids=IDS, behind=st.integers(-1, 2), milliseconds=st.integers(0, 3 * DAY))
    def commit(self, ids: list[str], behind: int, milliseconds: int) -> None:
        self.now += milliseconds
        events = tuple(samples.event(one, self.now) for one in ids)
        sequence = max(self.sequence + 1 - behind, 1)
        deliveries = tuple(samples.delivery(one, channel) for one in events for channel in samples.EVERY)
        state = samples.state(sequence, value=float(milliseconds))
        try:
            self.alerts.commit(Transition(state, events, deliveries))
        except ConflictError:
            assert sequence != self.sequence + 1
            return
        self.sequence = max(self.sequence, sequence)
        self._note(events)

    @rule(one=st.sampled_from("abcdef"), is_sent=st.booleans())
    def commit_an_event_alone(self, one: str, is_sent: bool) -> None:
        event = samples.event(one, self.now)
        try:
            deliveries = (samples.delivery(event),) if is_sent else ()
            self.alerts.commit(Transition(RuleState("r1"), (event,), deliveries))
        except ConflictError:
            assert one in self.first
            return
        self._note((event,))

    def _note(self, events: tuple[AlertEvent, ...]) -> None:
        for event in events:
            self.first.setdefault(event.id, event)

    @rule(later=st.integers(0, 120_000), until=st.integers(1, 90_000))
    def lease(self, later: int, until: int) -> None:
        self.now += later
        for due in self.alerts.due(self.now, 3):
            assert due.next_try <= self.now
            leased = self.alerts.lease(due, self.now + until)
            assert leased is not None
            self.held.append(leased)
            self.seen.append(due)

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def lease_what_was_due_long_ago(self, data: st.DataObject) -> None:
        assert self.alerts.lease(data.draw(st.sampled_from(self.seen)), self.now + 90_000) is None

    @precondition(lambda self: self.held)
    @rule(status=ENDS, data=st.data())
    def settle(self, status: DeliveryStatus, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(self.held))
        self.held.remove(held)
        stored = next(one for one in self.alerts.deliveries(held.event_id) if one.channel == held.channel)
        is_ours = self.alerts.settle(replace(held, status=status, next_try=self.now + 30_000))
        assert is_ours == (stored.sequence == held.sequence)
        if is_ours and status not in WAITING:
            assert held.id not in self.ended, "an end is for ever"
            self.ended[held.id] = status

    @invariant()
    def each_event_is_there_once_as_it_was_first_told(self) -> None:
        everything = self.alerts.events(0, self.now + 1, limit=1_000)
        assert sorted(one.id for one in everything) == sorted(self.first)
        assert self.alerts.events(0, self.now + 1, rule_id="r1", limit=1_000) == everything
        assert {one.id: one.recorded_at for one in everything} == {
            one.id: one.recorded_at for one in self.first.values()
        }

    @invariant()
    def the_outbox_holds_what_waits_and_nothing_else(self) -> None:
        deliveries = [one for event_id in self.first for one in self.alerts.deliveries(event_id)]
        waiting = sorted((one for one in deliveries if one.status in WAITING), key=lambda one: one.id)
        assert sorted(self.alerts.due(self.now + DAY, 1_000), key=lambda one: one.id) == waiting
        assert {one.id: one.status for one in deliveries if one.status not in WAITING} == self.ended

    @invariant()
    def the_state_is_the_newest_that_was_taken(self) -> None:
        state = self.alerts.state("r1")
        assert (state.sequence if state else 0) == self.sequence


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
