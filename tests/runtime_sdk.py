"""What the Lambda runtime has beside a package: the SDK, with bytecode for the runtime's Python as it has it."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from pack.compiling import compile_all, runtime_python
from pack.recipes import RUNTIME_BRINGS

_MODULES = {"python-dateutil": "dateutil"}


def copy_sdk(folder: Path) -> Path:
    """Copy the SDK of this environment into ``folder`` and compile it; this machine has the runtime's Python."""
    for name in (*RUNTIME_BRINGS, "urllib3"):
        found = importlib.util.find_spec(_MODULES.get(name, name))
        assert found is not None
        assert found.origin is not None
        origin = Path(found.origin)
        if origin.name == "__init__.py":
            shutil.copytree(origin.parent, folder / origin.parent.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, folder)
    compile_all(folder, runtime_python())
    return folder
