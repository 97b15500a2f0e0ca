"""The site in its bucket: what is sent, in which order, how long it may be kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from infra.deploy.site import empty, plan, upload

FOR_EVER = "public, max-age=31536000, immutable"


def entry(content_type: str, cache_control: str) -> dict[str, str]:
    return {"content_type": content_type, "cache_control": cache_control}


MANIFEST = {
    "files": {
        "index.html": entry("text/html; charset=utf-8", "no-cache"),
        "assets/1/a.js": entry("text/javascript; charset=utf-8", FOR_EVER),
    }
}


def test_pages_come_after_what_they_name() -> None:
    found = plan(MANIFEST, {"index.html": "1", "assets/1/a.js": "2", "manifest.json": "3"}, {})
    assert [one.key for one in found.uploads] == ["assets/1/a.js", "index.html", "manifest.json"]
    assert found.pages == ("/index.html", "/manifest.json")


def test_what_is_there_already_is_not_sent_and_what_is_gone_is_deleted() -> None:
    stored = {"index.html": '"1"', "manifest.json": '"3"', "assets/0/a.js": '"9"'}
    found = plan(MANIFEST, {"index.html": "1", "assets/1/a.js": "2", "manifest.json": "3"}, stored)
    assert [one.key for one in found.uploads] == ["assets/1/a.js"]
    assert found.deletions == ("assets/0/a.js",)
    assert found.pages == ()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="site")
        yield "site"


def test_files_are_served_as_the_manifest_says_and_a_second_upload_sends_nothing(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "assets/1").mkdir(parents=True)
    (tmp_path / "index.html").write_text("<html>")
    (tmp_path / "assets/1/a.js").write_text("1")
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    s3 = boto3.client("s3")
    s3.put_object(Bucket=bucket, Key="old.html", Body=b"")
    assert len(upload(s3, bucket, tmp_path).uploads) == 3
    script = s3.get_object(Bucket=bucket, Key="assets/1/a.js")
    assert (script["ContentType"], script["CacheControl"]) == ("text/javascript; charset=utf-8", FOR_EVER)
    assert script["ETag"].strip('"') == hashlib.md5(b"1", usedforsecurity=False).hexdigest()
    assert upload(s3, bucket, tmp_path).uploads == ()
    assert empty(s3, bucket) == 3
