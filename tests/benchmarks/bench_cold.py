"""Cold starts: a fresh interpreter of the runtime's version loads a built package and makes its clients.

The packages are built for this machine's processor, sizes are those of the packages for Lambda. The peer is the same
package without bytecode, in a folder that nothing can be written to: a package as `pip install --target` leaves it.
Beside both is the SDK with its bytecode, as the runtime has it.
"""

from __future__ import annotations

import platform
import subprocess
import tempfile
import time
from pathlib import Path

from pack.build import Built, build
from pack.compiling import runtime_python
from pack.errors import PackError
from pack.install import Target
from pack.recipes import MIB, PYTHON, RECIPES
from tests.benchmarks.measure import ROOT
from tests.benchmarks.row import Row
from tests.runtime_sdk import copy_sdk

UV = str(ROOT / ".venv/uv") if (ROOT / ".venv/uv").exists() else ""
REPEATS = 8
# What a function loads before it can answer: its handler, and what its first request to a table needs.
PROGRAMS = {
    "ApiFunction": "import api.app, pynamodb.models",
    "ResampleFunction": "import resample.handler, pynamodb.models",
    "CheckAlertsFunction": "import check_alerts.handler, pynamodb.models",
    "AnalyseFunction": "import analyse.handler, pynamodb.models",
}
GOALS = {"ApiFunction": 0.6, "ResampleFunction": 0.5, "CheckAlertsFunction": 0.7, "AnalyseFunction": 1.6}


def run() -> list[Row]:
    if not runtime_python():
        reason = f"this machine has no Python {PYTHON}, the runtime's"
        return [Row(f"cold.{recipe.folder}_s", None, "s", reason) for recipe in RECIPES.values()]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "sdk").mkdir()
        sdk = copy_sdk(folder / "sdk")
        return [row for function in RECIPES for row in _rows(function, folder, sdk)]


def _rows(function: str, folder: Path, sdk: Path) -> list[Row]:
    name = RECIPES[function].folder
    try:
        here = build(function, folder / function / "here", Target(platform.machine()), UV)
        plain = build(function, folder / function / "plain", Target(platform.machine()), UV, compiled=False)
        real = build(function, folder / function / "lambda", uv=UV)
    except PackError as exc:
        return [Row(f"cold.{name}_s", None, "s", str(exc))]
    # In turns, so that both meet the same noise; the least is what the work itself takes.
    rounds = [(_once(here, sdk), _once(plain, sdk)) for _ in range(REPEATS)]
    compiled, uncompiled = (min(times) for times in zip(*rounds, strict=True))
    return [
        Row(f"cold.{name}_s", compiled, "s", f"without bytecode {uncompiled:.2f} s", uncompiled / compiled,
            f"<= {GOALS[function]}"),
        Row(f"size.{name}_mb", real.size / MIB, "MiB", "budget", real.budget / real.size,
            f"<= {real.budget // MIB}"),
    ]  # fmt: skip


def _once(built: Built, sdk: Path) -> float:
    """Seconds of the whole process, from its start to its end; nothing is written beside the modules."""
    program = f"import sys; sys.path[:0] = {[str(built.folder), str(sdk)]!r}; {PROGRAMS[built.function]}"
    began = time.perf_counter()
    subprocess.run(
        [runtime_python(), "-I", "-S", "-B", "-c", program],
        env={"PATH": "/usr/bin:/bin", "AWS_DEFAULT_REGION": "us-east-1"},
        check=True,
    )
    return time.perf_counter() - began
