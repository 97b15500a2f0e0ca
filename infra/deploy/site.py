"""The built site in its bucket: only what has changed is sent, assets before the pages that name them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from frontend_static.build import ANEW, MANIFEST

_PAGES_LAST = (".html", ".json")


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of the site as it is to be served."""

    key: str
    content_type: str
    cache_control: str


@dataclass(frozen=True, slots=True)
class Plan:
    uploads: tuple[Upload, ...]
    deletions: tuple[str, ...]

    @property
    def pages(self) -> tuple[str, ...]:
        """Addresses that a cache may hold an older version of."""
        return tuple(f"/{one.key}" for one in self.uploads if one.cache_control == ANEW)


def plan(manifest: Mapping[str, Any], digests: Mapping[str, str], stored: Mapping[str, str]) -> Plan:
    """What to send and what to delete.

    Args:
        manifest: the site's manifest.json.
        digests: MD5 of each file by its key, as S3 tells a stored object's.
        stored: ETag of each object that is there.
    """
    files: Mapping[str, Any] = manifest["files"]
    described = {
        **{key: Upload(key, one["content_type"], one["cache_control"]) for key, one in files.items()},
        MANIFEST: Upload(MANIFEST, "application/json", ANEW),
    }
    changed = [one for key, one in described.items() if stored.get(key, "").strip('"') != digests[key]]
    return Plan(
        tuple(sorted(changed, key=lambda one: (one.key.endswith(_PAGES_LAST), one.key))),
        tuple(sorted(set(stored) - set(described))),
    )


def upload(s3: Any, bucket: str, folder: Path) -> Plan:
    """Make the bucket hold the site of ``folder``; what is gone is deleted last."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    keys = [*manifest["files"], MANIFEST]
    digests = {key: hashlib.md5((folder / key).read_bytes(), usedforsecurity=False).hexdigest() for key in keys}
    found = plan(manifest, digests, _stored(s3, bucket))
    for one in found.uploads:
        s3.put_object(
            Bucket=bucket,
            Key=one.key,
            Body=(folder / one.key).read_bytes(),
            ContentType=one.content_type,
            CacheControl=one.cache_control,
        )
    delete_keys(s3, bucket, found.deletions)
    return found


def empty(s3: Any, bucket: str) -> int:
    """Delete all objects of a bucket; returns how many there were."""
    keys = sorted(_stored(s3, bucket))
    delete_keys(s3, bucket, keys)
    return len(keys)


def delete_keys(s3: Any, bucket: str, keys: Sequence[str]) -> None:
    for start in range(0, len(keys), 1000):
        part = [{"Key": key} for key in keys[start : start + 1000]]
        s3.delete_objects(Bucket=bucket, Delete={"Objects": part, "Quiet": True})


def _stored(s3: Any, bucket: str) -> dict[str, str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {item["Key"]: item["ETag"] for page in pages for item in page.get("Contents", [])}
