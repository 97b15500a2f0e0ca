"""Published results on real data, and the scan of real symbols against statsmodels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quant.settings import child_environment

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not os.environ.get("REAL_DATA_DIR"), reason="REAL_DATA_DIR does not name the recorded data"),
]


def test_every_statistic_on_chans_data_is_the_published_one() -> None:
    from tests.real_data.chan import lines

    table = lines(Path(os.environ["REAL_DATA_DIR"]) / "references")
    assert len(table) == 22
    assert [line for line in table if not line.agrees] == []


@pytest.fixture(scope="module")
def comparison() -> Any:
    """Every fifth ordered pair; all of them take half a minute. In a process of its own: statsmodels is ten times
    slower when BLAS threads contend.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.real_data.many_symbols", "5"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=child_environment(
            OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", PYTHONPATH=f"{ROOT / 'functions'}:{ROOT}",
            REAL_DATA_DIR=str(Path(os.environ["REAL_DATA_DIR"]).resolve()),
        ),
    )  # fmt: skip
    return json.loads(done.stdout)


def test_the_scan_of_28_real_symbols_equals_coint(comparison: Any) -> None:
    assert (comparison["symbols"], comparison["ordered_pairs"]) == (28, 756)
    assert comparison["compared"] == comparison["equal_lags"] == 152
    assert comparison["largest_difference_of_statistics"] <= 1e-8
    assert comparison["largest_difference_of_p_values"] <= 1e-8


def test_its_q_values_equal_fdr_bh(comparison: Any) -> None:
    assert comparison["largest_difference_to_fdr_bh"] <= 1e-12
