"""What was sent, as the receivers have it: bounded in memory, and kept in a file over restarts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
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
    """All entries, each id of a channel once. A file, if there is one, is appended to, and tidied when it is opened."""

    def __init__(self, path: Path | None = None) -> None:
        self._path, self._lock = path, Lock()
        self._entries: dict[tuple[str, str], Entry] = {}
        if path is not None and path.exists():
            for entry in filter(None, map(_read, path.read_text().splitlines())):
                self._take(entry)
            self._tidy(path)

    def add(self, entry: Entry) -> bool:
        """Keep it; whether it is new."""
        with self._lock:
            if (entry.channel, entry.id) in self._entries:
                return False
            self._take(entry)
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a") as file:
                    file.write(_line(entry))
            return True

    def all(self) -> list[Entry]:
        """Every entry, the newest first."""
        with self._lock:
            return sorted(self._entries.values(), key=lambda entry: entry.time, reverse=True)

    def _take(self, entry: Entry) -> None:
        self._entries[entry.channel, entry.id] = entry
        same = [key for key in self._entries if key[0] == entry.channel]
        for key in same[: max(len(same) - MOST, 0)]:
            del self._entries[key]

    def _tidy(self, path: Path) -> None:
        new = path.with_suffix(".tmp")
        new.write_text("".join(map(_line, self._entries.values())))
        new.replace(path)


def shortened(text: str) -> str:
    """At most so much of a text as is kept."""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _line(entry: Entry) -> str:
    return json.dumps(asdict(entry)) + "\n"


def _read(line: str) -> Entry | None:
    """None for what a run that was killed has half written, or an older version wrote otherwise."""
    try:
        return Entry(**json.loads(line))
    except (ValueError, TypeError):
        return None
