"""The container's health check: whether the process still goes round.

With every heartbeat the ingestor touches a file, before it stores anything. So the check says nothing of storage or of
the exchange: both may be away, the ingestor keeps meanwhile what it has, and must not be replaced for that.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

from quant.domain.ports import Heartbeat
from quant.settings import Settings

SILENT_AFTER = 120.0


class SignOfLife:
    """Touches a file with each heartbeat, then tells the next one."""

    def __init__(self, path: Path, then: Callable[[Heartbeat], None]) -> None:
        self._path, self._then = path, then

    def __call__(self, beat: Heartbeat) -> None:
        # A disk that is full or gone is the journal's to tell, and no reason to leave out a heartbeat.
        with contextlib.suppress(OSError):
            self._path.touch()
        self._then(beat)


def file_of(settings: Settings) -> Path:
    return settings.journal_dir / "alive"


def is_alive(path: Path, now: float) -> bool:
    """Whether the file was touched in the ``SILENT_AFTER`` seconds before ``now``, in seconds since the epoch."""
    return path.exists() and now - path.stat().st_mtime < SILENT_AFTER


if __name__ == "__main__":
    sys.exit(0 if is_alive(file_of(Settings.load()), time.time()) else 1)
