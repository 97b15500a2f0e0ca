"""What was sent, as the receivers have it: bounded in memory, and kept in a file over restarts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MOST = 500
"""Of each channel; the oldest go first."""
_LONGEST = 200_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One message that a receiver accepted.

    Attributes:
        id: the receiver's own.
        time: when it came, ms.
        to: address, topic, chat or path.
        event_id: what repeats are told by; empty where the channel shows none.
        facts: what else came along: headers, a checked signature, the JSON body.
    """

    channel: str
    id: str
    time: int
    to: str
    subject: str
    text: str
    html: str = ""
    event_id: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


class Box:
    """All entries, each id of a channel once."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._entries: dict[tuple[str, str], Entry] = {}
        if path is not None and path.exists():
            for line in path.read_text().splitlines():
                self._take(_read(line))

    def add(self, entry: Entry) -> bool:
        """Keep it; whether it is new."""
        if (entry.channel, entry.id) in self._entries:
            return False
        self._take(entry)
        if self._path is not None:
            self._write()
        return True

    def all(self) -> list[Entry]:
        """Every entry, the newest first."""
        return sorted(self._entries.values(), key=lambda entry: entry.time, reverse=True)

    def _take(self, entry: Entry | None) -> None:
        if entry is None:
            return
        self._entries[entry.channel, entry.id] = entry
        same = [key for key in self._entries if key[0] == entry.channel]
        for key in same[: len(same) - MOST]:
            del self._entries[key]

    def _write(self) -> None:
        assert self._path is not None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(asdict(entry)) + "\n" for entry in self._entries.values()]
        new = self._path.with_suffix(".tmp")
        new.write_text("".join(lines))
        new.replace(self._path)


def shortened(text: str) -> str:
    """At most so much of a text as is kept."""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _read(line: str) -> Entry | None:
    """None for what a run that was killed has half written, or an older version wrote otherwise."""
    try:
        return Entry(**json.loads(line))
    except (ValueError, TypeError):
        return None
