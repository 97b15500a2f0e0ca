"""The documents speak of what is there: paths, commands, modules; and each can be found from the index."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from ingestor.metrics import METRICS

ROOT = Path(__file__).parents[2]
INDEX = ROOT / "docs/index.md"
GUIDES = sorted([INDEX, ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/layers/*.md"), *ROOT.glob("docs/how-to/*.md")])
EVERYTHING = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
FOLDERS = ("functions", "ingestor", "infra", "frontend_static", "tests", "docs", ".ci")
# Names that stand for what a reader chooses.
CHOSEN = "NAME"


def _id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", EVERYTHING, ids=_id)
def test_every_path_exists(page: Path) -> None:
    """Whatever is written like code and begins with one of our folders."""
    words = re.findall(r"`([\w./-]+)`", page.read_text())
    paths = [word for word in words if word.split("/")[0] in FOLDERS and "/" in word and CHOSEN not in word]
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/layers/*.md")), ids=_id)
def test_every_module_of_a_layer_is_in_its_folder(page: Path) -> None:
    """A layer's page names modules shortly; each is in one of the folders that the page speaks of."""
    text = page.read_text()
    folders = [ROOT / word for word in re.findall(r"`([\w./-]+/)`", text) if (ROOT / word).is_dir()]
    for name in re.findall(r"`(\w+\.(?:py|css|html\.j2))`", text):
        assert any(found for folder in folders for found in folder.rglob(name)), name


@pytest.mark.parametrize("page", EVERYTHING, ids=_id)
def test_every_make_command_is_a_target(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = re.findall(r"(?:`|^(?:    )?)make ([a-z-]+)", page.read_text(), flags=re.MULTILINE)
    assert [name for name in named if name not in targets] == []


@pytest.mark.parametrize("page", GUIDES, ids=_id)
def test_every_test_and_module_that_a_guide_runs_is_there(page: Path) -> None:
    text = page.read_text()
    for line in re.findall(r"-m pytest (.+)$", text, flags=re.MULTILINE):
        for path in line.partition("#")[0].split():
            assert (ROOT / path).exists(), path
    for module in re.findall(r"python -m ([\w.]+)", text):
        assert find_spec(module) is not None, module


def test_every_symbol_that_a_guide_names_is_defined_somewhere() -> None:
    """Capitalised names and those with underscores: they are what a reader would search for."""
    source = "".join(
        path.read_text()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if path.name != Path(__file__).name
    )
    for page in (ROOT / "docs/how-to").glob("*.md"):
        for name in re.findall(r"`(_?[A-Za-z]+(?:_[A-Za-z]+)*)`", page.read_text()):
            assert name in source or CHOSEN in name or name.islower(), f"{page.name}: {name}"


def test_every_alarm_and_every_metric_of_the_ingestor_is_in_the_operators_page() -> None:
    """Both ways: a row for each, and none for what is not there."""
    page = (ROOT / "docs/operations.md").read_text()
    files = [yaml_parse((ROOT / name).read_text()) for name in ("template.yaml", "infra/ingestor-service.yaml")]
    resources = [one for file in files for one in file["Resources"].values()]
    names = [one["Properties"]["AlarmName"]["Fn::Sub"] for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
    patterns = [name if isinstance(name, str) else name[0] for name in names]
    alarms = {one.removeprefix("${Prefix}-").replace("${Name}", "1-of-1") for one in patterns}
    assert _first_column(page, "| alarm | says |") == alarms
    metrics = {*METRICS, "Quarantined_⟨reason⟩"}
    assert _first_column(page, "| metric | alarm when |") == metrics


def _first_column(page: str, head: str) -> set[str]:
    rows = page.partition(head)[2].partition("\n\n")[0].splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


@pytest.mark.parametrize("page", EVERYTHING, ids=_id)
def test_every_document_can_be_found_from_the_index(page: Path) -> None:
    """Decisions are found in their folder; reports of a kind have a page that links to them."""
    linked, waiting = {INDEX, ROOT / "README.md"}, [INDEX, ROOT / "README.md"]
    while waiting:
        one = waiting.pop()
        for target in re.findall(r"\]\(([^)#]+)", one.read_text()):
            path = (one.parent / target).resolve()
            found = [path] if path.suffix == ".md" else sorted(path.glob("*.md")) if path.is_dir() else []
            fresh = [here for here in found if here.exists() and here not in linked]
            linked |= set(fresh)
            waiting += fresh
    assert page in linked, f"link {_id(page)} from docs/index.md"
