"""Child processes: tied to their parent, ended with all that they started, kept alive or given up on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from infra.local.children import TETHER, Child, describe_exit, end_child, keep_alive
from infra.local.errors import ChildError
from quant.settings import child_environment

SLEEP = "import time; time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); {SLEEP}"
WITH_GRANDCHILD = f"""
import subprocess, sys
print(subprocess.Popen([sys.executable, "-c", {SLEEP!r}]).pid, flush=True)
{SLEEP}
"""


def child(tmp_path: Path, code: str) -> Child:
    return Child("ingestor", [sys.executable, "-c", code], child_environment(), tmp_path / "child.log", tmp_path)


@contextlib.asynccontextmanager
async def running(tmp_path: Path, code: str) -> AsyncIterator[Child]:
    made = child(tmp_path, code)
    await made.start()
    try:
        yield made
    finally:
        await made.stop(0)


async def said(made: Child) -> str:
    """The first line of the child's log."""
    async with asyncio.timeout(20):
        while not (text := made.log_path.read_text()).endswith("\n"):
            await asyncio.sleep(0.02)
    return text.splitlines()[0]


def gone(pid: int, patience: float = 20) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


async def test_a_child_that_ends_when_asked_is_told_from_one_that_is_killed(tmp_path: Path) -> None:
    async with running(tmp_path, SLEEP) as obedient:
        assert await obedient.stop(20)
    async with running(tmp_path, STUBBORN) as stubborn:
        await said(stubborn)
        assert not await stubborn.stop(0.1)
        assert not stubborn.is_running


async def test_impatience_ends_the_waiting(tmp_path: Path) -> None:
    hurry = asyncio.Event()
    async with running(tmp_path, STUBBORN) as stubborn:
        await said(stubborn)
        ending = asyncio.create_task(end_child(stubborn, 600, hurry=hurry))
        await asyncio.sleep(0.1)
        assert stubborn.is_running
        hurry.set()
        assert not await asyncio.wait_for(ending, 20)
        assert not stubborn.is_running


async def test_whatever_a_child_started_ends_with_it(tmp_path: Path) -> None:
    async with running(tmp_path, WITH_GRANDCHILD) as made:
        grandchild = int(await said(made))
        await made.stop(20)
    assert gone(grandchild)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a watcher looks once a second")
def test_a_child_is_signalled_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = f"""
import os, subprocess, sys, time
print(subprocess.Popen([sys.executable, {str(TETHER)!r}, str(os.getpid()), "15", sys.executable, "-c", {SLEEP!r}]).pid,
      flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        time.sleep(0.3)
        assert psutil.pid_exists(pid)
        process.kill()
    assert gone(pid)


async def test_a_killed_child_is_started_again_and_it_is_said(tmp_path: Path) -> None:
    lines: list[str] = []
    async with running(tmp_path, SLEEP) as made:
        watcher = asyncio.create_task(keep_alive(made, say=lines.append, first_delay=0.01))
        first = made.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(20):
            while made.pid in (None, first):
                await asyncio.sleep(0.02)
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
    assert lines == ["the ingestor ended with SIGKILL; it is started again in 0.01 s"]


async def test_a_child_that_never_comes_up_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    lines: list[str] = []
    async with running(tmp_path, "import sys; sys.exit('SYMBOLS is wrong')") as made:
        with pytest.raises(ChildError) as caught:
            await keep_alive(made, say=lines.append, first_delay=0.01)
    assert "the ingestor ended 5 times at once, with exit code 1" in str(caught.value)
    assert "  SYMBOLS is wrong" in str(caught.value)
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("code", "text"), [(0, "exit code 0"), (3, "exit code 3"), (-15, "SIGTERM"), (-99, "signal 99")]
)
def test_exits_are_described(code: int, text: str) -> None:
    assert describe_exit(code) == text
