"""Fetches what the site needs and neither the repository nor a Python package holds: the small bundle of plotly.js.

``python -m frontend_static.vendor`` asks npm for the package, keeps the one file that is used beside the Python
environment, and holds it to its hash. It is run while setting up. A machine without npm, or from which the packages of
npm cannot be had, gets the whole of plotly.js out of the Python package ``plotly``: the same charts in a megabyte more.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(sys.prefix) / "vendor"
PATIENCE = 60

Pack = Callable[[str, Path], Path]


@dataclass(frozen=True, slots=True)
class Bundle:
    """One file of an npm package of one version, held to its SHA-256."""

    package: str
    version: str
    member: str
    sha256: str

    @property
    def file(self) -> str:
        return f"{self.package}-{self.version}.js"


# Candles, bars and lines, which is all that the pages draw; the version is that of the Python package's own bundle.
FINANCE = Bundle(
    package="plotly.js-finance-dist-min",
    version="4.1.0",
    member="package/plotly-finance.min.js",
    sha256="9993f6d57ffd52d7417a9e89b666679ff69078e7c2816b43ab9ecdea9fa4709d",
)


class VendorError(Exception):
    """The package cannot be had; the text says why."""


def plotly(folder: Path = FOLDER) -> bytes:
    """plotly.js: the small bundle where it has been fetched, else the whole out of the Python package."""
    return (
        kept(FINANCE, folder)
        or importlib.resources.files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()
    )


def kept(bundle: Bundle, folder: Path = FOLDER) -> bytes | None:
    """The bundle that was fetched before; None when it was not, or is not what its hash says."""
    try:
        content = (folder / bundle.file).read_bytes()
    except FileNotFoundError:
        return None
    return content if hashlib.sha256(content).hexdigest() == bundle.sha256 else None


def fetch(bundle: Bundle, folder: Path, pack: Pack) -> None:
    """Puts the bundle into ``folder``, unless it is there.

    Args:
        pack: Brings ``name@version`` as a tarball into a folder and returns its path.

    Raises:
        VendorError: The package cannot be had, or holds something else.
    """
    if kept(bundle, folder) is not None:
        return
    with tempfile.TemporaryDirectory() as scratch:
        content = _member(pack(f"{bundle.package}@{bundle.version}", Path(scratch)), bundle.member)
    found = hashlib.sha256(content).hexdigest()
    if found != bundle.sha256:
        raise VendorError(f"{bundle.package} {bundle.version} has the hash {found}, not {bundle.sha256}")
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{bundle.file}.part"
    part.write_bytes(content)
    part.replace(folder / bundle.file)


def npm_pack(name: str, folder: Path) -> Path:
    """Brings a package by npm, from wherever this machine's npm is set up to ask."""
    npm = shutil.which("npm")
    if npm is None:
        raise VendorError("npm is not installed")
    command = [
        npm,
        "pack",
        name,
        "--silent",
        "--ignore-scripts",
        "--fetch-retries=1",
        "--pack-destination",
        str(folder),
    ]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError) as exc:
        raise VendorError(f"npm could not bring {name}: {type(exc).__name__}") from exc
    tarballs = list(folder.glob("*.tgz"))
    if len(tarballs) != 1:
        raise VendorError(f"npm brought {len(tarballs)} files for {name}, not one")
    return tarballs[0]


def _member(tarball: Path, name: str) -> bytes:
    try:
        with tarfile.open(tarball) as archive:
            member = archive.extractfile(name)
            if member is None:
                raise VendorError(f"{name} of {tarball.name} is not a file")
            return member.read()
    except (KeyError, OSError, tarfile.TarError) as exc:
        raise VendorError(f"{tarball.name} does not hold {name}") from exc


def main(folder: Path = FOLDER, pack: Pack = npm_pack) -> int:
    try:
        fetch(FINANCE, folder, pack)
    except VendorError as exc:
        print(f"{exc}: the pages load all of plotly.js instead, a megabyte more on a first visit")
    return 0


if __name__ == "__main__":
    sys.exit(main())
