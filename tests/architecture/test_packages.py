"""The recipes of packages say what template.yaml, functions/Makefile and requirements.lock say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from pack.install import Target
from pack.recipes import LIMIT, PYTHON, RECIPES, RUNTIME_BRINGS

ROOT = Path(__file__).parents[2]
TEMPLATE: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
FUNCTIONS = {
    name: resource
    for name, resource in TEMPLATE["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
EVERY_LOCK = sorted(
    str(path.relative_to(ROOT))
    for folder in (".", "functions", "infra", "ingestor")
    for path in (ROOT / folder).glob("**/*.lock" if folder != "." else "*.lock")
)
LOCKS = sorted({recipe.lock for recipe in RECIPES.values()})
# Two interpreters may need two releases: of these the lock of the project names one for each.
_PIN = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)


def _pins(lock: Path) -> list[tuple[str, str]]:
    return _PIN.findall(lock.read_text())


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_every_function_has_a_recipe_and_a_make_target(function: str) -> None:
    recipe = RECIPES[function]
    assert FUNCTIONS[function]["Properties"]["Handler"].split(".")[0] == recipe.folder
    assert FUNCTIONS[function]["Metadata"]["BuildMethod"] == "makefile"
    assert recipe.budget <= LIMIT
    [names] = re.findall(r"^FUNCTIONS := (.*)$", (ROOT / "functions/Makefile").read_text(), re.MULTILINE)
    assert function in names.split()


def test_packages_are_made_for_the_runtime_of_the_template() -> None:
    function = TEMPLATE["Globals"]["Function"]
    assert function["Runtime"] == f"python{PYTHON}"
    assert function["Architectures"] == [{"aarch64": "arm64", "x86_64": "x86_64"}[Target().machine]]


@pytest.mark.parametrize("lock", LOCKS)
def test_functions_get_the_releases_that_the_tests_ran_with(lock: str) -> None:
    known = set(_pins(ROOT / "requirements.lock"))
    assert set(_pins(ROOT / "functions/pack" / lock)) <= known, "run make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_leave_out_what_the_runtime_brings(lock: str) -> None:
    assert {name for name, _ in _pins(ROOT / "functions/pack" / lock)} & set(RUNTIME_BRINGS) == set()


@pytest.mark.parametrize("lock", EVERY_LOCK)
def test_every_lock_has_a_hash_for_each_package(lock: str) -> None:
    lines = [line for line in (ROOT / lock).read_text().splitlines() if line and not line.lstrip().startswith("#")]
    packages = re.split(r"\n(?=\S)", "\n".join(lines))
    assert packages
    assert [one.split()[0] for one in packages if "==" not in one or "--hash=sha256:" not in one] == []


def test_all_locks_are_looked_at() -> None:
    assert {Path(lock).parent.as_posix() for lock in EVERY_LOCK} == {
        ".", "functions/pack", "infra/localstack", "ingestor"
    }  # fmt: skip
