"""Drawing again gives the pictures that are committed: in a process of its own, since it drives a browser."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
NOT_HERE = ("need a Chromium", "cannot be fetched", "no font here")


@pytest.mark.browser
def test_drawing_twice_gives_the_same(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.diagram", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    reason = next((line for line in done.stderr.splitlines() if any(known in line for known in NOT_HERE)), "")
    if done.returncode and reason:
        pytest.skip(reason)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "architecture.drawio").read_bytes() == (ROOT / "architecture.drawio").read_bytes()
    drawn, kept = (_structure(folder / "architecture.svg") for folder in (tmp_path, ROOT))
    assert drawn == kept
    with Image.open(tmp_path / "architecture.png") as new, Image.open(ROOT / "architecture.png") as old:
        assert (new.size, new.mode, new.info["dpi"]) == (old.size, old.mode, old.info["dpi"])


def _structure(svg: Path) -> list[tuple[str, str]]:
    """Every element with its text; not the places, which the machine's fonts may shift by a little."""
    return [(one.tag, (one.text or "").strip()) for one in ET.parse(svg).iter()]
