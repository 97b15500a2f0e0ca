"""The monitor: every rule is walked over what has happened since the last run, whenever that was.

Rules and states are read once; bars once per market, whatever the number of rules; rules that look at the same series
share it. A run that stops half-way, fails, is repeated or overlaps another one changes nothing: a transition is stored
under the state that it was made of, and an input's mark moves on only when all of its rules have been looked at.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from check_alerts.corrections import corrected
from quant.alerting.conditions import OPERATORS
from quant.alerting.events import Occasion, deliveries_of, event_of
from quant.alerting.machine import Happening, advance, beginning
from quant.alerting.readings import Readings
from quant.domain.alert import (
    AlertEvent,
    AlertRepository,
    ChannelType,
    CheckReport,
    Delivery,
    EventKind,
    Rule,
    RuleRepository,
    RuleState,
    Transition,
)
from quant.domain.interval import HOUR
from quant.domain.ports import BarRepository, Clock, HeartbeatRepository, InstrumentRepository, TickRepository
from quant.domain.results import ResultRepository
from quant.errors import ConflictError, QuantError
from quant.readings.feed import INTERVALS, Feed
from quant.readings.watched import Watched, input_of

CATCH_UP = HOUR
"""How much of the past a run looks at after a pause, ms; what is older is reported as skipped."""
MAX_ERRORS = 100
MAX_MARKS = 3_000
"""The report has to fit an item: of more inputs than that, those of one interval share the earliest mark."""
_ROUNDS, _CONFLICTS = 10_000, 5
_logger = logging.getLogger("check_alerts")


@dataclass(slots=True)
class _Tally:
    """What a run has done so far."""

    evaluated: int = 0
    events: int = 0
    fired: int = 0
    deliveries: int = 0
    unfinished: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)

    def count(self, transition: Transition) -> None:
        self.events += len(transition.events)
        self.fired += sum(event.kind is EventKind.FIRED for event in transition.events)
        self.deliveries += len(transition.deliveries)

    def skip(self, name: str, span: int) -> None:
        if len(self.skipped) < MAX_ERRORS:
            self.skipped[name] = span

    def fail(self, rule: Rule, reason: str) -> None:
        if len(self.errors) < MAX_ERRORS:
            self.errors[rule.id] = reason[:300]


@dataclass(slots=True)
class Monitor:
    """The ports of the use case.

    Attributes:
        local_channels: kinds of channels that lead nowhere but to this machine.
        clock: for durations; the time of a run is given to it.
    """

    rules: RuleRepository
    alerts: AlertRepository
    ticks: TickRepository
    bars: BarRepository
    heartbeats: HeartbeatRepository
    instruments: InstrumentRepository
    cache: ResultRepository
    clock: Clock
    local_channels: frozenset[ChannelType] = frozenset()

    def check(self, now: int, has_time: Callable[[], bool] = lambda: True) -> CheckReport:
        """Look at all rules once. When the time is over it stops between two of them; the next run goes on there.

        Raises:
            StorageError: rules, states or heartbeats cannot be read, or the report cannot be written.
        """
        everything = self.rules.all()
        rules = [rule for rule in everything if rule.enabled]
        states, last = self.alerts.states(), self.alerts.report()
        tally = _Tally(marks=dict(last.evaluated_until) if last else {})
        watched = self._watched(now)
        groups = self._groups(rules, states, tally, now)
        for start, group in groups.values():
            for rule in group:
                watched.expect(rule, start)
        for name, (start, group) in groups.items():
            self._check_input(name, group, start, states, watched, tally, has_time)
        if has_time():
            self._correct({rule.id: rule for rule in rules}, watched, tally, has_time)
        report = CheckReport(
            started_at=now,
            finished_at=max(self.clock(), now),
            rules=len(everything),
            evaluated=tally.evaluated,
            events=tally.events,
            fired=tally.fired,
            deliveries=tally.deliveries,
            errors=tally.errors,
            evaluated_until=bounded({name: tally.marks[name] for name in groups if name in tally.marks}),
            reads=watched.feed.reads,
            unfinished=tally.unfinished,
            skipped=tally.skipped,
        )
        self.alerts.put_report(report)
        return report

    def _watched(self, now: int) -> Watched:
        followed = frozenset(one.market for one in self.instruments.all())
        return Watched(Feed.open(self.ticks, self.bars, self.heartbeats, now), self.cache, followed)

    def _groups(
        self, rules: list[Rule], states: Mapping[str, RuleState], tally: _Tally, now: int
    ) -> dict[str, tuple[int, list[Rule]]]:
        """Rules by what they look at, and from when on each input is looked at."""
        by_input: dict[str, list[Rule]] = defaultdict(list)
        for rule in rules:
            by_input[input_of(rule)].append(rule)
        groups = {}
        for name, group in by_input.items():
            mark = tally.marks.get(name, tally.marks.get(_shared(name)))
            oldest = now - CATCH_UP
            if mark is None:
                mark = min(beginning(rule, states.get(rule.id)).evaluated_until for rule in group)
            elif mark < oldest:
                tally.skip(name, oldest - mark)
            groups[name] = (max(mark, oldest), group)
        return groups

    def _check_input(
        self,
        name: str,
        group: list[Rule],
        start: int,
        states: Mapping[str, RuleState],
        watched: Watched,
        tally: _Tally,
        has_time: Callable[[], bool],
    ) -> None:
        now, mark, is_done = watched.feed.now, None, True
        seen: set[int] = set()
        for rule in group:
            if not has_time():
                tally.unfinished += 1
                is_done = False
                continue
            try:
                readings = watched.readings(rule, start)
                self._advance(rule, states.get(rule.id), readings, watched, tally)
            except QuantError as exc:
                tally.fail(rule, str(exc))
                is_done, tally.unfinished = False, tally.unfinished + 1
                continue
            except Exception as exc:
                # Whatever is wrong with one rule must not keep the others from being looked at.
                _logger.exception("a rule could not be checked", extra={"rule_id": rule.id})
                tally.fail(rule, f"{type(exc).__name__}: {exc}")
                is_done, tally.unfinished = False, tally.unfinished + 1
                continue
            tally.evaluated += 1
            if readings.is_gone:
                tally.fail(rule, readings.late_reason)
            elif id(readings) not in seen:
                seen.add(id(readings))
                until = readings.readable_until(now)
                mark = until if mark is None else min(mark, until)
        if is_done and mark is not None and group[0].interval in INTERVALS:
            tally.marks[name] = max(mark, start)

    def _advance(
        self, rule: Rule, stored: RuleState | None, readings: Readings, watched: Watched, tally: _Tally
    ) -> None:
        """Walk, store, and go on until there is nothing more; from the newest state where another run was faster."""
        state, conflicts, now = beginning(rule, stored), 0, watched.feed.now
        for _ in range(_ROUNDS):
            moved, happenings = advance(rule, state, readings, now)
            if moved is state:
                return
            transition = self._transition(rule, moved, happenings, readings, watched)
            try:
                self.alerts.commit(transition)
            except ConflictError:
                conflicts += 1
                if self.rules.get(rule.id) is None:
                    return
                if conflicts > _CONFLICTS:
                    raise
                state = beginning(rule, self.alerts.state(rule.id))
                continue
            tally.count(transition)
            state = moved

    def _transition(
        self, rule: Rule, state: RuleState, happenings: tuple[Happening, ...], readings: Readings, watched: Watched
    ) -> Transition:
        occasion = self._occasion(rule, watched)
        events: list[AlertEvent] = []
        deliveries: list[Delivery] = []
        for happening in happenings:
            event = event_of(rule, happening, occasion, facts_of(rule, readings, happening))
            events.append(event)
            deliveries += deliveries_of(rule, happening, event, occasion)
        return Transition(state, tuple(events), tuple(deliveries))

    def _occasion(self, rule: Rule, watched: Watched) -> Occasion:
        return Occasion(watched.feed.now, watched.feed.kind_of(rule.market), self.local_channels)

    def _correct(
        self, rules: Mapping[str, Rule], watched: Watched, tally: _Tally, has_time: Callable[[], bool]
    ) -> None:
        """Say where trades that came later have changed what an event was made of."""
        for found in corrected(self.alerts, rules, watched, has_time):
            occasion = self._occasion(found.rule, watched)
            event = event_of(
                found.rule, found.happening, occasion, found.facts, corrects=found.event.id, more=found.more
            )
            deliveries = deliveries_of(found.rule, found.happening, event, occasion)
            transition = Transition(RuleState(found.rule.id), (event,), deliveries)
            self.alerts.commit(transition)
            tally.count(transition)


def bounded(marks: dict[str, int]) -> dict[str, int]:
    """Marks by input, or by interval where there are too many."""
    if len(marks) <= MAX_MARKS:
        return marks
    found: dict[str, int] = {}
    for name, mark in marks.items():
        found[_shared(name)] = min(mark, found.get(_shared(name), mark))
    return found


def _shared(name: str) -> str:
    return f"*@{name.rpartition('@')[2]}"


def facts_of(rule: Rule, readings: Readings, happening: Happening) -> dict[str, object]:
    """What an event keeps of what its decision was made of."""
    facts: dict[str, object] = {
        "metric": rule.metric,
        "operator": rule.operator,
        "words": OPERATORS[rule.operator].words,
        "interval": rule.interval,
        "window": rule.window,
        "known_until": readings.until,
        "bar": readings.at(happening.time),
    }
    return facts | ({"reason": happening.reason} if happening.reason else {})
