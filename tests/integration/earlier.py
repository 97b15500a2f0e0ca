"""An earlier commit of this repository in a folder of its own, and what only it may do: be deployed, and ingest."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from quant.settings import child_environment


@dataclass(frozen=True, slots=True)
class Earlier:
    """The tree of a commit."""

    commit: str
    root: Path

    def deploy(self, prefix: str, symbols: str, environment: dict[str, str]) -> None:
        """Its own `make deploy`, in a process that knows nothing of today's code."""
        command = [sys.executable, "-m", "infra.deploy", "up", "--prefix", prefix, "--symbols", symbols, "--yes"]
        paths = {"PYTHONPATH": f"{self.root / 'functions'}:{self.root}"}
        done = subprocess.run(
            command, cwd=self.root, env=child_environment(**environment, **paths), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def check_out(revision: str, repository: Path, folder: Path) -> Earlier | str:
    """The tree of ``revision`` in ``folder``, or why there is none."""
    asked = ["git", "-C", str(repository), "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    try:
        found = subprocess.run(asked, capture_output=True, text=True)
    except FileNotFoundError:
        return "there is no git here to take an earlier commit with"
    if found.returncode:
        return f"this checkout has no history: git knows no {revision}"
    commit = found.stdout.strip()
    packed = subprocess.run(["git", "-C", str(repository), "archive", commit], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return Earlier(commit, folder)
