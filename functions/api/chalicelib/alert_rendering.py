"""Alert values as the API answers them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

from quant.alerting.conditions import OPERATORS, VIEWS, condition_of
from quant.alerting.readings import Floats
from quant.alerting.rules import rule_json
from quant.alerting.warnings import warnings_of
from quant.contract import alerts as contract
from quant.domain.alert import AlertEvent, Channel, CheckReport, Delivery, DeliveryStatus, EventKind, Rule, RuleState
from quant.domain.interval import MINUTE, SECOND
from quant.readings.curve import Curve
from quant.readings.replay import Replay

EVERY = MINUTE
LATE_AFTER = 3 * MINUTE
_MOST_EVENTS = 1_000


def rule(found: Rule, state: RuleState | None) -> contract.RuleAnswer:
    """A rule with its state; a state of an earlier revision is none."""
    fields = rule_json(found)
    fields["channels"] = [channel(one) for one in found.channels]
    return contract.RuleAnswer(**fields, warnings=warnings_of(found), state=_state(found, state))


def _state(found: Rule, state: RuleState | None) -> contract.StateAnswer:
    if state is None or state.revision != found.revision:
        state = RuleState(found.id)
    return contract.StateAnswer(
        phase=state.phase.value,
        since=state.since or None,
        value=state.value,
        reason=state.reason,
        fired_at=state.fired_at or None,
        event_id=state.event_id or None,
        notified_at=state.notified_at or None,
    )


def channel(found: Channel) -> contract.ChannelAnswer:
    return contract.ChannelAnswer(type=found.type.value, target=found.target)


def delivery(found: Delivery) -> contract.DeliveryAnswer:
    waits = found.status in (DeliveryStatus.PENDING, DeliveryStatus.RETRYING)
    return contract.DeliveryAnswer(
        channel=channel(found.channel),
        status=cast(Any, found.status.value),
        attempts=found.attempts,
        error=found.error,
        next_try=found.next_try if waits else None,
        settled_at=found.settled_at or None,
    )


def event(found: AlertEvent, deliveries: Sequence[Delivery]) -> contract.EventAnswer:
    plain = (
        "id",
        "rule_id",
        "revision",
        "rule_name",
        "severity",
        "metric",
        "time",
        "recorded_at",
        "value",
        "threshold",
    )
    return contract.EventAnswer(
        **{name: getattr(found, name) for name in plain},
        kind=cast(Any, found.kind.value),
        exchange=found.market.exchange,
        symbol=found.market.symbol,
        x_exchange=found.x.exchange if found.x else None,
        x=found.x.symbol if found.x else None,
        readings=found.readings,
        market=cast(Any, found.market_kind),
        title=found.title,
        message=found.message,
        corrects=found.corrects or None,
        deliveries=[delivery(one) for one in deliveries],
    )


def backtest(found: Rule, played: Replay) -> contract.BacktestAnswer:
    count = {kind: sum(one.kind is kind for one in played.happened) for kind in EventKind}
    firings = [
        contract.Firing(
            start=one.start, end=one.end, seconds=((one.end or played.end) - one.start) / SECOND, value=one.value
        )
        for one in played.firings
    ]
    events = [
        contract.BacktestEvent(
            id=one.id_of(found),
            kind=one.kind.value,
            time=one.time,
            value=one.value,
            notified=one.notify,
            held=one.held,
        )
        for one in played.happened[:_MOST_EVENTS]
    ]
    return contract.BacktestAnswer(
        start=played.start,
        end=played.end,
        interval=found.interval,
        bars=played.bars,
        unknown_bars=played.unknown_bars,
        fired=count[EventKind.FIRED],
        resolved=count[EventKind.RESOLVED],
        no_data=count[EventKind.NO_DATA],
        notifications=played.notifications,
        notifications_without_cooldown=played.without_cooldown,
        firing_seconds=sum(one.seconds for one in firings),
        firings=firings[:_MOST_EVENTS],
        events=events,
        events_left_out=max(len(played.happened) - _MOST_EVENTS, 0),
        series=_series(played.curve),
        warnings=warnings_of(found),
    )


def _series(curve: Curve) -> contract.MetricSeries:
    value, low, high = (_known(figures) for figures in (curve.value, curve.low, curve.high))
    return contract.MetricSeries(step=curve.step, time=curve.time.tolist(), value=value, low=low, high=high)


def _known(figures: Floats) -> list[float | None]:
    return [None if math.isnan(one) else one for one in figures.tolist()]


def monitor(report: CheckReport | None, now: int) -> contract.MonitorAnswer:
    """The last run; without one, all is zero and not healthy."""
    last = report or CheckReport(0, 0)
    counts = ("rules", "evaluated", "events", "fired", "deliveries", "unfinished", "reads")
    return contract.MonitorAnswer(
        healthy=report is not None and now - last.finished_at <= LATE_AFTER,
        last_run=last.started_at or None,
        next_run=max(last.started_at + EVERY, now) if report else None,
        duration_ms=last.finished_at - last.started_at if report else None,
        age_ms=max(now - last.finished_at, 0) if report else None,
        **{name: getattr(last, name) for name in counts},
        errors=last.errors,
        skipped=last.skipped,
        evaluated_until=last.evaluated_until,
    )


def holds(found: Rule, value: float) -> bool:
    """Whether the rule's condition holds for a value."""
    return condition_of(found).holds(VIEWS[OPERATORS[found.operator].view](value))
