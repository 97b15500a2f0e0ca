"""Thin packages: our code and nothing else, the same bytes for the same files."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from infra.local.errors import DeploymentError
from infra.local.packages import thin_package


@pytest.fixture
def code(tmp_path: Path) -> Path:
    for name, text in {
        "quant/__init__.py": "",
        "quant/domain/bar.py": "BAR = 1\n",
        "api/app.py": "def handler(event, context): ...\n",
        "api/texts/hello.txt": "hello\n",
        "resample/handler.py": "",
        "api/.chalice/config.json": "{}",
        "api/__pycache__/app.cpython-311.pyc": "x",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_it_holds_the_shared_package_and_the_function_only(code: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(thin_package(code, "api.app.handler").data)) as archive:
        assert archive.namelist() == ["quant/__init__.py", "quant/domain/bar.py", "api/app.py", "api/texts/hello.txt"]
        assert archive.read("quant/domain/bar.py") == b"BAR = 1\n"


def test_the_same_files_give_the_same_bytes_whenever_they_were_written(code: Path) -> None:
    before = thin_package(code, "api.app.handler")
    os.utime(code / "api/app.py", (1, 1))
    (code / "quant/domain/bar.py").chmod(0o600)
    after = thin_package(code, "api.app.handler")
    assert after.data == before.data
    assert after.key == before.key


def test_a_changed_file_changes_the_key(code: Path) -> None:
    before = thin_package(code, "api.app.handler").key
    (code / "quant/domain/bar.py").write_text("BAR = 2\n")
    assert thin_package(code, "api.app.handler").key != before


def test_the_key_begins_with_the_functions_name(code: Path) -> None:
    assert thin_package(code, "resample.handler.handler").key.startswith("resample-")


def test_a_handler_without_a_file_is_refused_by_its_name(code: Path) -> None:
    with pytest.raises(DeploymentError, match=r"api\.missing\.handler"):
        thin_package(code, "api.missing.handler")
