"""Rules, events and transitions to store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from quant.domain.alert import (
    AlertEvent,
    Channel,
    ChannelType,
    Delivery,
    DeliveryStatus,
    EventKind,
    Phase,
    Rule,
    RuleState,
    Transition,
)
from quant.domain.market import Market

NOW = 1_795_392_000_000  # 2026-11-23T00:00:00Z
BTC, ETH = Market("binance", "BTCUSDT"), Market("binance", "ETHUSDT")
MAIL = Channel(ChannelType.EMAIL, "trader@example.com")
HOOK = Channel(ChannelType.WEBHOOK, "https://example.com/hook#" + "x" * 1_500)
CHAT = Channel(ChannelType.TELEGRAM, "-1001234567890")
TOPIC = Channel(ChannelType.SNS, "arn:aws:sns:us-east-1:000000000000:alerts")
EVERY = (MAIL, TOPIC, CHAT, HOOK)


def rule(rule_id: str = "r1", **changes: Any) -> Rule:
    usual = Rule(rule_id, 1, 1, "BTC above 100,000", "price", BTC, "1s", 1, ">", 100_000.0, channels=EVERY)
    return replace(usual, **changes)


def event(event_id: str = "e1", recorded_at: int = NOW, rule_id: str = "r1", **changes: Any) -> AlertEvent:
    usual = AlertEvent(
        id=event_id,
        kind=EventKind.FIRED,
        rule_id=rule_id,
        revision=1,
        rule_name="BTC above 100,000",
        severity="warning",
        metric="price",
        market=BTC,
        x=None,
        time=recorded_at - 5_000,
        recorded_at=recorded_at,
        value=100_000.5,
        threshold=100_000.0,
        readings={"complete": True, "bars": (1, 2)},
        market_kind="live",
        title="BTCUSDT above 100,000",
        message="the price is 100,000.5",
    )
    return replace(usual, **changes)


def delivery(of: AlertEvent, channel: Channel = MAIL, **changes: Any) -> Delivery:
    return replace(Delivery(of.id, of.rule_id, channel, DeliveryStatus.PENDING, of.recorded_at), **changes)


def state(sequence: int = 1, rule_id: str = "r1", **changes: Any) -> RuleState:
    usual = RuleState(rule_id, 1, sequence, Phase.FIRING, NOW, NOW, 100_000.5, memory={"crossed": True})
    return replace(usual, **changes)


def transition(sequence: int, *events: AlertEvent, channels: tuple[Channel, ...] = EVERY, **changes: Any) -> Transition:
    deliveries = tuple(delivery(one, channel) for one in events for channel in channels)
    return Transition(state(sequence, **changes), events, deliveries)
