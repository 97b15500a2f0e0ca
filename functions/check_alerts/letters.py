"""What is written to a channel about one event, or about several in one message."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from quant.domain.alert import AlertEvent, Delivery
from quant.domain.notification import Message

MOST_IN_TEXT = 50
"""So many events of a group are told in full; of the others, the number. A program gets them all."""
_MARKS = {"simulated": "SIMULATED", "replay": "REPLAY"}
_SEVERITIES = ("info", "warning", "critical")
_TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


Links = Callable[[AlertEvent], Sequence[Link]]
"""Where a person can go on from an event: its chart, its rule's silence."""


@dataclass(frozen=True, slots=True)
class Line:
    """An event as the templates see it; ``facts`` are pairs of a name and a text."""

    title: str
    message: str
    id: str
    severity: str
    facts: tuple[tuple[str, str], ...]
    links: tuple[Link, ...]


class Letters:
    """Writes messages from the templates beside this module."""

    def __init__(self, links: Links) -> None:
        self._links = links
        loader = FileSystemLoader(_TEMPLATES)
        self._html = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._text = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)

    def write(self, several: Sequence[tuple[Delivery, AlertEvent]]) -> Message:
        """One message to the channel that these deliveries, at least one, have in common."""
        channel = several[0][0].channel
        identity = message_id([delivery for delivery, _ in several])
        lines = [self._line(delivery, event) for delivery, event in several]
        subject = lines[0].title if len(lines) == 1 else _subject([event for _, event in several])
        told = {
            "subject": subject,
            "id": identity,
            "lines": lines[:MOST_IN_TEXT],
            "left_out": max(len(lines) - MOST_IN_TEXT, 0),
        }
        return Message(
            id=identity,
            channel=channel,
            event_ids=tuple(event.id for _, event in several),
            subject=subject,
            text=self._text.get_template("message.txt.j2").render(told).strip() + "\n",
            html=self._html.get_template("message.html.j2").render(told),
            facts=self._facts(several),
        )

    def _line(self, delivery: Delivery, event: AlertEvent) -> Line:
        symbols = str(event.market) if event.x is None else f"{event.market} on {event.x}"
        facts = (
            ("Value", _number(event.value)),
            ("Threshold", _number(event.threshold)),
            ("Metric", event.metric.replace("_", " ")),
            ("Market", symbols),
            ("Time", _moment(event.time)),
            ("Severity", event.severity),
            ("Rule", event.rule_name),
        )
        return Line(titled(event), event.message, delivery.id, event.severity, facts, tuple(self._links(event)))

    def _facts(self, several: Sequence[tuple[Delivery, AlertEvent]]) -> dict[str, Any]:
        events = [event for _, event in several]
        return {
            "kind": str(events[0].kind) if len(events) == 1 else "group",
            "severity": max((event.severity for event in events), key=_rank),
            "count": len(events),
            "notifications": [
                {"id": delivery.id, **_plain(event), "links": {one.label: one.url for one in self._links(event)}}
                for delivery, event in several
            ],
        }


def message_id(deliveries: Sequence[Delivery]) -> str:
    """The id of a message about these: of one its own, of several a function of theirs and nothing else."""
    if len(deliveries) == 1:
        return deliveries[0].id
    ids = "\n".join(sorted(delivery.id for delivery in deliveries))
    return f"group-{blake2b(ids.encode(), digest_size=12).hexdigest()}"


def titled(event: AlertEvent) -> str:
    """The event's title, which says so where the market is not the real one."""
    mark = _MARKS.get(event.market_kind, "")
    title = event.title or event.rule_name
    return title if not mark or title.upper().startswith(mark) else f"{mark}: {title}"


def _subject(events: Sequence[AlertEvent]) -> str:
    marks = sorted({mark for event in events if (mark := _MARKS.get(event.market_kind, ""))})
    names = list(dict.fromkeys(event.rule_name for event in events))
    told = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{', '.join(marks)}{': ' if marks else ''}{len(events)} alerts: {told}"


def _plain(event: AlertEvent) -> dict[str, Any]:
    told: Mapping[str, Any] = asdict(event)
    markets = {name: str(market) if (market := getattr(event, name)) else None for name in ("market", "x")}
    event_id = {"event_id": event.id, "kind": str(event.kind), "title": titled(event)}
    return {name: one for name, one in told.items() if name not in ("id", "kind", "title")} | markets | event_id


def _rank(severity: str) -> int:
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else -1


def _number(value: float | None) -> str:
    return "-" if value is None or not math.isfinite(value) else f"{value:,.10g}"


def _moment(time: int) -> str:
    return f"{datetime.fromtimestamp(time // 1_000, UTC):%Y-%m-%d %H:%M:%S} UTC"
