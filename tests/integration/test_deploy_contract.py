"""The contract of the repositories, held on ministack."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.emulator import Emulator
from infra.local.ports import choose
from quant.settings import Settings, child_environment

ROOT = Path(__file__).parents[2]


def run_contract(url: str) -> str:
    """Run the suite against an endpoint alone; returns pytest's last line, or fails with all that it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract", "-k", "endpoint"],
        cwd=ROOT,
        env=child_environment(CONTRACT_ENDPOINT=url, PYTHONPATH="functions:."),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.timeout(300)
def test_ministack_keeps_the_contract(tmp_path: Path) -> None:
    emulator = Emulator.of(Settings.load({}), tmp_path, choose(0, "EMULATOR_PORT"))
    with asyncio.Runner() as runner:
        runner.run(emulator.start())
        try:
            last = run_contract(emulator.url)
        finally:
            runner.run(emulator.child.stop(10))
    found = re.search(r"(\d+) passed", last)
    assert found, last
    assert int(found[1]) > 20
    print(last)
