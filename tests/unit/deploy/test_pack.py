"""Packages: what is cut off, what is left out, and that the same input gives the same bytes."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from pack.build import build, digest, make_equal, weight
from pack.compiling import compile_all
from pack.elf import strip_all, stripped
from pack.errors import PackError
from pack.prune import prune


def library(loaded: bytes, debug: bytes) -> bytes:
    """An ELF file of one loaded segment, with something for debuggers behind it."""
    table, size = 64, 56
    begin = table + size
    sections = begin + len(loaded) + len(debug)
    head = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 3, 183, 1, 0, table, sections, 0, 64, size, 1, 64, 9, 8)
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, begin, 0, 0, len(loaded), len(loaded), 16)
    return head + segment + loaded + debug


def test_a_stripped_library_keeps_what_is_loaded_and_no_table_of_sections() -> None:
    data = stripped(library(b"code", b"names for debuggers"))
    assert data.endswith(b"code")
    assert struct.unpack_from("<Q", data, 40) == (0,)
    assert struct.unpack_from("<HH", data, 60) == (0, 0)
    assert stripped(data) == data


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x01\x01" + bytes(100)])
def test_what_is_no_64_bit_library_stays_as_it_is(data: bytes) -> None:
    assert stripped(data) == data


def test_a_real_library_works_without_its_sections(tmp_path: Path) -> None:
    shutil.copytree(Path(msgspec.__file__).parent, tmp_path / "msgspec")
    [library] = (tmp_path / "msgspec").glob("_core*.so")
    before = library.stat().st_size
    strip_all(tmp_path)
    assert library.stat().st_size < before
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import msgspec; print(msgspec.json.encode([1]))"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "b'[1]'\n"


def tree(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n")
    return root


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_pruning_leaves_what_functions_read(tmp_path: Path) -> None:
    kept = {"numpy/__init__.py", "numpy/testing/__init__.py", "chalice/app.py", "zstandard/backend_c.cpython-313.so"}
    tree(
        tmp_path,
        *kept,
        "numpy/__init__.pyi", "numpy/tests/test_it.py", "numpy-2.dist-info/RECORD", "numpy/_core/include/n.h",
        "chalice/cli/run.py", "chalice/deploy.py", "chalice/policies.json", "zstandard/_cffi.cpython-313.so",
        "zstandard/backend_cffi.py", "bin/f2py", ".lock", "numpy/__pycache__/a.cpython-313.pyc",
    )  # fmt: skip
    prune(tmp_path)
    assert files(tmp_path) == kept | {"chalice/app.py"}


def test_the_same_files_have_the_same_digest_whenever_and_however_they_were_written(tmp_path: Path) -> None:
    first, second = tree(tmp_path / "a", "x/y.py", "z.so"), tree(tmp_path / "b", "z.so", "x/y.py")
    (second / "x/y.py").chmod(0o600)
    (second / "empty/folder").mkdir(parents=True)
    os.utime(second / "z.so", (1, 1))
    for folder in (first, second):
        make_equal(folder)
    assert digest(first) == digest(second)
    assert {path.stat().st_mtime for path in second.rglob("*")} == {315_532_800}
    assert not (second / "empty").exists()
    (second / "z.so").write_text("other")
    assert digest(first) != digest(second)


def test_a_folder_weighs_what_its_files_do(tmp_path: Path) -> None:
    tree(tmp_path, "a.py", "b/c.py")
    assert weight(tmp_path) == len("# a.py\n") + len("# b/c.py\n")


def test_bytecode_is_the_same_at_every_place_and_never_compared_with_its_source(tmp_path: Path) -> None:
    for place in ("one", "another"):
        folder = tmp_path / place
        folder.mkdir()
        (folder / "module.py").write_text(
            "WORDS = frozenset({'a', 'b', 'c', 'd'})\ndef f(x):\n    return x in {'p', 'q', 'r'}\n"
        )
        assert compile_all(folder, sys.executable) == []
    [first], [second] = (list((tmp_path / place).rglob("*.pyc")) for place in ("one", "another"))
    assert first.read_bytes() == second.read_bytes()
    flags = int.from_bytes(first.read_bytes()[4:8], "little")
    assert flags == 0b01, "hash-based, and unchecked"


def test_a_file_that_is_no_module_is_named_and_left(tmp_path: Path) -> None:
    (tmp_path / "template.py").write_text("def {{name}}():\n")
    [line] = compile_all(tmp_path, sys.executable)
    assert line.startswith("template.py: ")


def test_an_unknown_function_and_a_full_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="no recipe for Nothing"):
        build("Nothing", tmp_path)
    (tmp_path / "old").touch()
    with pytest.raises(PackError, match="not empty"):
        build("ApiFunction", tmp_path)
