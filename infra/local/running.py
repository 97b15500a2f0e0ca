"""Which run is active: a locked file says that there is one, a JSON file beside it says where.

The lock goes with the process, so a run that was killed leaves nothing that has to be cleared away.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Self

from infra.local.errors import AlreadyRunningError


@dataclass(frozen=True, slots=True)
class Run:
    """An active run. ``url`` is empty while it is starting; ``environment`` is what the ingestor sees of it."""

    pid: int
    url: str = ""
    emulator_url: str = ""
    source: str = ""
    symbols: tuple[str, ...] = ()
    since: float = 0.0
    keeps_state: bool = True
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The run that is active on this folder, if there is one; what a killed run left behind does not count."""
        if not _is_locked(folder / "run.lock"):
            return None
        try:
            facts = json.loads((folder / "run.json").read_text())
            return cls(**{**facts, "symbols": tuple(facts["symbols"])})
        except (OSError, ValueError, TypeError, KeyError):
            return cls(pid=0)

    def write(self, folder: Path) -> None:
        path = folder / "run.json"
        path.with_suffix(".tmp").write_text(json.dumps(asdict(self)))
        path.with_suffix(".tmp").replace(path)


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold the folder for this process.

    Raises:
        AlreadyRunningError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("a") as lock:
        if not _try_lock(lock):
            other = Run.read(folder)
            raise AlreadyRunningError(other.url if other else "")
        Run(os.getpid()).write(folder)
        try:
            yield
        finally:
            (folder / "run.json").unlink(missing_ok=True)


def end(run: Run, folder: Path, *, patience: float) -> bool:
    """Ask a run to end and wait until its state is saved; tells whether it did within ``patience`` seconds."""
    if run.pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(run.pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while _is_locked(folder / "run.lock"):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_locked(path: Path) -> bool:
    if not path.exists():
        return False
    with path.open("a") as file:
        return not _try_lock(file)
