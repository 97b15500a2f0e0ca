"""The whole local stack, as a user starts it, and an emulator with nothing in it."""

from __future__ import annotations

import asyncio
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.local.emulator import Emulator
from infra.local.ports import choose
from quant.settings import Settings, child_environment
from tests.integration.deploying import Session

ROOT = Path(__file__).parents[2]
READY_PATIENCE = 120.0
STOP_PATIENCE = 100.0
RUN = (sys.executable, "-m", "infra.local", "run")


@dataclass(slots=True)
class RunningStack:
    """A run that said `ready`. ``lines`` is all that it has printed so far."""

    process: subprocess.Popen[str]
    state_dir: Path
    url: str = ""
    ready_after: float = 0.0
    lines: list[str] = field(default_factory=list)

    @property
    def emulator_url(self) -> str:
        from infra.local.running import Run

        found = Run.read(self.state_dir)
        assert found is not None
        return found.emulator_url

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_PATIENCE)

    def logs(self) -> str:
        files = sorted(self.state_dir.glob("*/logs/*.log"))
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in files)


@contextmanager
def started_stack(
    state_dir: Path, *, command: Sequence[str] = RUN, patience: float = READY_PATIENCE, **changes: str
) -> Iterator[RunningStack]:
    """``command`` on free ports until it is ready; killed at the end if it still runs."""
    settings = {"SOURCE": "simulator", "PORT": "0", "EMULATOR_PORT": "0", "STATE_DIR": str(state_dir), **changes}
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=child_environment(**settings),
    )
    stack = RunningStack(process, state_dir)
    printed: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, stack.lines, printed.put))
    reader.start()
    try:
        stack.url = _await_ready(stack, printed, began + patience)
        stack.ready_after = time.monotonic() - began
        yield stack
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
        assert process.stdout is not None
        process.stdout.close()


def _read(process: subprocess.Popen[str], lines: list[str], tell: Callable[[str | None], None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        tell(lines[-1])
    tell(None)


def _await_ready(stack: RunningStack, printed: queue.Queue[str | None], deadline: float) -> str:
    while True:
        try:
            line = printed.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            line = None
        if line is None:
            pytest.fail("the stack did not get ready:\n" + "\n".join(stack.lines) + "\n" + stack.logs())
        if line.startswith("ready "):
            return line.removeprefix("ready ")


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Session]:
    """An emulator of this test's own, with nothing deployed."""
    emulator = Emulator.of(Settings.load({}), tmp_path, choose(0, "EMULATOR_PORT"))
    with asyncio.Runner() as runner:
        runner.run(emulator.start())
        try:
            yield Session(emulator.url)
        finally:
            runner.run(emulator.child.stop(10))
