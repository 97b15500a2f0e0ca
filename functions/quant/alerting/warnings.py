"""What is allowed and yet hardly meant: a rule that can never fire, always fires, or speaks to nobody."""

from __future__ import annotations

from quant.alerting.conditions import OPERATORS, VIEWS, condition_of
from quant.alerting.metrics import METRICS
from quant.domain.alert import EventKind, Rule

# A trade is stored up to some seconds after it was made: a lag below this is no news.
_USUAL_LAG = 30


def warnings_of(rule: Rule) -> list[str]:
    """Sentences for the one who wrote the rule."""
    return [*_reach(rule), *_noise(rule), *_telling(rule)]


def _reach(rule: Rule) -> list[str]:
    metric, operator, condition = METRICS[rule.metric], OPERATORS[rule.operator], condition_of(rule)
    low, high = metric.bounds(rule.window)
    ends = sorted((VIEWS[operator.view](low), VIEWS[operator.view](high)))
    if low < 0 < high and operator.view == "far":
        ends[0] = 0.0
    elif low < 0 < high and operator.view == "near":
        ends[1] = 0.0
    between = f"{rule.metric} lies between {low:g} and {high:g}"
    if not condition.holds(ends[1]):
        return [f"it can never fire: {between}"]
    if condition.holds(ends[0]):
        never = " and, since it would have to cross the threshold, it never does" if operator.edge else ""
        return [f"its condition always holds: {between}{never}"]
    if condition.is_clear(ends[0]):
        return []
    return [f"once it fires it never resolves: {between}"]


def _noise(rule: Rule) -> list[str]:
    found = []
    damped = rule.for_seconds or rule.recover_seconds or rule.cooldown_seconds or rule.clear_threshold is not None
    if not damped:
        found.append("it may flap: a clear_threshold, for_seconds, recover_seconds or cooldown_seconds would calm it")
    if rule.metric == "staleness" and rule.operator in (">", ">=") and rule.threshold < _USUAL_LAG:
        found.append(f"trades are stored some seconds late: below {_USUAL_LAG} s it fires for no reason")
    return found


def _telling(rule: Rule) -> list[str]:
    found = []
    if not rule.channels:
        found.append("it has no channels: what happens is recorded, and nobody is told")
    elif not rule.notify:
        found.append("it notifies of nothing: what happens is recorded, and nobody is told")
    if rule.remind_seconds and EventKind.FIRED not in rule.notify:
        found.append("reminders repeat that it fires, and it does not notify of that: none will come")
    if 0 < rule.remind_seconds < rule.cooldown_seconds:
        found.append("reminders come no more often than the cooldown allows")
    if rule.clear_threshold is not None and rule.clear_threshold == rule.threshold:
        found.append("a clear_threshold that equals the threshold changes nothing")
    return found
