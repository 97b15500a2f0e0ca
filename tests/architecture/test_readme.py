"""The README says what the code does. `python -m tests.architecture.readme` writes its tables anew."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.readme import README, with_tables

ROOT = Path(__file__).parents[2]


def test_the_tables_of_the_readme_are_those_of_the_code() -> None:
    text = README.read_text()
    assert text == with_tables(text), "run PYTHONPATH=functions:. .venv/bin/python -m tests.architecture.readme"


def test_every_link_of_the_documents_leads_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text()
        for target in re.findall(r"\]\(([^)#]+)\)", text) + re.findall(r'<img src="([^"]+)"', text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_names_both_commands() -> None:
    text = README.read_text()
    assert "make run" in text
    assert "make test" in text
