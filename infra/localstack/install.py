"""``python -m infra.localstack.install [VERSION]``: LocalStack into .venv-localstack, from the lock for a Python here.

The newest needs a Python 3.13. Where there is none, or VERSION says another one, it is the newest that works on that.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from infra.local.errors import LocalStackError
from infra.localstack.server import PYTHON, ROOT
from pack.compiling import interpreter

LOCKS = {"3.13": "requirements.lock", "3.12": "requirements-older.lock", "3.11": "requirements-older.lock"}
UV = ROOT / ".venv" / "uv"


class NotInstallableError(LocalStackError):
    """LocalStack cannot be installed on this machine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"LocalStack cannot be installed: {self.reason}"


def choose(wanted: str, find: Callable[[str], str] = interpreter) -> tuple[str, Path]:
    """The interpreter and the lock file; ``wanted`` is a version, or empty for the newest there is.

    Raises:
        NotInstallableError: there is no such Python here.
    """
    for version in [wanted] if wanted else LOCKS:
        if version in LOCKS and (python := find(version)):
            return python, Path(__file__).with_name(LOCKS[version])
    raise NotInstallableError(f"it needs a Python {wanted or ' or '.join(LOCKS)}, and there is none here")


def install(wanted: str = "") -> None:
    """Make .venv-localstack anew.

    Raises:
        NotInstallableError: there is no Python for it, or its packages cannot be had.
    """
    python, lock = choose(wanted)
    print(f"installing LocalStack into .venv-localstack by {lock.name}…", flush=True)
    _run([python, "-m", "venv", "--clear", str(PYTHON.parents[1])])
    exact = ["--require-hashes", "--quiet"]
    if UV.exists():
        _run([str(UV), "pip", "sync", "--python", str(PYTHON), *exact, str(lock)])
    else:
        _run([str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *exact, "-r", str(lock)])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise NotInstallableError((done.stderr or done.stdout).strip()[-1500:])


if __name__ == "__main__":
    try:
        install("".join(sys.argv[1:2]))
    except NotInstallableError as exc:
        sys.exit(f"error: {exc}")
