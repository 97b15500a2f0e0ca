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


def test_numerics_load_nothing_heavy_but_where_they_say_so() -> None:
    """The scan and all that alerts and statistics need are numpy; only what asks statsmodels loads it."""
    folder = ROOT / "functions/quant/analytics"
    heavy = {"econometrics", "pair"}
    light = [f"quant.analytics.{path.stem}" for path in folder.glob("*.py") if path.stem not in heavy | {"__init__"}]
    program = "import importlib, json, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    program += "; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", program, *light],
        env={"PYTHONPATH": f"{ROOT / 'functions'}:{ROOT}", "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "quant.analytics.scan" in light
    assert set(json.loads(done.stdout)) & set(HEAVY) == set()


@pytest.mark.parametrize(
    "packages",
    [
        ("api",),
        ("resample",),
        ("check_alerts",),
        ("ingestor",),
        ("quant.domain", "quant.storage", "quant.notify", "quant.alerting"),
    ],
    ids=lambda packages: packages[0],
)
def test_light_parts_load_nothing_heavy(packages: tuple[str, ...]) -> None:
    assert _loaded(*packages) & set(HEAVY) == set()


def test_the_check_would_notice() -> None:
    assert "pandas" in _loaded("pandas.api")
