"""What the inbox's page says, as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from infra.local.inbox.box import Entry

CHANNELS = {"email": "E-mail", "sns": "SNS", "telegram": "Telegram", "webhook": "Webhook"}


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    label: str
    count: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One message. ``copy`` says which copy of the same notification it is, where there are several."""

    channel: str
    label: str
    to: str
    subject: str
    text: str
    html_url: str
    moment: str
    age: str
    event_id: str
    copy: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Page:
    tabs: tuple[Tab, ...]
    cards: tuple[Card, ...]
    newest: str
    left_out: int


def listed(entries: Sequence[Entry], wanted: str, now: int, most: int) -> Page:
    """The newest ``most`` entries of a channel, or of all where ``wanted`` is no channel's name."""
    wanted = wanted if wanted in CHANNELS else ""
    counts = Counter(entry.channel for entry in entries)
    tabs = [Tab("", "All", len(entries), not wanted)]
    tabs += [Tab(name, label, counts[name], wanted == name) for name, label in CHANNELS.items()]
    copies = _copies(entries)
    shown = [entry for entry in entries if wanted in ("", entry.channel)]
    cards = tuple(_card(entry, now, copies) for entry in shown[:most])
    newest = f"{entries[0].channel}/{entries[0].id}" if entries else ""
    return Page(tuple(tabs), cards, newest, max(len(shown) - most, 0))


def _copies(entries: Sequence[Entry]) -> dict[tuple[str, str], str]:
    """By channel and own id: "copy 2 of 2" for messages that came more than once."""
    same: dict[tuple[str, str], list[Entry]] = {}
    for entry in reversed(entries):
        if entry.event_id:
            same.setdefault((entry.channel, entry.event_id), []).append(entry)
    several = [group for group in same.values() if len(group) > 1]
    return {
        (entry.channel, entry.id): f"copy {number} of {len(group)}"
        for group in several
        for number, entry in enumerate(group, 1)
    }


def _card(entry: Entry, now: int, copies: dict[tuple[str, str], str]) -> Card:
    moment = datetime.fromtimestamp(entry.time // 1_000, UTC)
    return Card(
        channel=entry.channel,
        label=CHANNELS.get(entry.channel, entry.channel),
        to=entry.to,
        subject=entry.subject or "(no subject)",
        text=entry.text,
        html_url=f"mail/{quote(entry.id, safe='')}" if entry.html else "",
        moment=f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        age=_age(max(now - entry.time, 0) // 1_000),
        event_id=entry.event_id,
        copy=copies.get((entry.channel, entry.id), ""),
        facts=tuple((name, str(value)) for name, value in entry.facts.items() if name in ("from", "signature")),
    )


def _age(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
