"""One run per folder; what a killed run leaves behind does not count."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.local.errors import AlreadyRunningError
from infra.local.running import Run, claimed, end


def test_a_claimed_folder_shows_its_run(tmp_path: Path) -> None:
    with claimed(tmp_path):
        Run(os.getpid(), "http://127.0.0.1:1", "http://127.0.0.1:2", "simulator", ("BTCUSDT",), 3.0).write(tmp_path)
        found = Run.read(tmp_path)
    assert found == Run(os.getpid(), "http://127.0.0.1:1", "http://127.0.0.1:2", "simulator", ("BTCUSDT",), 3.0)


def test_a_second_claim_is_refused_with_the_address_of_the_first(tmp_path: Path) -> None:
    with claimed(tmp_path):
        Run(os.getpid(), url="http://127.0.0.1:8000").write(tmp_path)
        with (
            pytest.raises(AlreadyRunningError, match=r"already running on http://127\.0\.0\.1:8000"),
            claimed(tmp_path),
        ):
            pass


def test_a_run_that_ended_is_not_shown(tmp_path: Path) -> None:
    with claimed(tmp_path):
        pass
    assert Run.read(tmp_path) is None


def test_a_file_without_a_living_process_is_stale(tmp_path: Path) -> None:
    Run(os.getpid(), url="http://127.0.0.1:8000").write(tmp_path)
    (tmp_path / "run.lock").touch()
    assert Run.read(tmp_path) is None
    with claimed(tmp_path):
        pass


def test_a_damaged_file_of_a_living_run_is_survived(tmp_path: Path) -> None:
    with claimed(tmp_path):
        (tmp_path / "run.json").write_text("{")
        assert Run.read(tmp_path) == Run(pid=0)


def test_ending_waits_no_longer_than_it_was_told(tmp_path: Path) -> None:
    with claimed(tmp_path):
        assert not end(Run(pid=0), tmp_path, patience=0.2)
    assert end(Run(pid=0), tmp_path, patience=0.2)
