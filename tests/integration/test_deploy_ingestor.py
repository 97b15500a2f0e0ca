"""The ingestor's image, played without Docker, and its upgrade under load."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from infra.local.errors import DeploymentError
from infra.replay_dockerfile import replay
from ingestor.alive import SILENT_AFTER, SignOfLife, is_alive
from quant.domain.ports import Heartbeat
from quant.settings import child_environment

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(300)
async def test_a_new_ingestor_overlaps_the_old_one_and_no_trade_is_lost(tmp_path: Path) -> None:
    result = tmp_path / "figures.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos", "upgrade", "--seed", "5", "--folder", str(tmp_path / "run"),
        "--json", str(result),
        cwd=ROOT, env=child_environment(PYTHONPATH=f"{ROOT / 'functions'}:{ROOT}"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    figures = json.loads(result.read_text())
    assert (figures["missing"], figures["duplicates"], figures["altered"]) == (0, 0, 0)
    assert figures["copies"] > 0, "both wrote for a while"
    assert figures["drained_s"] < 20
    assert (figures["health_before"], figures["health_while"]) == (1, 0)
    assert not figures["image_changed"], "nothing is written but to the journal"


def test_an_instruction_that_cannot_be_played_is_named(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nONBUILD RUN true\n")
    with pytest.raises(DeploymentError, match="ONBUILD"):
        replay(tmp_path / "Dockerfile", tmp_path, tmp_path / "image")


def test_a_process_is_alive_while_its_heartbeats_come(tmp_path: Path) -> None:
    told: list[Heartbeat] = []
    beat = Heartbeat("1/1", "one", 1, "simulated", (), {})
    file = tmp_path / "alive"
    assert not is_alive(file, 0)
    SignOfLife(file, told.append)(beat)
    os.utime(file, (1_000, 1_000))
    assert is_alive(file, 1_000 + SILENT_AFTER - 1)
    assert not is_alive(file, 1_000 + SILENT_AFTER)
    assert told == [beat]


def test_a_disk_that_takes_nothing_stops_no_heartbeat(tmp_path: Path) -> None:
    told: list[Heartbeat] = []
    beat = Heartbeat("1/1", "one", 1, "simulated", (), {})
    SignOfLife(tmp_path / "absent" / "alive", told.append)(beat)
    assert told == [beat]
