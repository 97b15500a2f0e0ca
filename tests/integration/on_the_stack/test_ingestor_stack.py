"""The ingestor's figures and commands on the running stack."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

from quant.settings import child_environment
from tests.integration.client import await_answer, get
from tests.integration.conftest import ROOT, RunningStack


def test_health_shows_gaps_holes_quarantine_journal_and_queue(stack: RunningStack) -> None:
    health = await_answer(stack.url, "/api/health", lambda answer: answer["market"] is not None)
    assert health["gaps"] == []
    assert {"holes_open", "journal_bytes", "queue_depth", "quarantined_by_reason", "halts"} <= health["ingestor"].keys()
    assert all(row["holes_open"] == 0 for row in health["symbols"])


def test_a_backfill_of_the_active_run_brings_the_trades_before_its_start(stack: RunningStack) -> None:
    first = min(tick["id"] for tick in get(stack.url, "/api/ticks/BTCUSDT", order="asc", start=0, limit=1)["ticks"])
    begin = get(stack.url, "/api/ticks/BTCUSDT", order="asc", start=0, limit=1)["ticks"][0]["time"]
    start, end = (datetime.fromtimestamp((begin + offset) / 1000, UTC).isoformat() for offset in (-120_000, 10_000))
    command = ["-m", "infra.local", "tool", "ingestor.commands.backfill", "--from", start, "--to", end]
    command += ["--symbols", "BTCUSDT"]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=child_environment(STATE_DIR=str(stack.state_dir)),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "ETHUSDT" not in done.stderr
    ticks = get(stack.url, "/api/ticks/BTCUSDT", order="asc", start=begin - 120_000, limit=1000)["ticks"]
    assert ticks[0]["id"] < first
    ids = [tick["id"] for tick in ticks]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
