"""Bytecode made beforehand. Lambda cannot write any, and would compile every module at each cold start."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from pack.errors import PackError
from pack.recipes import PYTHON

# Run by the runtime's own Python: each version has its own bytecode. "Unchecked" bytecode names no time, so that the
# same source gives the same bytes, and the source is not read at all.
_PROGRAM = """
import pathlib, py_compile, sys
root = pathlib.Path(sys.argv[1])
for path in sorted(root.rglob("*.py")):
    try:
        py_compile.compile(
            str(path), dfile="/var/task/" + path.relative_to(root).as_posix(), doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except (py_compile.PyCompileError, SyntaxError, ValueError) as exc:
        print(path.relative_to(root).as_posix(), str(exc).splitlines()[0], sep=": ")
"""


def runtime_python() -> str:
    """An interpreter of the runtime's version on this machine; empty where there is none."""
    return interpreter(PYTHON)


def interpreter(version: str) -> str:
    """An interpreter of this version, such as 3.13, on this machine; empty where there is none."""
    if sys.version.startswith(f"{version}."):
        return sys.executable
    name = f"python{version}"
    managed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}"))
    for candidate in (shutil.which(name), *map(str, reversed(managed))):
        if candidate and _answers(candidate, version):
            return candidate
    return ""


def _answers(python: str, version: str) -> bool:
    """Whether it is an interpreter: a version manager's place holder says no."""
    done = subprocess.run([python, "-c", "import sys; print(sys.version)"], capture_output=True, text=True)
    return done.returncode == 0 and done.stdout.startswith(f"{version}.")


def compile_all(root: Path, python: str) -> list[str]:
    """Compile every module below ``root``; returns those that cannot be, which are no modules but templates.

    Raises:
        PackError: the interpreter failed.
    """
    done = subprocess.run(
        [python, "-S", "-c", _PROGRAM, str(root)],
        capture_output=True,
        text=True,
        # Sets of constants are stored in the order of their hashes.
        env={"PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin"},
    )
    if done.returncode:
        raise PackError(f"{python} cannot compile: {done.stderr.strip()}")
    return done.stdout.splitlines()
