"""Run a measurement in a process of its own with one BLAS thread: that is what a Lambda function has, and statsmodels
loses ten times to threads that contend."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from quant.settings import child_environment
from tests.benchmarks.row import Row

ROOT = Path(__file__).parents[2]
_PROGRAM = """
import json, sys, warnings
from dataclasses import asdict
from importlib import import_module
warnings.simplefilter("ignore")
rows = getattr(import_module(sys.argv[1]), sys.argv[2])()
print(json.dumps([asdict(row) for row in rows]))
"""


def rows_of(module: str, function: str) -> list[Row]:
    """What ``function`` of ``module`` returns when it is called in a fresh process."""
    environment = child_environment(
        OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", PYTHONPATH=f"{ROOT / 'functions'}:{ROOT}"
    )
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, module, function],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment,
    )
    return [Row(**row) for row in json.loads(done.stdout.splitlines()[-1])]
