"""What a library brings that no function ever reads: tests, stubs, headers, tools, documentation."""

from __future__ import annotations

import shutil
from pathlib import Path

# Folders that go wherever they are. numpy.testing and numpy.f2py stay: scipy asks for all of numpy when it is imported.
FOLDERS = frozenset({"tests", "test", "__pycache__", "include", "_pyinstaller"})
SUFFIXES = frozenset({".pyi", ".pxd", ".pyx", ".h", ".c", ".f90", ".a", ".lib", ".rst", ".md", ".typed", ".pyc"})
# Paths below the root, each with the reason why it is never read.
PATHS = {
    "aws_lambda_powertools/event_handler": "chalice does that",
    "aws_lambda_powertools/utilities/[!j_]*": "no utility is used; the Logger needs jmespath_utils",
    "aws_lambda_powertools/metrics/provider/datadog": "metrics go to CloudWatch",
    "bin": "commands",
    "chalice/*/": "the deployment tool; a function needs chalice/__init__.py and chalice/app.py",
    "chalice/*.json": "the deployment tool's",
    "zstandard/_cffi*.so": "the second backend, for PyPy",
    "zstandard/backend_cffi.py": "the second backend, for PyPy",
    "statsmodels/datasets/*/*.csv": "sample data",
    "scipy/datasets": "sample data",
}
_CHALICE = frozenset({"__init__.py", "app.py"})


def prune(root: Path) -> None:
    """Delete it all below ``root``."""
    for pattern in PATHS:
        for path in sorted(root.glob(pattern)):
            _delete(path)
    for path in sorted(root.glob("chalice/*.py")):
        if path.name not in _CHALICE:
            path.unlink()
    for path in sorted(root.rglob("*"), reverse=True):
        if _is_ballast(path, root):
            _delete(path)


def _is_ballast(path: Path, root: Path) -> bool:
    if path.is_dir():
        return path.name in FOLDERS or path.suffix == ".dist-info"
    return path.suffix in SUFFIXES or (path.name.startswith(".") and path.parent == root)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
