"""One package: installed, pruned, the project's own code beside it, compiled, made equal byte by byte, weighed."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pack.compiling import compile_all, runtime_python
from pack.elf import strip_all
from pack.errors import PackError
from pack.install import Target, install
from pack.prune import prune
from pack.recipes import LIMIT, MIB, RECIPES, SHARED

HERE = Path(__file__).parent
# The earliest time that a zip archive can say.
_EPOCH = 315_532_800


@dataclass(frozen=True, slots=True)
class Built:
    """What was made. ``size`` is in bytes, unpacked; ``digest`` is of all paths and contents."""

    function: str
    folder: Path
    size: int
    budget: int
    digest: str
    compiled: bool


def build(function: str, into: Path, target: Target | None = None, uv: str = "", *, compiled: bool = True) -> Built:
    """Make the package of a function, named as in template.yaml, in the empty or missing folder ``into``.

    Raises:
        PackError: there is no such function, a library could not be had, or a package for Lambda is over its budget.
    """
    if function not in RECIPES:
        raise PackError(f"there is no recipe for {function}; there are {', '.join(sorted(RECIPES))}")
    recipe, target = RECIPES[function], target or Target()
    if into.is_dir() and any(into.iterdir()):
        raise PackError(f"{into.name}/ is not empty")
    into.mkdir(parents=True, exist_ok=True)
    install(HERE / recipe.lock, into, target, uv)
    prune(into)
    strip_all(into)
    for name in (SHARED, recipe.folder):
        _copy(HERE.parent / name, into / name)
    python = runtime_python() if compiled else ""
    if python:
        compile_all(into, python)
    make_equal(into)
    built = Built(function, into, weight(into), recipe.budget, digest(into), bool(python))
    if target.is_lambda and built.size > min(recipe.budget, LIMIT):
        raise PackError(f"{function} weighs {built.size / MIB:.1f} MiB, {recipe.budget / MIB:.0f} are allowed")
    return built


def weight(folder: Path) -> int:
    """Bytes of all files, as Lambda counts them."""
    return sum(path.stat().st_size for path in _files(folder))


def digest(folder: Path) -> str:
    """SHA-256 of the paths, modes and contents of all files."""
    total = hashlib.sha256()
    for path in _files(folder):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_mode & 0o777:o} {content}\n".encode())
    return total.hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _copy(source: Path, target: Path) -> None:
    if not source.is_dir():
        raise PackError(f"there is no folder {source.name}/")
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"))


def make_equal(folder: Path) -> None:
    """The same modes and times everywhere, and no empty folder."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
                continue
            path.chmod(0o755)
        else:
            path.chmod(0o755 if path.suffix == ".so" else 0o644)
        os.utime(path, (_EPOCH, _EPOCH))
