"""Thin Lambda packages: only this project's code. The emulator's interpreter has the dependencies already."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from infra.local.errors import DeploymentError

SHARED = "quant"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Package:
    """A zip archive, named by its content."""

    name: str
    data: bytes

    @property
    def key(self) -> str:
        return f"{self.name}-{hashlib.sha256(self.data).hexdigest()[:16]}.zip"


def thin_package(code: Path, handler: str) -> Package:
    """Pack the shared package and the folder of ``handler``; the same files give the same bytes.

    Raises:
        DeploymentError: the handler's file is not there.
    """
    name, *inner = handler.split(".")[:-1]
    if not code.joinpath(name, *inner).with_suffix(".py").is_file():
        raise DeploymentError(f"there is no file for the handler {handler} in {code.name}/")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (*_files(code / SHARED), *_files(code / name)):
            entry = zipfile.ZipInfo(path.relative_to(code).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return Package(name, buffer.getvalue())


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path.relative_to(folder)))


def _is_hidden(path: Path) -> bool:
    return path.suffix == ".pyc" or any(part.startswith(".") or part == "__pycache__" for part in path.parts)
