"""The monitor: every rule is walked over what has happened since the last run, whenever that was.

Rules and states are read once; bars once per market, whatever the number of rules; rules that look at the same series
share it. A run that stops half-way, fails, is repeated or overlaps another one changes nothing: a transition is stored
under the state that it was made of, and an input's mark moves on only when all of its rules have been looked at.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from check_alerts.corrections import Correction, corrected
from check_alerts.run import Input, Outcome, Run, Tally, bounded, shared_name
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
FEW, THREADS = 8, 8
"""When a market falls thousands of rules fire at once: more than a few transactions are written side by side."""
_ROUNDS, _CONFLICTS = 10_000, 5
_logger = logging.getLogger("check_alerts")


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
        tally = Tally(marks=dict(last.evaluated_until) if last else {})
        watched = self._watched(now, last.kinds if last else {})
        groups = self._groups(rules, states, tally, now)
        for start, group in groups.values():
            for rule in group:
                watched.expect(rule, start)
        with ThreadPoolExecutor(THREADS) as pool:
            run = Run(states, watched, tally, has_time, pool)
            inputs = [self._look_at(run, name, group, start) for name, (start, group) in groups.items()]
            self._store_all(run, inputs)
        for found in inputs:
            found.mark(tally.marks, now)
        if has_time():
            self._correct(run, {rule.id: rule for rule in rules})
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
            kinds=dict(watched.feed.kinds),
        )
        self.alerts.put_report(report)
        return report

    def _watched(self, now: int, kinds: Mapping[str, str]) -> Watched:
        followed = frozenset(one.market for one in self.instruments.all())
        return Watched(Feed.open(self.ticks, self.bars, self.heartbeats, now, kinds), self.cache, followed)

    def _groups(
        self, rules: list[Rule], states: Mapping[str, RuleState], tally: Tally, now: int
    ) -> dict[str, tuple[int, list[Rule]]]:
        """Rules by what they look at, and from when on each input is looked at."""
        by_input: dict[str, list[Rule]] = defaultdict(list)
        for rule in rules:
            by_input[input_of(rule)].append(rule)
        groups = {}
        for name, group in by_input.items():
            mark = tally.marks.get(name, tally.marks.get(shared_name(name)))
            oldest = now - CATCH_UP
            if mark is None:
                mark = min(beginning(rule, states.get(rule.id)).evaluated_until for rule in group)
            elif mark < oldest:
                tally.skip(name, oldest - mark)
            groups[name] = (max(mark, oldest), group)
        return groups

    def _look_at(self, run: Run, name: str, group: list[Rule], start: int) -> Input:
        """Most rules are quiet, which costs nothing but looking."""
        found = Input(name, start, group[0].interval in INTERVALS)
        for rule in group:
            if not run.has_time():
                run.tally.unfinished += 1
                found.is_finished = False
                continue
            readings, outcome = self._look(run, rule, start)
            if readings is not None:
                found.seen[id(readings)] = readings
            if readings is None or outcome.problem or outcome.is_quiet:
                found.add(run.tally, rule, outcome)
            else:
                found.busy.append((rule, readings))
        return found

    def _store_all(self, run: Run, inputs: Sequence[Input]) -> None:
        """What happened is stored several at a time. Whoever has waited longest comes first: where a run has no time
        for all, those that fire again and again keep nobody waiting."""
        busy = [(found, rule, readings) for found in inputs for rule, readings in found.busy]
        busy.sort(key=lambda one: beginning(one[1], run.states.get(one[1].id)).evaluated_until)
        store = partial(self._store, run)
        rules = [(rule, readings) for _, rule, readings in busy]
        outcomes = map(store, rules) if len(busy) <= FEW else run.pool.map(store, rules)
        for (found, rule, readings), outcome in zip(busy, outcomes, strict=True):
            found.add(run.tally, rule, outcome)
            if readings.is_gone:
                run.tally.fail(rule, readings.late_reason)

    def _look(self, run: Run, rule: Rule, start: int) -> tuple[Readings | None, Outcome]:
        """The rule's readings, and whether they change anything."""
        readings: Readings | None = None

        def look() -> Outcome:
            nonlocal readings
            readings = run.watched.readings(rule, start)
            state = beginning(rule, run.states.get(rule.id))
            is_quiet = advance(rule, state, readings, run.now)[0] is state
            return Outcome(is_quiet=is_quiet, note=readings.late_reason if readings.is_gone else "")

        outcome = _guarded(rule, look)
        return readings, outcome

    def _store(self, run: Run, one: tuple[Rule, Readings]) -> Outcome:
        rule, readings = one
        return _guarded(rule, lambda: self._advance(run, rule, readings))

    def _advance(self, run: Run, rule: Rule, readings: Readings) -> Outcome:
        """Walk, store, and go on until there is nothing more; from the newest state where another run was faster."""
        state, conflicts = beginning(rule, run.states.get(rule.id)), 0
        stored: list[Transition] = []
        for _ in range(_ROUNDS):
            moved, happenings = advance(rule, state, readings, run.now)
            if moved is state:
                break
            if not run.has_time():
                return Outcome(stored, problem="there was no time left")
            transition = self._transition(rule, moved, happenings, readings, run.watched)
            try:
                self.alerts.commit(transition)
            except ConflictError:
                conflicts += 1
                if self.rules.get(rule.id) is None:
                    break
                if conflicts > _CONFLICTS:
                    raise
                state = beginning(rule, self.alerts.state(rule.id))
                continue
            stored.append(transition)
            state = moved
        return Outcome(stored)

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

    def _correct(self, run: Run, rules: Mapping[str, Rule]) -> None:
        """Say where trades that came later have changed what an event was made of."""
        try:
            for found in corrected(self.alerts, rules, run.watched, run.has_time):
                self._record(run, found)
        except QuantError as exc:
            # The next run compares again; what was found of the rules must be reported all the same.
            run.tally.errors["corrections"] = str(exc)[:300]

    def _record(self, run: Run, found: Correction) -> None:
        occasion = self._occasion(found.rule, run.watched)
        event = event_of(found.rule, found.happening, occasion, found.facts, corrects=found.event.id, more=found.more)
        deliveries = deliveries_of(found.rule, found.happening, event, occasion)
        transition = Transition(RuleState(found.rule.id), (event,), deliveries)
        try:
            self.alerts.commit(transition)
        except ConflictError:
            return  # Another run was faster.
        run.tally.count(transition)


def _guarded(rule: Rule, work: Callable[[], Outcome]) -> Outcome:
    """Whatever is wrong with one rule must not keep the others from being looked at."""
    try:
        return work()
    except QuantError as exc:
        return Outcome(problem=str(exc))
    except Exception as exc:
        _logger.exception("a rule could not be checked", extra={"rule_id": rule.id})
        return Outcome(problem=f"{type(exc).__name__}: {exc}")


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
