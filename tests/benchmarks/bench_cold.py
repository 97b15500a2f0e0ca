"""Cold starts: a fresh interpreter of the runtime's version loads a built package and makes its clients.

The packages are built for this machine's processor, sizes are those of the packages for Lambda. The peer is the same
package without bytecode, in a folder that nothing can be written to: a package as `pip install --target` leaves it.
"""

from __future__ import annotations

import platform
import subprocess
import sys
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
    with tempfile.TemporaryDirectory() as folder:
        return [row for function in RECIPES for row in _rows(function, Path(folder))]


def _rows(function: str, folder: Path) -> list[Row]:
    name = RECIPES[function].folder
    if not runtime_python():
        return [Row(f"cold.{name}_s", None, "s", f"this machine has no Python {PYTHON}, the runtime's")]
    try:
        here = build(function, folder / function / "here", Target(platform.machine()), UV)
        plain = build(function, folder / function / "plain", Target(platform.machine()), UV, compiled=False)
        real = build(function, folder / function / "lambda", uv=UV)
    except PackError as exc:
        return [Row(f"cold.{name}_s", None, "s", str(exc))]
    # In turns, so that both meet the same noise; the least is what the work itself takes.
    rounds = [(_once(here), _once(plain)) for _ in range(REPEATS)]
    compiled, uncompiled = (min(times) for times in zip(*rounds, strict=True))
    return [
        Row(f"cold.{name}_s", compiled, "s", f"without bytecode {uncompiled:.2f} s", uncompiled / compiled,
            f"<= {GOALS[function]}"),
        Row(f"size.{name}_mb", real.size / MIB, "MiB", "budget", real.budget / real.size,
            f"<= {real.budget // MIB}"),
    ]  # fmt: skip


def _once(built: Built) -> float:
    program = f"import sys; sys.path[:0] = {[str(built.folder), *_sdk()]!r}; {PROGRAMS[built.function]}"
    """Seconds of the whole process, from its start to its end; nothing is written beside the modules."""
    began = time.perf_counter()
    subprocess.run(
        [runtime_python(), "-I", "-S", "-B", "-c", program],
        env={"PATH": "/usr/bin:/bin", "AWS_DEFAULT_REGION": "us-east-1"},
        check=True,
    )
    return time.perf_counter() - began


def _sdk() -> list[str]:
    """The folder that has boto3: looked through after the package, which has all else."""
    return [path for path in sys.path if (Path(path) / "boto3").is_dir()][:1]
