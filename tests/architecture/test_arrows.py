"""Which folder may import which: design §3, read out of the tree."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STDLIB = set(sys.stdlib_module_names)

# A folder or file, and the only packages and parts that it may import beside the standard library and itself.
ALLOWED: dict[str, set[str]] = {
    "functions/quant/errors.py": set(),
    "functions/quant/domain": {"numpy", "quant.domain", "quant.errors"},
    "functions/quant/usage.py": set(),
    "functions/quant/monthly_use.py": {"quant.usage"},
    "functions/quant/costs.py": {"quant.monthly_use"},
    "functions/quant/settings.py": {"quant.domain", "quant.errors"},
    "functions/quant/analytics": {"numpy", "quant.domain", "quant.errors", "quant.analytics"},
    "functions/quant/analytics/econometrics.py": {
        "numpy", "scipy", "statsmodels", "quant.domain", "quant.errors", "quant.analytics",
    },
    "functions/quant/alerting": {"numpy", "jinja2", "quant.domain", "quant.errors", "quant.alerting"},
    "functions/quant/storage": {
        "numpy", "msgspec", "zstandard", "boto3", "botocore", "pynamodb", "pyarrow",
        "quant.domain", "quant.errors", "quant.settings", "quant.storage",
    },
    "functions/quant/notify": {
        "boto3", "botocore", "quant.domain", "quant.errors", "quant.settings", "quant.notify",
    },
    "functions/quant/contract": {"msgspec", "quant.domain", "quant.errors", "quant.contract"},
    "functions/quant/telemetry.py": {"aws_lambda_powertools"},
    "functions/quant/http": {
        "numpy", "msgspec", "chalice", "quant.domain", "quant.errors", "quant.contract", "quant.http",
        "quant.telemetry",
    },
    "functions/quant/http/deployed.py": {"quant.http", "quant.settings", "quant.storage"},
    "functions/quant/live_bars.py": {"numpy", "quant.domain", "quant.analytics"},
    "functions/quant/readings": {
        "numpy", "msgspec", "quant.domain", "quant.errors", "quant.analytics", "quant.alerting", "quant.live_bars",
        "quant.readings",
    },
    "functions/quant/alert_link.py": {"msgspec", "quant.domain", "quant.errors", "quant.http.keys"},
    "functions/quant/bar_store.py": {"quant.domain", "quant.analytics"},
    "functions/resample/service.py": {
        "numpy", "quant.domain", "quant.analytics", "quant.alerting", "quant.errors", "quant.bar_store",
    },
    "functions/resample": {"numpy", "quant", "resample"},
    "functions/check_alerts/service.py": {
        "numpy", "quant.domain", "quant.analytics", "quant.alerting", "quant.readings", "quant.errors",
        "check_alerts.corrections", "check_alerts.run",
    },
    "functions/check_alerts/run.py": {"quant.domain", "quant.alerting", "quant.readings"},
    "functions/check_alerts/corrections.py": {
        "quant.domain", "quant.alerting", "quant.readings", "quant.errors",
    },
    "functions/check_alerts": {"jinja2", "quant", "check_alerts"},
    "functions/analyse/service.py": {"numpy", "quant.domain", "quant.analytics", "quant.errors", "analyse.cards"},
    "functions/analyse": {"numpy", "msgspec", "chalice", "quant", "analyse"},
    "functions/check_alerts/letters.py": {"jinja2", "quant.domain"},
    "functions/check_alerts/delivery.py": {"quant.domain", "quant.errors", "check_alerts.letters"},
    "functions/api": {"numpy", "chalice", "msgspec", "quant", "api"},
    "functions/pack": {"pack"},
    "ingestor": {"numpy", "msgspec", "requests", "urllib3", "websockets", "quant", "ingestor"},
    "frontend_static": {"jinja2", "plotly", "frontend_static"},
    # The page of the API is made of its declarations.
    "frontend_static/docs_page.py": {"quant", "quant.contract"},
}  # fmt: skip


def _files(part: str) -> list[Path]:
    path = ROOT / part
    return [path] if path.suffix else sorted(path.rglob("*.py"))


def _rule(file: Path) -> str:
    """The narrowest rule that speaks of a file."""
    name = file.relative_to(ROOT).as_posix()
    return max((part for part in ALLOWED if name == part or name.startswith(part + "/")), key=len, default="")


def _imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            found.add(node.module or "")
    return found


def _wrong(imports: set[str], allowed: set[str]) -> set[str]:
    outside = {name for name in imports if name.split(".")[0] not in STDLIB}
    return {name for name in outside if not any(name == part or name.startswith(part + ".") for part in allowed)}


@pytest.mark.parametrize("folder", ["functions", "ingestor", "frontend_static"])
def test_no_arrow_points_the_wrong_way(folder: str) -> None:
    wrong = {}
    for file in _files(folder):
        if not file.read_text().strip():
            continue
        rule = _rule(file)
        assert rule or file.read_text().count("\n") < 4, f"{file} is under no rule"
        if rule and (bad := _wrong(_imports(file), ALLOWED[rule])):
            wrong[file.relative_to(ROOT).as_posix()] = sorted(bad)
    assert wrong == {}


def test_only_settings_read_the_environment() -> None:
    readers = []
    for folder in ("functions", "ingestor", "infra", "frontend_static"):
        for file in _files(folder):
            text = file.read_text()
            if "environ" in {name.rpartition(".")[2] for name in _attributes(text)} or "os.getenv" in text:
                readers.append(file.relative_to(ROOT).as_posix())
    assert readers == ["functions/quant/settings.py"]


def _attributes(text: str) -> set[str]:
    return {
        f"os.{node.attr}" for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    }  # fmt: skip


def test_nothing_that_is_deployed_knows_of_an_emulator() -> None:
    """But for the settings, which are those of the local stack too."""
    for folder in ("functions", "ingestor"):
        for file in (one for one in _files(folder) if one.name != "settings.py"):
            text = file.read_text().lower()
            for word in ("ministack", "localstack", "moto", "endpoint_url", "4566"):
                assert word not in text, f"{file} knows of {word}"


def test_pure_code_reads_no_clock() -> None:
    for part in ("functions/quant/domain", "functions/quant/analytics", "functions/quant/alerting"):
        for file in _files(part):
            assert not {"time"} & _imports(file), f"{file} reads a clock"


@pytest.mark.parametrize("rule", sorted(ALLOWED))
def test_the_rules_speak_of_what_is_there(rule: str) -> None:
    assert (ROOT / rule).exists()
