"""The light parts load nothing heavy: each is imported in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("pandas", "scipy", "statsmodels", "matplotlib", "plotly", "pyarrow")
PROGRAM = """
import importlib, json, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        importlib.import_module(module.name)
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def _loaded(*packages: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *packages],
        env={"PYTHONPATH": f"{ROOT / 'functions'}:{ROOT}", "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "packages",
    [("api",), ("resample",), ("ingestor",), ("quant.domain", "quant.storage", "quant.notify", "quant.alerting")],
    ids=lambda packages: packages[0],
)
def test_light_parts_load_nothing_heavy(packages: tuple[str, ...]) -> None:
    assert _loaded(*packages) & set(HEAVY) == set()


def test_the_check_would_notice() -> None:
    assert "pandas" in _loaded("pandas.api")
