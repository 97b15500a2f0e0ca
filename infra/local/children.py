"""The processes of the stack: started in groups of their own, tied to this process, kept alive, ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.errors import ChildError

TETHER = Path(__file__).with_name("tether.py")
LOG_LIMIT = 20_000_000
QUICK = 5.0
TRIES = 5


@dataclass(slots=True)
class Child:
    """One process. ``death_signal`` is what it gets should this process vanish."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log_path: Path
    cwd: Path
    death_signal: signal.Signals = signal.SIGTERM
    capture: bool = False
    process: asyncio.subprocess.Process | None = field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.is_running and self.process else None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        _rotate(self.log_path)
        tether = [sys.executable, "-S", "-E", "-P", str(TETHER), str(os.getpid()), str(int(self.death_signal))]
        with self.log_path.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *tether,
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if self.capture else log,
                stderr=log,
                env=dict(self.env),
                cwd=self.cwd,
                start_new_session=True,
            )

    async def wait(self) -> int:
        return await self.process.wait() if self.process else 0

    def signal(self, number: signal.Signals) -> None:
        if self.process and self.is_running:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    async def stop(self, grace: float) -> bool:
        """Ask it to end, and kill its whole group at the end of ``grace`` seconds; tells whether it ended by itself."""
        if self.process is None:
            return True
        self.signal(signal.SIGTERM)
        ended = True
        try:
            await asyncio.wait_for(self.process.wait(), grace)
        except TimeoutError:
            ended = False
        finally:
            self.kill()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), 5)
        return ended

    def kill(self) -> None:
        """Kill it, and whatever it started."""
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def last_lines(self, count: int = 12) -> str:
        with contextlib.suppress(OSError), self.log_path.open("rb") as log:
            log.seek(max(0, self.log_path.stat().st_size - 8000))
            return "\n".join("  " + line for line in log.read().decode(errors="replace").splitlines()[-count:])
        return ""

    def failed(self, problem: str) -> ChildError:
        return ChildError(self.name, problem, self.last_lines(), self.log_path)


def _rotate(path: Path) -> None:
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".1.log"))


async def keep_alive(
    child: Child,
    *,
    say: Callable[[str], None],
    restart: Callable[[], Awaitable[None]] | None = None,
    quick: float = QUICK,
    first_delay: float = 0.25,
) -> None:
    """Start ``child`` anew whenever it ends, later and later while it keeps ending at once.

    Raises:
        ChildError: it ended within ``quick`` seconds, five times in a row.
    """
    failures = 0
    while True:
        started = time.monotonic()
        code = await child.wait()
        failures = failures + 1 if time.monotonic() - started < quick else 1
        if failures >= TRIES:
            raise child.failed(f"ended {TRIES} times at once, with {describe_exit(code)}")
        delay = min(first_delay * 2 ** (failures - 1), 10.0)
        say(f"the {child.name} ended with {describe_exit(code)}; it is started again in {delay:g} s")
        await asyncio.sleep(delay)
        try:
            await (restart or child.start)()
        except ChildError as exc:
            say(str(exc))


async def end_child(child: Child, grace: float, *, hurry: asyncio.Event, hurried: float = 0.0) -> bool:
    """End one child, waiting only ``hurried`` seconds once ``hurry`` is set; tells whether it ended by itself."""
    ending = asyncio.create_task(child.stop(grace))
    waiting = asyncio.create_task(hurry.wait())
    await asyncio.wait({ending, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not ending.done():
        await asyncio.wait({ending}, timeout=hurried)
    if not ending.done():
        child.kill()
        await ending
        return False
    return ending.result()


def describe_exit(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
