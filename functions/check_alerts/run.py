"""What one run of the monitor has with it, and what it has done so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from quant.alerting.readings import Readings
from quant.domain.alert import EventKind, Rule, RuleState, Transition
from quant.readings.watched import Watched

MAX_ERRORS = 100
MAX_MARKS = 3_000
"""The report has to fit an item: of more inputs than that, those of one interval share the earliest mark."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a rule. ``problem``: it has to be looked at again; ``note``: what its owner should know."""

    transitions: Sequence[Transition] = ()
    is_quiet: bool = False
    problem: str = ""
    note: str = ""


@dataclass(slots=True)
class Tally:
    """What a run has done so far."""

    evaluated: int = 0
    events: int = 0
    fired: int = 0
    deliveries: int = 0
    unfinished: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)

    def add(self, rule: Rule, outcome: Outcome) -> None:
        for transition in outcome.transitions:
            self.count(transition)
        if outcome.problem:
            self.unfinished += 1
            self.fail(rule, outcome.problem)
        else:
            self.evaluated += 1
            if outcome.note:
                self.fail(rule, outcome.note)

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
class Input:
    """What a run has found of one input.

    Attributes:
        start: from when on it was looked at, ms.
        has_mark: whether the next run goes on where this one ends; what has a cadence of its own has no past.
        seen: its readings, each once.
        busy: rules of which something has to be stored.
        is_finished: whether all of its rules have been looked at, and all that happened is stored.
    """

    name: str
    start: int
    has_mark: bool
    seen: dict[int, Readings] = field(default_factory=dict)
    busy: list[tuple[Rule, Readings]] = field(default_factory=list)
    is_finished: bool = True

    def add(self, tally: Tally, rule: Rule, outcome: Outcome) -> None:
        self.is_finished = self.is_finished and not outcome.problem
        tally.add(rule, outcome)

    def mark(self, marks: dict[str, int], now: int) -> None:
        """Say where the next run goes on; as long as something is left to do, where this one began."""
        ends = [one.readable_until(now) for one in self.seen.values() if not one.is_gone]
        if ends and self.has_mark and self.is_finished:
            marks[self.name] = max(min(ends), self.start)


@dataclass(frozen=True, slots=True)
class Run:
    """What holds for one run."""

    states: Mapping[str, RuleState]
    watched: Watched
    tally: Tally
    has_time: Callable[[], bool]
    pool: Executor

    @property
    def now(self) -> int:
        return self.watched.feed.now


def bounded(marks: dict[str, int]) -> dict[str, int]:
    """Marks by input, or by interval where there are too many."""
    if len(marks) <= MAX_MARKS:
        return marks
    found: dict[str, int] = {}
    for name, mark in marks.items():
        found[shared_name(name)] = min(mark, found.get(shared_name(name), mark))
    return found


def shared_name(name: str) -> str:
    return f"*@{name.rpartition('@')[2]}"
