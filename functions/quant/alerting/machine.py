"""The state machine of a rule: pure. ok → pending → firing → recovering → ok, and no_data.

It walks over every bar since the last transition. So it does not matter how the bars are split into runs: the same
bars give the same happenings and the same state. What it cannot know it does not guess: at an incomplete bar it waits,
at most HEAL_WAIT, and then says no_data; nothing fires there, and nothing is taken to have been crossed there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from quant.alerting.conditions import OPERATORS, condition_of
from quant.alerting.readings import HEAL_WAIT, Readings, Seen
from quant.domain.alert import EventKind, Phase, Rule, RuleState
from quant.domain.interval import SECOND

AT_ONCE = 3
"""After so many happenings a walk pauses, so that what is stored together stays small."""
_BURNING = (Phase.FIRING, Phase.RECOVERING)


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened to a rule at a bar.

    Attributes:
        time: of the bar, ms.
        value: of the metric; None where there is none.
        notify: whether it is to be sent.
        held: why it is not, or "".
        about: of a reminder: whether it says that the rule fires or that it has resolved.
        reason: of no_data.
        began: of what fires: its bar, ms.
    """

    kind: EventKind
    time: int
    value: float | None
    notify: bool
    held: str = ""
    about: EventKind = EventKind.FIRED
    reason: str = ""
    began: int = 0

    def id_of(self, rule: Rule) -> str:
        """The id of the event that this makes."""
        return event_id(rule, self.kind, self.time)


def event_id(rule: Rule, kind: EventKind, time: int, more: str = "") -> str:
    """The same for the same event, whoever finds it and how often."""
    return blake2b(f"{rule.id}|{rule.revision}|{kind}|{time}|{more}".encode(), digest_size=16).hexdigest()


def beginning(rule: Rule, state: RuleState | None) -> RuleState:
    """The state to go on from: the stored one, or a new one where the rule has been changed since."""
    if state is None:
        return RuleState(rule.id, rule.revision, evaluated_until=rule.revised_at)
    if state.revision != rule.revision:
        return RuleState(rule.id, rule.revision, state.sequence, evaluated_until=rule.revised_at)
    return state


def advance(
    rule: Rule, state: RuleState, readings: Readings, now: int, at_once: int = AT_ONCE
) -> tuple[RuleState, tuple[Happening, ...]]:
    """Walk over the bars that end after ``state.evaluated_until``.

    Returns the state itself, and nothing, where nothing changed. Where more than ``at_once`` things happened it pauses:
    calling it again with the state that it gave goes on.

    Args:
        state: of this rule's revision, see :func:`beginning`.
        now: ms; only says how long incomplete bars have been waited for.
    """
    touches = rule.metric == "price" and not rule.for_seconds
    seen = readings.view(OPERATORS[rule.operator].view, touches)
    walk = _Walk(rule, state, readings, now)
    if walk.is_quiet(seen):
        return state, ()
    walk.go(seen, at_once)
    return walk.result(), tuple(walk.happenings)


class _Walk:
    """The state on its way over the bars."""

    def __init__(self, rule: Rule, state: RuleState, readings: Readings, now: int) -> None:
        self.rule, self.state, self.readings, self.now = rule, state, readings, now
        self.condition = condition_of(rule)
        self.phase, self.since, self.value, self.reason = state.phase, state.since, state.value, state.reason
        self.event_id, self.fired_at, self.notified_at = state.event_id, state.fired_at, state.notified_at
        self.told = bool(state.memory.get("told"))
        self.before = Phase(state.memory.get("before", Phase.OK))
        self.evaluated_until, self.changed = state.evaluated_until, False
        self.happenings: list[Happening] = []

    def is_quiet(self, seen: Seen) -> bool:
        """Whether no bar at all can change anything; told by the extremes, without walking."""
        readings = self.readings
        if not readings.is_whole or readings.is_overdue(self.now):
            return False
        if self.phase is Phase.OK:
            return not self.told and not self.condition.holds(seen.largest)
        wants = EventKind.FIRED in self.rule.notify
        settled = self.told == wants and not self.rule.remind_seconds
        return self.phase is Phase.FIRING and settled and not self.condition.is_clear(seen.smallest)

    def go(self, seen: Seen, at_once: int) -> None:
        readings, interval = self.readings, self.readings.interval
        times, holes = readings.time.tolist(), readings.hole.tolist()
        first = self._first(times, interval)
        before = seen.seen[first - 1] if 0 < first <= len(times) and not holes[first - 1] else None
        for place in range(first, len(times)):
            if holes[place]:
                if self.now - holes[place] <= HEAL_WAIT:
                    return
                self._lose(times[place], times[place] + interval, readings.reason)
                before = None
            else:
                self._see(times[place], seen.seen[place], seen.value[place], before)
                before = seen.seen[place]
            if len(self.happenings) >= at_once:
                return
        if readings.is_overdue(self.now):
            self._fall_behind()

    def result(self) -> RuleState:
        if self._is_as_before():
            return self.state
        memory: dict[str, Any] = {"told": True} if self.told else {}
        if self.phase is Phase.NO_DATA and self.before is not Phase.OK:
            memory["before"] = self.before.value
        return replace(
            self.state,
            sequence=self.state.sequence + 1,
            phase=self.phase,
            since=self.since,
            evaluated_until=self.evaluated_until,
            value=self.value,
            reason=self.reason,
            event_id=self.event_id,
            fired_at=self.fired_at,
            notified_at=self.notified_at,
            memory=memory,
        )

    def _is_as_before(self) -> bool:
        """Whether there is nothing to store. A new reason of no_data is worth it; that some bars came, too late to end
        it, is not: a feed that lags would cost a write per rule and check."""
        lags = self.phase is self.state.phase is Phase.NO_DATA and not self.happenings
        return self.reason == self.state.reason and (lags or not self.changed)

    def _first(self, times: list[int], interval: int) -> int:
        """The place of the first bar that ends after what has been looked at."""
        if not times:
            return 0
        seen_until = max(self.evaluated_until, self.readings.start)
        return min(max((seen_until - times[0]) // interval, 0), len(times))

    def _see(self, time: int, seen: float, value: float, before: float | None) -> None:
        """A bar of which all is known."""
        condition, so_far = self.condition, len(self.happenings)
        end, shown = time + self.readings.interval, None if math.isnan(value) else value
        if self.phase is Phase.NO_DATA:
            self._enter(Phase.FIRING if self.before in _BURNING else Phase.OK, time, end, shown)
        if self.phase is Phase.OK and condition.meets(seen, before):
            self._enter(Phase.PENDING, time, end, shown)
        if self.phase is Phase.PENDING:
            if not condition.holds(seen):
                self._enter(Phase.OK, time, end, shown)
            elif time - self.since >= self.rule.for_seconds * SECOND:
                self._fire(time, end, shown)
        elif self.phase is Phase.FIRING and condition.is_clear(seen):
            self._enter(Phase.RECOVERING, time, end, shown)
        if self.phase is Phase.RECOVERING:
            if not condition.is_clear(seen):
                self._enter(Phase.FIRING, time, end, shown)
            elif time - self.since >= self.rule.recover_seconds * SECOND:
                self._resolve(time, end, shown)
        if len(self.happenings) == so_far:
            self._say_what_stands(time, end, shown)

    def _lose(self, time: int, end: int, reason: str) -> None:
        """A bar of which something is missing, and has been for too long."""
        if self.phase is Phase.NO_DATA:
            self.reason = reason
            return
        self.before = self.phase
        self._enter(Phase.NO_DATA, time, end, None, reason)
        self._tell(EventKind.NO_DATA, time, None, reason=reason)

    def _fall_behind(self) -> None:
        """What should have come has not. Where it lags all the time, each check sees some bars and the end of them:
        that is one loss and not one per check."""
        readings, state = self.readings, self.state
        if state.phase is Phase.NO_DATA and not self.happenings:
            self.phase, self.since, self.value = state.phase, state.since, state.value
            self.reason = readings.late_reason
        else:
            self._lose(readings.until, max(readings.until, self.evaluated_until), readings.late_reason)

    def _enter(self, phase: Phase, time: int, end: int, value: float | None, reason: str = "") -> None:
        self.phase, self.since, self.value, self.reason = phase, time, value, reason
        self._note(end)

    def _note(self, end: int) -> None:
        self.evaluated_until, self.changed = end, True

    def _fire(self, time: int, end: int, value: float | None) -> None:
        self._enter(Phase.FIRING, time, end, value)
        self.event_id, self.fired_at = event_id(self.rule, EventKind.FIRED, time), time
        if self._tell(EventKind.FIRED, time, value):
            self.told = True

    def _resolve(self, time: int, end: int, value: float | None) -> None:
        self._enter(Phase.OK, time, end, value)
        wants_fired, wants_resolved = (kind in self.rule.notify for kind in (EventKind.FIRED, EventKind.RESOLVED))
        known = self.told or not wants_fired
        if self._tell(EventKind.RESOLVED, time, value, held="" if known else "nobody was told that it fired"):
            self.told = False
        self.told = self.told and wants_resolved
        self.event_id, self.fired_at = "", 0

    def _say_what_stands(self, time: int, end: int, value: float | None) -> None:
        """What cooldown or silence held back is made up for as soon as they are over, if it still stands."""
        rule, burns = self.rule, self.phase in _BURNING
        if not self.told and EventKind.FIRED in rule.notify:
            owed = burns
        elif burns and rule.remind_seconds:
            owed = time - self.notified_at >= rule.remind_seconds * SECOND
        else:
            owed = self.told and not burns
        if owed and not self._held(time):
            about = EventKind.FIRED if burns else EventKind.RESOLVED
            self._tell(EventKind.REMINDER, time, value, about=about)
            self.told = burns
            self._note(end)

    def _tell(self, kind: EventKind, time: int, value: float | None, *, held: str = "", **more: Any) -> bool:
        """Note what happened, and whether it is sent."""
        asked = kind in self.rule.notify or kind is EventKind.REMINDER
        held = held or ("" if asked else "the rule does not ask for it") or self._held(time)
        self.happenings.append(
            Happening(
                kind, time, value, not held, held, began=self.fired_at if kind is not EventKind.FIRED else time, **more
            )
        )
        if not held:
            self.notified_at = time
        return not held

    def _held(self, time: int) -> str:
        """Why nothing may be sent at this bar, or ""."""
        if time < self.rule.silenced_until:
            return "silenced"
        if self.notified_at and time - self.notified_at < self.rule.cooldown_seconds * SECOND:
            return "cooldown"
        return ""
