"""Rules as JSON: read and checked, so that each refusal explains itself; and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from quant.alerting import templates
from quant.alerting.conditions import OPERATORS, PLAIN, SIGNED_ONLY, condition_of
from quant.alerting.fields import MAX_CHANNELS, Fields, channels_of
from quant.alerting.messages import sample_values
from quant.alerting.metrics import METRICS, Metric
from quant.domain.alert import EventKind, Rule
from quant.domain.interval import DAY, SECOND
from quant.domain.market import DEFAULT_EXCHANGE, Market
from quant.errors import ValidationError

FIELDS = (
    "name", "metric", "exchange", "symbol", "x_exchange", "x", "interval", "window", "operator", "threshold",
    "clear_threshold", "for_seconds", "recover_seconds", "cooldown_seconds", "remind_seconds", "severity", "channels",
    "notify", "message", "enabled", "silenced_until",
)  # fmt: skip
GIVEN_BACK = ("id", "version", "revision", "created_at", "updated_at", "revised_at", "warnings", "state")
"""What a rule is shown with and may be sent back with; it is not read."""
SEVERITIES = ("info", "warning", "critical")
NOTIFIABLE = (EventKind.FIRED, EventKind.RESOLVED, EventKind.NO_DATA, EventKind.CORRECTION)
_WATCHED = (
    "metric", "market", "x", "interval", "window", "operator", "threshold", "clear_threshold", "for_seconds",
    "recover_seconds", "enabled",
)  # fmt: skip
_LONGEST = 7 * DAY // SECOND


def rule_from(given: Mapping[str, Any], rule_id: str, now: int, previous: Rule | None = None) -> Rule:
    """The rule that a JSON object describes; a changed one keeps its id and raises its version.

    Raises:
        ValidationError: names the field and what it must be.
    """
    fields = Fields(given, (*FIELDS, *GIVEN_BACK))
    name = fields.text("name", 120)
    if not name:
        raise ValidationError("name", "must not be empty")
    metric = METRICS[fields.choice("metric", tuple(METRICS))]
    market, x = _markets(fields, metric)
    rule = Rule(
        id=rule_id,
        version=1,
        revision=1,
        name=name,
        metric=given["metric"],
        market=market,
        x=x,
        interval=fields.choice("interval", metric.intervals, metric.intervals[0]),
        window=fields.whole("window", metric.window[0], metric.window[2], metric.window[1]),
        operator=_operator(fields, metric),
        threshold=_required(fields, "threshold"),
        clear_threshold=fields.number("clear_threshold"),
        for_seconds=fields.whole("for_seconds", 0, DAY // SECOND, 0),
        recover_seconds=fields.whole("recover_seconds", 0, DAY // SECOND, 0),
        cooldown_seconds=fields.whole("cooldown_seconds", 0, _LONGEST, 0),
        remind_seconds=_reminders(fields),
        severity=fields.choice("severity", SEVERITIES, "warning"),
        channels=channels_of(fields.many("channels", MAX_CHANNELS)),
        notify=_notify(fields),
        message=fields.text("message", templates.MAX_SOURCE, "", lines=True),
        enabled=fields.switch("enabled", True),
        silenced_until=fields.whole("silenced_until", 0, 4_102_444_800_000, 0),
        created_at=now,
        updated_at=now,
        revised_at=now,
    )
    _check_levels(rule)
    if rule.message:
        for kind in (EventKind.FIRED, EventKind.NO_DATA):
            templates.check(rule.message, sample_values(rule, kind, now))
    return rule if previous is None else _following(rule, previous)


def rule_json(rule: Rule) -> dict[str, Any]:
    """The rule as :func:`rule_from` reads it, with what it is shown with."""
    return {
        "id": rule.id,
        "version": rule.version,
        "revision": rule.revision,
        "name": rule.name,
        "metric": rule.metric,
        "exchange": rule.market.exchange,
        "symbol": rule.market.symbol,
        "x_exchange": rule.x.exchange if rule.x else None,
        "x": rule.x.symbol if rule.x else None,
        **{name: getattr(rule, name) for name in ("interval", "window", "operator", "threshold", "clear_threshold")},
        **{name: getattr(rule, name) for name in FIELDS if name.endswith("_seconds")},
        "severity": rule.severity,
        "channels": [{"type": one.type.value, "target": one.target} for one in rule.channels],
        "notify": [kind.value for kind in rule.notify],
        "message": rule.message,
        "enabled": rule.enabled,
        "silenced_until": rule.silenced_until,
        "created_at": rule.created_at,
        "updated_at": rule.updated_at,
        "revised_at": rule.revised_at,
    }


def silenced(rule: Rule, until: int, now: int) -> Rule:
    """The rule, sending nothing until then."""
    return replace(rule, silenced_until=until, version=rule.version + 1, updated_at=now)


def _following(rule: Rule, previous: Rule) -> Rule:
    """Only a change of what is watched begins a new revision, and with it a new state."""
    is_same = all(getattr(rule, name) == getattr(previous, name) for name in _WATCHED)
    return replace(
        rule,
        version=previous.version + 1,
        revision=previous.revision + (not is_same),
        created_at=previous.created_at,
        revised_at=previous.revised_at if is_same else rule.revised_at,
    )


def _markets(fields: Fields, metric: Metric) -> tuple[Market, Market | None]:
    exchange = fields.text("exchange", 20, DEFAULT_EXCHANGE)
    market = _market(fields.text("symbol", 60), exchange, "symbol")
    if not metric.is_pair:
        if fields.has("x"):
            raise ValidationError("x", "is only for metrics of a pair; leave it out")
        return market, None
    x = _market(fields.text("x", 60), fields.text("x_exchange", 20, market.exchange), "x")
    if x == market:
        raise ValidationError("x", f"must be another symbol than {market}")
    return market, x


def _market(text: str, exchange: str, field: str) -> Market:
    return Market.parse(text if ":" in text else f"{exchange}:{text}", field)


def _operator(fields: Fields, metric: Metric) -> str:
    name = fields.choice("operator", tuple(OPERATORS))
    if name in SIGNED_ONLY and not metric.is_signed:
        raise ValidationError("operator", f"{name} is for metrics that have a sign; use one of {', '.join(PLAIN)}")
    if OPERATORS[name].edge and not metric.can_be_replayed:
        # A reading per scan or per check: there is none before it to cross from.
        instead = ">" if OPERATORS[name].view == "up" else "<"
        raise ValidationError(
            "operator",
            f"{name} needs the reading before, which this metric does not keep; {instead} fires when it is there",
        )
    return name


def _required(fields: Fields, name: str) -> float:
    value = fields.number(name)
    if value is None:
        raise ValidationError(name, "must be given")
    return value


def _reminders(fields: Fields) -> int:
    value = fields.whole("remind_seconds", 0, _LONGEST, 0)
    if 0 < value < 60:
        raise ValidationError("remind_seconds", f"must be 0 for never, or from 60 to {_LONGEST}")
    return value


def _notify(fields: Fields) -> tuple[EventKind, ...]:
    allowed = [kind.value for kind in NOTIFIABLE]
    given = fields.many("notify", len(allowed), [EventKind.FIRED.value, EventKind.RESOLVED.value])
    for one in given:
        if one not in allowed:
            raise ValidationError("notify", f"must name some of {', '.join(allowed)}")
    return tuple(kind for kind in NOTIFIABLE if kind.value in given)


def _check_levels(rule: Rule) -> None:
    if rule.operator in SIGNED_ONLY and min(rule.threshold, rule.clear_threshold or 0) < 0:
        raise ValidationError("threshold", f"must not be negative with {rule.operator}: it is a distance from zero")
    condition = condition_of(rule)
    if condition.clear_level > condition.level:
        side = "at or below" if OPERATORS[rule.operator].view in ("up", "far") else "at or above"
        raise ValidationError(
            "clear_threshold", f"must be {side} the threshold {rule.threshold:g}, else it would be clear while it fires"
        )
