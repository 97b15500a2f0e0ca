"""The functions' packages as zip archives: the real ones for AWS, thin ones for an emulator, which brings libraries."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

from infra.local.errors import DeploymentError
from infra.local.packages import Package
from pack.build import build
from pack.errors import PackError
from pack.recipes import RECIPES

_EPOCH = (1980, 1, 1, 0, 0, 0)


def built_package(code: Path, handler: str, uv: str = "") -> Package:
    """The package of the function with this handler, for the Lambda runtime; the same files give the same bytes.

    Raises:
        DeploymentError: it could not be built.
    """
    folder = handler.split(".")[0]
    [function] = [name for name, recipe in RECIPES.items() if recipe.folder == folder]
    with tempfile.TemporaryDirectory() as place:
        try:
            built = build(function, Path(place) / function, uv=uv)
        except PackError as exc:
            raise DeploymentError(str(exc)) from exc
        return Package(folder, zipped(built.folder))


def zipped(folder: Path) -> bytes:
    """A zip archive of all files, in the order of their names, all of one time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (path.stat().st_mode & 0o777) << 16
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()
