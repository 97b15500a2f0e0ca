"""What is sent to a channel, what comes of it, and the ports of whoever sends."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from quant.domain.alert import AlertEvent, Channel, Delivery


class Result(StrEnum):
    DELIVERED = "delivered"
    RETRY = "retry"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one channel, about one event or about several.

    Attributes:
        id: what a receiver tells repeats by: of the delivery, or of all deliveries that go together.
        event_ids: of what it tells.
        subject: one line.
        text: for a person who reads plain text.
        html: a whole page, for mail.
        facts: the same for a program: plain values, as JSON has them.
    """

    id: str
    channel: Channel
    event_ids: tuple[str, ...]
    subject: str
    text: str
    html: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt.

    Attributes:
        reason: why it was not delivered, in words that hold no secret.
        retry_after: ms that the receiver asked to be left alone for.
    """

    result: Result
    reason: str = ""
    retry_after: int = 0


DELIVERED = Outcome(Result.DELIVERED)


class Sender(Protocol):
    """One kind of channel."""

    def send(self, message: Message) -> Outcome:
        """Try once, for a bounded time. What the receiver or the network does wrong is an outcome, not an error."""


class DeadLetters(Protocol):
    """Where what could not be delivered is laid down for an operator."""

    def put(self, delivery: Delivery, event: AlertEvent | None) -> None: ...
