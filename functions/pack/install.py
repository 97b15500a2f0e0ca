"""Libraries of a lock file, installed for the Lambda runtime whatever this machine's own Python and processor are."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pack.errors import PackError
from pack.recipes import PYTHON

# Amazon Linux 2023 has glibc 2.34; wheels are made for at most 2.28.
_PIP_TAGS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")


@dataclass(frozen=True, slots=True)
class Target:
    """A processor, ``aarch64`` or ``x86_64``, on Linux. template.yaml's is the first."""

    machine: str = "aarch64"

    @property
    def is_lambda(self) -> bool:
        return self == Target()


def install(lock: Path, into: Path, target: Target, uv: str = "") -> None:
    """Install exactly what ``lock`` names, checked by its hashes; nothing is built from source.

    Raises:
        PackError: a package could not be had.
    """
    found = uv or shutil.which("uv")
    command = _uv_command(found, lock, into, target) if found else _pip_command(lock, into, target)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise PackError(f"{lock.name} cannot be installed: {done.stderr.strip() or done.stdout.strip()}")


def _uv_command(uv: str, lock: Path, into: Path, target: Target) -> list[str]:
    platform = ["--python-platform", f"{target.machine}-manylinux_2_28", "--python-version", PYTHON]
    # Copies: what is linked to a cache must not be given another time.
    return [uv, "pip", "install", "--quiet", "--link-mode", "copy", *platform, *_common(lock, into)]


def _pip_command(lock: Path, into: Path, target: Target) -> list[str]:
    tags = [part for tag in _PIP_TAGS for part in ("--platform", f"{tag}_{target.machine}")]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    return [*pip, *tags, "--implementation", "cp", "--python-version", PYTHON, *_common(lock, into)]


def _common(lock: Path, into: Path) -> list[str]:
    return [
        "--only-binary", ":all:", "--no-deps", "--require-hashes", "--requirement", str(lock), "--target", str(into),
    ]  # fmt: skip
