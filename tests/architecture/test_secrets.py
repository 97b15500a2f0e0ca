"""No secret lies in the repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Shapes of secrets, as their issuers describe them.
SHAPES = {
    "AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "AWS secret key": r"(?i)aws_?secret_?access_?key[\"']?\s*[:=]\s*[\"']?[A-Za-z0-9/+]{40}\b",
    "private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
    "Telegram token": r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36}\b",
    "Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "signed token": r"\beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.",
    "LocalStack token": r"\bls-[A-Za-z]{8}-[0-9A-Za-z-]{20,}",
    "password in an address": r"https?://[^/\s:@${}]+:[^/\s:@${}]{6,}@(?![a-z.]*example)",
}
_BINARY = {".png", ".woff2", ".gz", ".parquet", ".ico"}


def _tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.split("\0") if name]


def found_in(text: str) -> list[str]:
    return [name for name, shape in SHAPES.items() if re.search(shape, text)]


def test_no_tracked_file_holds_one() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): kinds
        for path in _tracked()
        if path.is_file() and path.suffix not in _BINARY and path != Path(__file__)
        if (kinds := found_in(path.read_text(errors="replace")))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("AWS access key", "AKIA" + "Q" * 16),
        ("AWS secret key", 'aws_secret_access_key = "' + "a1" * 20 + '"'),
        ("private key", "-----BEGIN RSA " + "PRIVATE KEY-----"),
        ("Telegram token", "123456789:AA" + "b" * 33),
        ("password in an address", "https://me:" + "secret1@host"),
    ],
)
def test_the_check_would_notice(kind: str, text: str) -> None:
    assert kind in found_in(text)


def test_files_that_hold_secrets_of_a_run_are_not_tracked() -> None:
    names = {path.name for path in _tracked()}
    assert names & {".env", "credentials", "api-token", "id_rsa"} == set()
