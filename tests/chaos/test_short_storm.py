"""A short storm with every kind of fault and kills in between; ``make chaos`` is the long one."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from quant.settings import child_environment
from tests.chaos.schedule import KILL, KINDS, schedule
from tests.chaos.world import SYMBOLS

ROOT = Path(__file__).parents[2]
FAULTS = len(KINDS) + 2


def test_a_schedule_is_a_function_of_its_seed_and_holds_every_kind() -> None:
    plan = schedule(1000, 7, SYMBOLS)
    assert [one.at for one in plan] == [one.at for one in schedule(1000, 7, SYMBOLS)]
    assert {one.name for one in schedule(FAULTS, 11, SYMBOLS)} == {*KINDS, KILL}
    assert sum(one.name == KILL for one in plan) >= 30
    assert len(plan) == 1000


@pytest.mark.timeout(150)
async def test_after_all_kinds_of_faults_and_kills_every_trade_is_stored_once(tmp_path: Path) -> None:
    result = tmp_path / "figures.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos", "--faults", str(FAULTS), "--seed", "11", "--folder", str(tmp_path / "run"),
        "--json", str(result),
        cwd=ROOT, env=child_environment(PYTHONPATH=f"{ROOT / 'functions'}:{ROOT}"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    figures = json.loads(result.read_text())
    assert figures["kinds"] == len(KINDS) + 1
    assert figures["kills"] == 2
    assert (figures["missing"], figures["duplicates"], figures["altered"]) == (0, 0, 0)
    assert figures["stored"] == figures["published"] > 1000
