"""The outbox on tables in memory, with senders and a dead-letter queue that a test scripts."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from check_alerts.delivery import Courier, DeliveryReport
from check_alerts.letters import Letters
from quant.domain.alert import AlertEvent, Channel, ChannelType, Delivery, DeliveryStatus, RuleState, Transition
from quant.domain.interval import SECOND
from quant.domain.notification import DELIVERED, Message, Outcome
from quant.settings import Settings
from quant.storage.storage import Storage, memory_storage
from tests.functional.alerts.messages import NOW, delivery, event, links

MAIL = Channel(ChannelType.EMAIL, "trader@example.org")
TOPIC = Channel(ChannelType.SNS, "arn:aws:sns:us-east-1:000000000000:alerts")
CHAT = Channel(ChannelType.TELEGRAM, "-1001234567890")
HOOK = Channel(ChannelType.WEBHOOK, "https://hooks.example.com/alerts")
EVERY = (MAIL, TOPIC, CHAT, HOOK)

Script = Callable[[Message], Outcome]


class ScriptedSender:
    """Records each message that is handed to it and answers as its script says; delivered where there is none."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.script: Script = lambda message: DELIVERED
        self._lock = threading.Lock()

    def send(self, message: Message) -> Outcome:
        with self._lock:
            self.sent.append(message)
        return self.script(message)


class Letterbox:
    """A dead-letter queue in memory."""

    def __init__(self) -> None:
        self.letters: list[tuple[Delivery, AlertEvent | None]] = []

    def put(self, delivery: Delivery, event: AlertEvent | None) -> None:
        self.letters.append((delivery, event))


@dataclass
class PostOffice:
    now: int = NOW
    storage: Storage = field(init=False)
    senders: dict[ChannelType, ScriptedSender] = field(
        default_factory=lambda: {kind: ScriptedSender() for kind in ChannelType}
    )
    dead: Letterbox = field(default_factory=Letterbox)

    def __post_init__(self) -> None:
        self.storage = memory_storage(self.clock, Settings.load({}))

    def clock(self) -> int:
        return self.now

    @property
    def courier(self) -> Courier:
        return Courier(self.storage.alerts, Letters(links), lambda: self.senders, lambda: self.dead, self.clock)

    def happen(self, *event_ids: str, channels: Sequence[Channel] = (MAIL,)) -> None:
        for event_id in event_ids:
            one = event(event_id, recorded_at=self.now)
            deliveries = tuple(delivery(one, channel) for channel in channels)
            self.storage.alerts.commit(Transition(RuleState("r1"), (one,), deliveries))

    def deliver(self, after: float = 0) -> DeliveryReport:
        """Run once, so many seconds later."""
        self.now += int(after * SECOND)
        return self.courier.deliver_due()

    def sent(self, kind: ChannelType = ChannelType.EMAIL) -> list[Message]:
        return self.senders[kind].sent

    def one(self, event_id: str, channel: Channel = MAIL) -> Delivery:
        (found,) = (one for one in self.storage.alerts.deliveries(event_id) if one.channel == channel)
        return found

    def statuses(self, *event_ids: str) -> Counter[DeliveryStatus]:
        return Counter(one.status for event_id in event_ids for one in self.storage.alerts.deliveries(event_id))
