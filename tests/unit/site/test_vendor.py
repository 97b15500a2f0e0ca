from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from frontend_static.vendor import FINANCE, Bundle, VendorError, fetch, kept, main, plotly

CONTENT = b"console.log(1)"
BUNDLE = Bundle("a-package", "1.2.3", "package/a.min.js", hashlib.sha256(CONTENT).hexdigest())


class Npm:
    """Brings a package that holds what it is told to."""

    def __init__(self, members: dict[str, bytes]) -> None:
        self.members, self.asked = members, list[str]()

    def __call__(self, name: str, folder: Path) -> Path:
        self.asked.append(name)
        path = folder / "package.tgz"
        with tarfile.open(path, "w:gz") as archive:
            for member, content in self.members.items():
                entry = tarfile.TarInfo(member)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        return path


def absent(name: str, folder: Path) -> Path:
    raise VendorError("npm is not installed")


def test_a_bundle_is_fetched_once_and_held_to_its_hash(tmp_path: Path) -> None:
    npm = Npm({BUNDLE.member: CONTENT})
    fetch(BUNDLE, tmp_path / "vendor", npm)
    fetch(BUNDLE, tmp_path / "vendor", npm)
    assert npm.asked == ["a-package@1.2.3"]
    assert kept(BUNDLE, tmp_path / "vendor") == CONTENT


def test_another_content_than_the_known_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VendorError, match="has the hash"):
        fetch(BUNDLE, tmp_path, Npm({BUNDLE.member: b"alert(1)"}))
    assert kept(BUNDLE, tmp_path) is None


def test_a_package_without_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VendorError, match="does not hold"):
        fetch(BUNDLE, tmp_path, Npm({"package/other.js": CONTENT}))


def test_a_kept_file_that_was_changed_is_not_used(tmp_path: Path) -> None:
    (tmp_path / BUNDLE.file).write_bytes(b"changed")
    assert kept(BUNDLE, tmp_path) is None


def test_without_npm_the_whole_library_serves_and_a_line_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(tmp_path, absent) == 0
    assert capsys.readouterr().out.startswith("npm is not installed: the pages load all of plotly.js instead")
    assert plotly(tmp_path).lstrip().startswith(b"/**\n* plotly.js v")


def test_the_small_bundle_is_of_the_major_version_of_the_whole_one(tmp_path: Path) -> None:
    head = plotly(tmp_path)[:100].decode()
    assert f"plotly.js v{FINANCE.version.split('.')[0]}." in head
