"""Alert rules, their states, what happens to them, and what is sent of it; and the ports that keep all of that.

A *rule* says what is watched. Its *state* is written on transitions only. A transition makes *events*, and each event a
*delivery* per channel: state, events and deliveries are stored together or not at all. Deliveries that are not at
their end are the outbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Protocol

from quant.domain.market import Market


class ChannelType(StrEnum):
    EMAIL = "email"
    SNS = "sns"
    TELEGRAM = "telegram"
    WEBHOOK = "webhook"


class Phase(StrEnum):
    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    NO_DATA = "no_data"


class EventKind(StrEnum):
    FIRED = "fired"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    NO_DATA = "no_data"
    CORRECTION = "correction"
    TEST = "test"


class DeliveryStatus(StrEnum):
    """``pending`` and ``retrying`` are in the outbox; the others are ends."""

    PENDING = "pending"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Channel:
    """Where to: an address, a topic's ARN, a chat's id or a URL."""

    type: ChannelType
    target: str

    @property
    def id(self) -> str:
        return f"{self.type}:{self.target}"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is watched, and who is told.

    Attributes:
        version: counts the changes; what optimistic locking compares.
        revision: counts the changes of what is watched; a new name or channel does not raise it. Part of event ids.
        market, x: the symbol; for pair metrics y, and the x that it is regressed on.
        interval, window: bars of which length, and how many of them the metric looks at.
        clear_threshold: where a firing rule begins to recover; the threshold itself where it is None.
        for_seconds: how long the condition must hold before it fires; recover_seconds likewise before it resolves.
        cooldown_seconds: after a notification, none of the same rule for so long; what happens is still recorded.
        remind_seconds: a firing rule says so again each time this has passed; 0 never.
        notify: which kinds of events are sent; all are recorded.
        message: a Jinja2 template, or "" for the usual one.
        silenced_until: ms; until then nothing is sent.
        created_at, updated_at: ms.
        revised_at: when the revision was last raised, ms; a rule sees no bar that ended before it.
    """

    id: str
    version: int
    revision: int
    name: str
    metric: str
    market: Market
    interval: str
    window: int
    operator: str
    threshold: float
    x: Market | None = None
    clear_threshold: float | None = None
    for_seconds: int = 0
    recover_seconds: int = 0
    cooldown_seconds: int = 0
    remind_seconds: int = 0
    severity: str = "warning"
    channels: tuple[Channel, ...] = ()
    notify: tuple[EventKind, ...] = (EventKind.FIRED, EventKind.RESOLVED)
    message: str = ""
    enabled: bool = True
    silenced_until: int = 0
    created_at: int = 0
    updated_at: int = 0
    revised_at: int = 0


@dataclass(frozen=True, slots=True)
class RuleState:
    """Where a rule stands since its last transition. What lies between is computed again from the bars.

    Attributes:
        sequence: counts the transitions; what conditional writes compare. 0: nothing is stored.
        revision: of the rule that it was computed for; another one begins anew.
        since: time of the bar that brought it here, ms.
        evaluated_until: bars that end at or before this have been looked at, ms.
        value: of the metric then.
        event_id, fired_at: of the event that fires now, and its bar's time.
        notified_at: when the last notification was decided, for cooldown and reminders, ms of bar time.
        memory: what the state machine must know beside that, small and plain.
    """

    rule_id: str
    revision: int = 0
    sequence: int = 0
    phase: Phase = Phase.OK
    since: int = 0
    evaluated_until: int = 0
    value: float | None = None
    reason: str = ""
    event_id: str = ""
    fired_at: int = 0
    notified_at: int = 0
    memory: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One thing that happened to a rule.

    Attributes:
        id: hash of rule, revision, kind and bar: the same event has the same id, whoever finds it.
        time: its bar's, ms; recorded_at: when it was found.
        readings: what the decision was made of: values, bars' times, completeness.
        market_kind: ``live``, ``simulated`` or ``replay``.
        message: as rendered; simulated ones begin with SIMULATED.
        corrects: id of the event that this one corrects, or "".
    """

    id: str
    kind: EventKind
    rule_id: str
    revision: int
    rule_name: str
    severity: str
    metric: str
    market: Market
    x: Market | None
    time: int
    recorded_at: int
    value: float | None
    threshold: float
    readings: dict[str, Any]
    market_kind: str
    title: str
    message: str
    corrects: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one channel.

    Attributes:
        next_try: not before this, ms; also the end of a lease.
        error: of the last attempt, without secrets.
        grouped: how many events went in the same message.
    """

    event_id: str
    rule_id: str
    channel: Channel
    status: DeliveryStatus
    next_try: int
    attempts: int = 0
    error: str = ""
    settled_at: int = 0
    grouped: int = 1
    sequence: int = 1

    @property
    def id(self) -> str:
        """What a receiver tells repeats by. It holds nothing of the target, which may be a secret."""
        return f"{self.event_id}.{blake2b(self.channel.id.encode(), digest_size=6).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Transition:
    """What is stored together: a state, if its predecessor is still the stored one, with its events and deliveries."""

    state: RuleState
    events: tuple[AlertEvent, ...] = ()
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What one run of the monitor did.

    Attributes:
        evaluated_until: per input (``exchange:SYMBOL@1s``, a pair, the scan) the end of the bars looked at, ms.
        errors: by rule id, the first hundred.
        unfinished: how many rules were left to the next run, for lack of time or because of an error.
        skipped: per input, ms of bars that were never looked at since no run had come for too long.
        reads: how often bars or trades of a market, or a result, were read.
        kinds: by market, what is not live, as its ingestor has said last: one that is dead says so no more.
    """

    started_at: int
    finished_at: int
    rules: int = 0
    evaluated: int = 0
    events: int = 0
    fired: int = 0
    deliveries: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    evaluated_until: dict[str, int] = field(default_factory=dict)
    reads: int = 0
    unfinished: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)


class RuleRepository(Protocol):
    """Rules, and the answers already given to an ``Idempotency-Key``."""

    def all(self) -> tuple[Rule, ...]:
        """Every rule, by id."""

    def get(self, rule_id: str) -> Rule | None: ...

    def put(self, rule: Rule, *, expected: int) -> None:
        """Store it if the stored version is ``expected`` (0: none is stored).

        Raises:
            ConflictError: it is not.
        """

    def delete(self, rule_id: str, *, expected: int) -> None:
        """Delete rule and state if the stored version is ``expected``.

        Raises:
            ConflictError: it is not, or there is none.
        """

    def answer_of(self, key: str) -> tuple[str, bytes] | None:
        """Hash of the request that this key came with, and the answer that was given; None where it is new."""

    def keep_answer(self, key: str, request_hash: str, answer: bytes) -> bool:
        """Keep it for a day, unless one is kept already; whether it is now."""


class AlertRepository(Protocol):
    """States, events, deliveries and the monitor's last report."""

    def states(self) -> dict[str, RuleState]: ...

    def state(self, rule_id: str) -> RuleState | None: ...

    def commit(self, transition: Transition) -> None:
        """One transaction: the state under ``sequence - 1``, its events and deliveries, each once for ever.

        An event that has no transition (a test, a correction, a reminder) has ``state.sequence == 0``: then no state is
        written. A commit that was made before, whole, changes nothing and raises nothing.

        Raises:
            ConflictError: somebody else has moved this rule on; nothing was stored.
        """

    def events(
        self, start: int, end: int, *, rule_id: str = "", limit: int = 100, after: str = "", newest_first: bool = True
    ) -> tuple[AlertEvent, ...]:
        """Events with ``start <= recorded_at < end``, at most ``limit``, after the position ``after``."""

    def position(self, event: AlertEvent) -> str:
        """What to give as ``after`` to go on behind this event."""

    def event(self, event_id: str) -> AlertEvent | None: ...

    def deliveries(self, event_id: str) -> tuple[Delivery, ...]: ...

    def due(self, now: int, limit: int) -> tuple[Delivery, ...]:
        """Deliveries in the outbox whose ``next_try`` has come, oldest first."""

    def lease(self, delivery: Delivery, until: int) -> Delivery | None:
        """Take it: its ``next_try`` becomes ``until`` and its attempts one more; None where another was faster."""

    def settle(self, delivery: Delivery) -> bool:
        """Store what came of a leased delivery; at an end it leaves the outbox. Whether the lease was still ours."""

    def report(self) -> CheckReport | None: ...

    def put_report(self, report: CheckReport) -> None:
        """Keep it as the last one, unless a later one is kept."""
