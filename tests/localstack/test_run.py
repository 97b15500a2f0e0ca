"""`make run EMULATOR=localstack`, as a user starts it: from the first bar over an alert to the end of every process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from infra.local import commands
from infra.local.running import Run
from quant.settings import child_environment
from tests.integration.client import await_answer, get
from tests.integration.conftest import RunningStack, started_stack

CHANNELS = ("email", "sns", "telegram", "webhook")
ALERT_PATIENCE = 150.0


@pytest.mark.timeout(600)
def test_a_run_on_localstack_gets_ready_alerts_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "simulator").mkdir()  # of ministack
    with started_stack(tmp_path, patience=300, EMULATOR="localstack", SYMBOLS="BTCUSDT,ETHUSDT") as stack:
        assert "localstack keeps no state: this run starts empty" in stack.lines
        await_answer(stack.url, "/api/symbols", lambda answer: len(answer["symbols"]) == 2)
        _all_channels_tell(stack)
        assert [path.name for path in (tmp_path / "simulator").iterdir()] == []
        parts = [psutil.Process(stack.process.pid), *psutil.Process(stack.process.pid).children(recursive=True)]
        assert {"ingestor", "infra.localstack"} <= {word for part in parts for word in part.cmdline()}
        for name, value in child_environment(STATE_DIR=str(tmp_path)).items():
            monkeypatch.setenv(name, value)
        assert commands.stop() == 0
        assert "stopped; its emulator keeps no state" in capsys.readouterr().out
        _, alive = psutil.wait_procs(parts, timeout=10)
        assert alive == []
        assert stack.process.wait(10) == 0
    assert Run.read(tmp_path) is None


def _all_channels_tell(stack: RunningStack) -> None:
    """A rule that fires with the next bar: the schedule calls the check, and each channel has it in the inbox."""
    targets = {
        "email": "me@example.org",
        "sns": "arn:aws:sns:us-east-1:000000000000:quant-alerts",
        "telegram": "1001",
        "webhook": f"{stack.url}/inbox/webhook/one",
    }
    body = {
        "name": "one", "metric": "price", "symbol": "BTCUSDT", "operator": ">", "threshold": 1,
        "channels": [{"type": kind, "target": target} for kind, target in targets.items()],
    }  # fmt: skip
    token = (stack.state_dir / "api-token").read_text().strip()
    allowed = {"Authorization": f"Bearer {token}"}
    reply = requests.post(f"{stack.url}/api/alerts/rules", json=body, headers=allowed, timeout=30)
    assert reply.status_code == 201, reply.text
    deadline = time.monotonic() + ALERT_PATIENCE
    found = _messages(stack)
    while {one["channel"] for one in found} != set(CHANNELS):
        assert time.monotonic() < deadline, found
        time.sleep(0.5)
        found = _messages(stack)
    assert {one["subject"] for one in found} == {"SIMULATED FIRED: one"}
    [mail] = [one for one in found if one["channel"] == "email"]
    assert mail["to"] == "me@example.org"
    assert mail["event_id"]
    assert "<table" in mail["html"]


def _messages(stack: RunningStack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(stack.url, "/inbox.json")["messages"]
    return found
