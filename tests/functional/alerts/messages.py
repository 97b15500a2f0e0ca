"""Messages to send, and the fakes that senders are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from check_alerts.letters import Letters, Link
from quant.domain.alert import AlertEvent, Channel, ChannelType, Delivery, DeliveryStatus, EventKind
from quant.domain.market import Market
from quant.domain.notification import Message

NOW = 1_795_392_000_000  # 2026-11-23T00:00:00Z


class Secrets:
    """SSM with these parameters, by the calls that boto3's client has."""

    def __init__(self, **values: str) -> None:
        self.values, self.reads = {name.replace("_", "-"): value for name, value in values.items()}, 0

    def get_parameter(self, Name: str, WithDecryption: bool) -> Mapping[str, Any]:
        assert WithDecryption
        self.reads += 1
        if Name not in self.values:
            raise ClientError({"Error": {"Code": "ParameterNotFound", "Message": Name}}, "GetParameter")
        return {"Parameter": {"Value": self.values[Name]}}


def event(event_id: str = "0f3a9c", **changes: Any) -> AlertEvent:
    usual = AlertEvent(
        id=event_id,
        kind=EventKind.FIRED,
        rule_id="r1",
        revision=1,
        rule_name="Bitcoin above 100,000",
        severity="critical",
        metric="price",
        market=Market("binance", "BTCUSDT"),
        x=None,
        time=NOW - 5_000,
        recorded_at=NOW,
        value=100_000.5,
        threshold=100_000.0,
        readings={"complete": True},
        market_kind="live",
        title="Bitcoin above 100,000",
        message="BTCUSDT is at 100,000.5, above 100,000.",
    )
    return replace(usual, **changes)


def delivery(of: AlertEvent, channel: Channel, **changes: Any) -> Delivery:
    return replace(Delivery(of.id, of.rule_id, channel, DeliveryStatus.PENDING, of.recorded_at), **changes)


def links(of: AlertEvent) -> list[Link]:
    chart = f"https://quant.example.com/?symbol={of.market.symbol}"
    return [Link("Chart", chart), Link("Silence", f"https://quant.example.com/silence?rule={of.rule_id}&token=a%2Fb")]


def message(kind: ChannelType, target: str, *events: AlertEvent) -> Message:
    several = events or (event(),)
    return Letters(links).write([(delivery(one, Channel(kind, target)), one) for one in several])
