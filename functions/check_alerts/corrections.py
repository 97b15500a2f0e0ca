"""Events whose bars have changed since: a healed trade may show that an alert said too much, or too little."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from quant.alerting.conditions import OPERATORS, condition_of
from quant.alerting.machine import Happening
from quant.alerting.metrics import METRICS
from quant.alerting.templates import moment
from quant.domain.alert import AlertEvent, AlertRepository, EventKind, Rule
from quant.domain.interval import HOUR, MINUTE
from quant.readings.watched import Watched, markets_of

WATCHED_FOR = 6 * HOUR
"""As long as an ingestor heals."""
MOST_EVENTS = 500
_AT_FIRST, _LATER = 15, 10
_SAME = 1e-9
_CORRECTABLE = (EventKind.FIRED, EventKind.RESOLVED)


@dataclass(frozen=True, slots=True)
class Correction:
    """An event, what its bar says now, and what tells this correction from another one of the same event."""

    rule: Rule
    event: AlertEvent
    happening: Happening
    facts: dict[str, object]
    more: str


def corrected(
    alerts: AlertRepository, rules: Mapping[str, Rule], watched: Watched, has_time: Callable[[], bool]
) -> Iterator[Correction]:
    """Those of the last hours; each is looked at in every run at first, then every ten minutes."""
    now = watched.feed.now
    events = alerts.events(now - WATCHED_FOR, now + MINUTE, limit=MOST_EVENTS)
    said = {event.corrects: event.value for event in reversed(events) if event.kind is EventKind.CORRECTION}
    for event in events:
        rule = rules.get(event.rule_id)
        if rule is None or not _is_due(event, rule, now) or not set(markets_of(rule)) <= watched.followed:
            continue
        if not has_time():
            return
        found = _compare(rule, event, said.get(event.id, event.value), watched)
        if found is not None:
            yield found


def _is_due(event: AlertEvent, rule: Rule, now: int) -> bool:
    age = (now - event.recorded_at) // MINUTE
    is_ours = event.kind in _CORRECTABLE and event.revision == rule.revision and event.value is not None
    return is_ours and METRICS[rule.metric].can_be_replayed and (age <= _AT_FIRST or age % _LATER == 0)


def _compare(rule: Rule, event: AlertEvent, said: float | None, watched: Watched) -> Correction | None:
    readings = watched.at(rule, event.time)
    facts = readings.at(event.time)
    if facts is None or not facts["complete"] or said is None:
        return None
    operator = OPERATORS[rule.operator]
    view = readings.view(operator.view, rule.metric == "price" and not rule.for_seconds)
    place = (event.time - int(readings.time[0])) // readings.interval
    value = view.value[place]
    if math.isnan(value) or math.isclose(value, said, rel_tol=_SAME, abs_tol=_SAME):
        return None
    condition = condition_of(rule)
    holds = condition.is_clear if event.kind is EventKind.RESOLVED else condition.holds
    verdict = "it stands" if holds(view.seen[place]) else "it would not have been sent"
    text = (
        f"Of the alert of {moment(event.time)} ({event.title}): the value was {said:,.10g}, and is {value:,.10g} with "
        f"the trades that have come since; {verdict}."
    )
    asked = EventKind.CORRECTION in rule.notify
    silenced = "silenced" if watched.feed.now < rule.silenced_until else ""
    held = silenced if asked else "the rule does not ask for it"
    happening = Happening(EventKind.CORRECTION, event.time, value, not held, held, reason=text)
    return Correction(rule, event, happening, {"bar": facts, "was": said, "is": value}, f"{event.id}|{value:.12g}")
