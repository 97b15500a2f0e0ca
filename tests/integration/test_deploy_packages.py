"""The packages as Lambda gets them, and the same for this machine's processor, where they can be started.

Each is loaded by a clean interpreter of the runtime's version, with the SDK beside it and nothing else, and its handler
is called on an emulator with the deployed tables.
"""

from __future__ import annotations

import asyncio
import json
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from infra.local.deployment import deploy
from infra.local.emulator import Emulator
from infra.local.environment import aws_environment
from infra.local.ports import choose
from pack.build import Built, build
from pack.compiling import runtime_python
from pack.install import Target
from pack.recipes import MIB, PYTHON, RECIPES
from quant.settings import Settings
from tests.runtime_sdk import copy_sdk

ROOT = Path(__file__).parents[2]
TEMPLATE: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
FUNCTIONS = [name for name, one in TEMPLATE["Resources"].items() if one["Type"] == "AWS::Serverless::Function"]
SETTINGS = Settings.load({"PREFIX": "packed"})
UV = str(ROOT / ".venv/uv") if (ROOT / ".venv/uv").exists() else ""
PROGRAM = """
import json, sys
sys.path[:0] = sys.argv[1:3]
import importlib
module, _, name = sys.argv[3].rpartition(".")
handler = getattr(importlib.import_module(module), name)
class Context:
    function_name, memory_limit_in_mb = "test", 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:test"
    aws_request_id = "test"
    def get_remaining_time_in_millis(self):
        return 30_000
answer = handler(json.loads(sys.argv[4]), Context())
outside = [one.__file__ for one in sys.modules.values() if "site-packages" in (getattr(one, "__file__", "") or "")]
print()
print(json.dumps({"answer": answer, "outside": outside}))
"""

pytestmark = [
    pytest.mark.skipif(not runtime_python(), reason=f"this machine has no Python {PYTHON}, the Lambda runtime's"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Built]:
    """All packages for this processor."""
    folder = tmp_path_factory.mktemp("packages")
    return {name: build(name, folder / name, Target(platform.machine()), UV) for name in FUNCTIONS}


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_sdk(tmp_path_factory.mktemp("sdk"))


@pytest.fixture(scope="module")
def emulator_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("emulator")
    emulator = Emulator.of(SETTINGS, folder, choose(0, "EMULATOR_PORT"))
    with asyncio.Runner() as runner:
        runner.run(emulator.start())
        try:
            deploy(ROOT / "template.yaml", SETTINGS, emulator.url)
            yield emulator.url
        finally:
            runner.run(emulator.child.stop(10))


def _event(handler: str) -> dict[str, Any]:
    if not handler.startswith("api."):
        return {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
    event: dict[str, Any] = json.loads((ROOT / "tests/data/events/rest_api_symbols.json").read_text())
    return event


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_handler_answers_with_nothing_beside_it_but_the_sdk(
    function: str, made: dict[str, Built], sdk: Path, emulator_url: str
) -> None:
    properties = TEMPLATE["Resources"][function]["Properties"]
    done = subprocess.run(
        [runtime_python(), "-I", "-S", "-c", PROGRAM, str(made[function].folder), str(sdk), properties["Handler"],
         json.dumps(_event(properties["Handler"]))],
        env={**aws_environment(emulator_url), "PREFIX": SETTINGS.prefix, "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["outside"] == []
    if function == "ApiFunction":
        assert said["answer"]["statusCode"] == 200
    else:
        assert isinstance(said["answer"], dict)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_package_for_lambda_is_within_its_budget_and_for_its_processor_only(function: str, tmp_path: Path) -> None:
    built = build(function, tmp_path / "package", uv=UV)
    assert built.compiled
    assert built.size <= RECIPES[function].budget, f"{built.size / MIB:.1f} MiB"
    foreign = [path.name for path in built.folder.rglob("*.so*") if path.read_bytes()[18:20] != b"\xb7\x00"]
    assert foreign == [], "183 is the number of AArch64 in an ELF file's head"
    sources = set(built.folder.rglob("*.py"))
    compiled = {path.parents[1] / f"{path.name.split('.')[0]}.py" for path in built.folder.rglob("*.pyc")}
    assert len(sources - compiled) <= 2, "templates that are no modules"


def test_the_same_source_gives_the_same_package(tmp_path: Path) -> None:
    first, second = (build("ApiFunction", tmp_path / name, uv=UV) for name in ("first", "second"))
    assert first.digest == second.digest
