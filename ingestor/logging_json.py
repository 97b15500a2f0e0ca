"""Structured log lines: one event, one line of JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Protocol, TextIO

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class Log(Protocol):
    """Says that something happened, with facts."""

    def __call__(self, event: str, level: str = "INFO", **facts: Any) -> None: ...


class JsonLog:
    """Writes events of at least ``level`` to a stream."""

    def __init__(self, stream: TextIO | None = None, level: str = "INFO") -> None:
        self._stream, self._least = stream or sys.stderr, LEVELS.index(level)

    def __call__(self, event: str, level: str = "INFO", **facts: Any) -> None:
        if LEVELS.index(level) < self._least:
            return
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
        line = json.dumps({"time": stamp, "level": level, "event": event, **facts}, default=str, ensure_ascii=False)
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            # A reader that went away must not stop the ingestor.
            return


class Seldom:
    """Lets an event through at most once per ``period`` seconds, and counts what it held back."""

    def __init__(self, log: Log, period: float) -> None:
        self._log, self._period = log, period
        self._last: dict[str, float] = {}
        self._held: dict[str, int] = {}

    def __call__(self, event: str, level: str = "INFO", **facts: Any) -> None:
        now, key = time.monotonic(), f"{event}/{facts.get('reason', '')}"
        if now - self._last.get(key, -self._period) < self._period:
            self._held[key] = self._held.get(key, 0) + 1
            return
        self._last[key] = now
        held = self._held.pop(key, 0)
        self._log(event, level, **facts, **({"held_back": held} if held else {}))
