"""The threat model names a test for each threat, and each of them is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "threat-model.md"


def _rows() -> list[str]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [line for line in lines if not line.startswith("| threat ")]


def test_every_threat_has_a_test_or_says_why_not() -> None:
    assert len(_rows()) > 15
    for row in _rows():
        assert "::test_" in row or "by hand" in row, row


def test_every_test_that_it_names_is_there() -> None:
    for path, name in re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE.read_text()):
        tree = ast.parse((ROOT / path).read_text())
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in names, f"{path} has no {name}"
