"""Events and deliveries out of what happened, ready to be stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quant.alerting.machine import Happening, event_id
from quant.alerting.messages import message_of, title_of
from quant.domain.alert import AlertEvent, Channel, ChannelType, Delivery, DeliveryStatus, EventKind, Rule


@dataclass(frozen=True, slots=True)
class Occasion:
    """Where and when a run found something.

    Attributes:
        now: when it was found, ms.
        market_kind: ``live``, ``simulated`` or ``replay``.
        local_channels: kinds of channels that lead nowhere but to this machine: on a simulated market only these are
            used.
    """

    now: int
    market_kind: str
    local_channels: frozenset[ChannelType] = frozenset()


def event_of(
    rule: Rule,
    happening: Happening,
    occasion: Occasion,
    readings: dict[str, Any],
    *,
    corrects: str = "",
    more: str = "",
) -> AlertEvent:
    """The event; its id says rule, revision, kind and bar, and ``more`` where one bar may have several."""
    message, error = message_of(rule, happening, occasion.market_kind)
    facts = dict(readings)
    if happening.held:
        facts["held"] = happening.held
    if error:
        facts["template_error"] = error
    return AlertEvent(
        id=event_id(rule, happening.kind, happening.time, more),
        kind=happening.kind,
        rule_id=rule.id,
        revision=rule.revision,
        rule_name=rule.name,
        severity=rule.severity,
        metric=rule.metric,
        market=rule.market,
        x=rule.x,
        time=happening.time,
        recorded_at=occasion.now,
        value=happening.value,
        threshold=rule.threshold,
        readings=facts,
        market_kind=occasion.market_kind,
        title=title_of(rule, happening, occasion.market_kind),
        message=message,
        corrects=corrects,
    )


def deliveries_of(rule: Rule, happening: Happening, event: AlertEvent, occasion: Occasion) -> tuple[Delivery, ...]:
    """One per channel. What is held back has them too, at their end, so that the history says why nothing came."""
    if happening.kind not in (*rule.notify, EventKind.REMINDER, EventKind.TEST):
        return ()
    return tuple(_delivery(event, channel, _held(happening, channel, occasion), occasion) for channel in rule.channels)


def _held(happening: Happening, channel: Channel, occasion: Occasion) -> str:
    if not happening.notify:
        return happening.held
    if occasion.market_kind == "simulated" and channel.type not in occasion.local_channels:
        return "the market is simulated, and this channel leads outside"
    return ""


def _delivery(event: AlertEvent, channel: Channel, held: str, occasion: Occasion) -> Delivery:
    return Delivery(
        event_id=event.id,
        rule_id=event.rule_id,
        channel=channel,
        status=DeliveryStatus.SUPPRESSED if held else DeliveryStatus.PENDING,
        next_try=occasion.now,
        error=held,
        settled_at=occasion.now if held else 0,
    )
