"""The outbox worked off: what is due is leased, sent and settled, each target apart from all others.

A delivery goes through three steps, and whoever dies between two of them leaves it to a later run:

- *lease*, a conditional write: nobody else sends it until the lease ends, and the attempt is counted;
- *send*;
- *settle*, a conditional write: delivered, to be tried again later, or failed.

A run that dies between *send* and *settle* has sent what is not recorded as sent. That window cannot be closed by any
sender. The repeat carries the same id, since an id is a function of event and channel and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from check_alerts.letters import Letters
from quant.domain.alert import AlertEvent, AlertRepository, Channel, ChannelType, Delivery, DeliveryStatus
from quant.domain.interval import HOUR, SECOND
from quant.domain.notification import DeadLetters, Outcome, Result, Sender
from quant.domain.ports import Clock
from quant.errors import QuantError

# Some three hours in all.
MOST_ATTEMPTS = 10
FIRST_PAUSE, LONGEST_PAUSE = 30 * SECOND, HOUR
# More than a function's time: who holds a lease that has ended is dead.
LEASE = 90 * SECOND
GROUP_ABOVE, MOST_TOGETHER = 5, 50
MOST_DUE = 1_000
# A slow receiver holds one of its kind's threads; the other kinds have their own.
THREADS = {ChannelType.EMAIL: 4, ChannelType.SNS: 4, ChannelType.TELEGRAM: 4, ChannelType.WEBHOOK: 8}

Parcel = Sequence[Delivery]
"""Deliveries to one channel that go in one message."""


@dataclass(slots=True)
class DeliveryReport:
    """What a run did, counted in deliveries; ``messages`` in attempts, ``left`` is still due."""

    due: int = 0
    messages: int = 0
    delivered: int = 0
    retried: int = 0
    failed: int = 0
    left: int = 0
    errors: list[str] = field(default_factory=list)

    def __iadd__(self, other: DeliveryReport) -> DeliveryReport:
        for name in ("due", "messages", "delivered", "retried", "failed", "left"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.errors += other.errors
        return self


@dataclass(frozen=True, slots=True)
class Courier:
    """Works off the outbox.

    Attributes:
        senders, dead_letters: asked for only where something is due.
    """

    alerts: AlertRepository
    letters: Letters
    senders: Callable[[], Mapping[ChannelType, Sender]]
    dead_letters: Callable[[], DeadLetters | None]
    clock: Clock

    def deliver_due(self, has_time: Callable[[], bool] = lambda: True) -> DeliveryReport:
        """Try once what is due now.

        ``has_time`` is asked before each message: whether there are as many seconds left as a sender may take.
        """
        due = self.alerts.due(self.clock(), MOST_DUE)
        report = DeliveryReport(due=len(due))
        if not due:
            return report
        rounds = defaultdict(list)
        for channel, parcels in parcels_of(due).items():
            rounds[channel.type].append(parcels)
        route = _Route(self, self.senders(), self.dead_letters(), has_time)
        pools = {kind: ThreadPoolExecutor(min(THREADS[kind], len(jobs))) for kind, jobs in rounds.items()}
        try:
            futures = [pools[kind].submit(route.serve, job) for kind, jobs in rounds.items() for job in jobs]
            for future in futures:
                report += future.result()
        finally:
            for pool in pools.values():
                pool.shutdown()
        return report


@dataclass(frozen=True, slots=True)
class _Route:
    """One run's way to one target after the other."""

    courier: Courier
    senders: Mapping[ChannelType, Sender]
    dead_letters: DeadLetters | None
    has_time: Callable[[], bool]

    def serve(self, parcels: Sequence[Parcel]) -> DeliveryReport:
        """Send one target what is due to it, until it says that it cannot take it now."""
        report = DeliveryReport()
        for at, parcel in enumerate(parcels):
            if not self.has_time():
                report.left += sum(map(len, parcels[at:]))
                break
            try:
                outcome = self._send(parcel, report)
                if outcome.result is Result.RETRY:
                    self._postpone(parcels[at + 1 :], outcome, report)
                    break
            except QuantError as exc:
                # The lease ends by itself. Of the others, each target has to be served still.
                report.errors.append(f"{parcel[0].channel.type}: {exc}")
                break
        return report

    def _send(self, parcel: Parcel, report: DeliveryReport) -> Outcome:
        alerts, until = self.courier.alerts, self.courier.clock() + LEASE
        asked = [alerts.lease(replace(one, grouped=len(parcel)), until) for one in parcel]
        leased = [one for one in asked if one is not None]
        known = [(one, event) for one in leased if (event := alerts.event(one.event_id)) is not None]
        tired = [(one, event) for one, event in known if one.attempts > MOST_ATTEMPTS]
        ready = [(one, event) for one, event in known if one.attempts <= MOST_ATTEMPTS]
        gone = [(one, None) for one in leased if one.id not in {delivery.id for delivery, _ in known}]
        self._settle(gone, Outcome(Result.REFUSED, "its event is gone from the history"), report)
        self._settle(tired, Outcome(Result.REFUSED, f"none of {MOST_ATTEMPTS} attempts came to an end"), report)
        if not ready:
            return Outcome(Result.DELIVERED)
        message = self.courier.letters.write(ready)
        report.messages += 1
        outcome = self.senders[message.channel.type].send(message)
        self._settle(ready, outcome, report)
        return outcome

    def _settle(
        self, sent: Sequence[tuple[Delivery, AlertEvent | None]], outcome: Outcome, report: DeliveryReport
    ) -> None:
        now = self.courier.clock()
        pause = backoff([delivery for delivery, _ in sent], outcome.retry_after) if sent else 0
        for delivery, event in sent:
            ended = settled(delivery, outcome, now, now + pause, len(sent))
            if ended.status is DeliveryStatus.FAILED and self.dead_letters is not None:
                # Before the outbox forgets it: twice on the queue is better than never.
                self.dead_letters.put(ended, event)
            self.courier.alerts.settle(ended)
            report.delivered += ended.status is DeliveryStatus.DELIVERED
            report.retried += ended.status is DeliveryStatus.RETRYING
            report.failed += ended.status is DeliveryStatus.FAILED

    def _postpone(self, parcels: Sequence[Parcel], outcome: Outcome, report: DeliveryReport) -> None:
        """Keep to what the receiver asked for; without being tried, nothing counts as an attempt."""
        until = self.courier.clock() + outcome.retry_after
        for delivery in (one for parcel in parcels for one in parcel):
            report.left += 1
            if outcome.retry_after:
                self.courier.alerts.settle(replace(delivery, next_try=until))


def parcels_of(due: Iterable[Delivery]) -> dict[Channel, list[Parcel]]:
    """What goes in one message, by channel, the oldest first.

    Each event has a message of its own, unless a channel is due more than GROUP_ABOVE of them. What went together once
    goes together again, so that a repeat is the same message.
    """
    of_channel: dict[Channel, list[Delivery]] = defaultdict(list)
    for delivery in due:
        of_channel[delivery.channel].append(delivery)
    return {channel: _parcels(several) for channel, several in of_channel.items()}


def _parcels(deliveries: Sequence[Delivery]) -> list[Parcel]:
    together: dict[int, list[Delivery]] = defaultdict(list)
    single: list[Delivery] = []
    for one in deliveries:
        (together[one.next_try] if one.grouped > 1 else single).append(one)
    size = MOST_TOGETHER if len(single) > GROUP_ABOVE else 1
    several = [(one, MOST_TOGETHER) for one in together.values()] + [(single, size)]
    return [one[at : at + most] for one, most in several for at in range(0, len(one), most)]


def settled(delivery: Delivery, outcome: Outcome, now: int, again: int, together: int) -> Delivery:
    """The delivery after an attempt that ended with ``outcome`` at ``now``; ``again`` is when it may be tried again."""
    changed = replace(delivery, error=outcome.reason, grouped=together)
    if outcome.result is Result.DELIVERED:
        return replace(changed, status=DeliveryStatus.DELIVERED, settled_at=now)
    if outcome.result is Result.REFUSED or delivery.attempts >= MOST_ATTEMPTS:
        return replace(changed, status=DeliveryStatus.FAILED, settled_at=now)
    return replace(changed, status=DeliveryStatus.RETRYING, next_try=again)


def backoff(parcel: Parcel, retry_after: int = 0) -> int:
    """Milliseconds until the next attempt: twice as long each time, a fifth more or less by chance, and never less than
    the receiver asked for. The chance is a function of id and attempt, so that a repeated run decides the same."""
    attempts = max(delivery.attempts for delivery in parcel)
    pause = min(FIRST_PAUSE << min(max(attempts - 1, 0), 20), LONGEST_PAUSE)
    digest = blake2b(f"{parcel[0].id}#{attempts}".encode(), digest_size=4).digest()
    spread = (int.from_bytes(digest) / 0xFFFF_FFFF - 0.5) * 0.4
    return max(int(pause * (1 + spread)), retry_after)
