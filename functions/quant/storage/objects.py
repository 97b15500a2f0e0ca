"""The small port between the archive and a bucket: objects under keys, written on the condition of what is there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Protocol

from quant.errors import ConflictError, StorageError, UnavailableError

ABSENT = ""
_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_MISSING = {"NoSuchKey", "404"}
_FOREVER = {"AccessDenied", "NoSuchBucket", "InvalidAccessKeyId", "SignatureDoesNotMatch"}


class Objects(Protocol):
    def get(self, key: str) -> tuple[bytes, str] | None:
        """The object and its etag."""

    def put(self, key: str, body: bytes, *, expected: str) -> None:
        """Store it if the stored etag is ``expected`` (ABSENT: if there is none).

        Raises:
            ConflictError: it is not.
        """

    def keys(self, prefix: str) -> Iterator[str]:
        """In the order of keys."""


class MemoryObjects:
    """A bucket in this process's memory."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self.writes = 0

    def get(self, key: str) -> tuple[bytes, str] | None:
        body = self._objects.get(key)
        return None if body is None else (body, hashlib.sha256(body).hexdigest())

    def put(self, key: str, body: bytes, *, expected: str) -> None:
        stored = self.get(key)
        if expected != (stored[1] if stored else ABSENT):
            raise ConflictError(f"write {key}", "it has changed meanwhile")
        self._objects[key] = body
        self.writes += 1

    def keys(self, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self._objects if key.startswith(prefix)))


class S3Objects:
    """A bucket of S3. Endpoint, region and credentials come from the environment."""

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client("s3", config=Config(connect_timeout=3, read_timeout=20, retries={"total_max_attempts": 3}))

    def get(self, key: str) -> tuple[bytes, str] | None:
        try:
            answer = self._call("read", key, self._client.get_object, Bucket=self.bucket, Key=key)
        except KeyError:
            return None
        return answer["Body"].read(), answer["ETag"]

    def put(self, key: str, body: bytes, *, expected: str) -> None:
        condition = {"IfMatch": expected} if expected else {"IfNoneMatch": "*"}
        try:
            self._call("write", key, self._client.put_object, Bucket=self.bucket, Key=key, Body=body, **condition)
        except KeyError as exc:  # If-Match on an object that has been deleted
            raise ConflictError(f"write {key}", "it is gone") from exc

    def keys(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        for page in self._call("list", prefix, lambda **_: list(pages)):
            yield from (found["Key"] for found in page.get("Contents", []))

    def _call(self, verb: str, key: str, operation: Any, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return operation(**arguments)
        except ClientError as exc:
            code = exc.response.get("Error", {}).get("Code", "")
            if code in _MISSING:
                raise KeyError(key) from exc
            if code in _CHANGED:
                raise ConflictError(f"{verb} {key}", "it has changed meanwhile") from exc
            kind = StorageError if code in _FOREVER else UnavailableError
            raise kind(f"{verb} {key}", f"{code}: {exc}") from exc
        except BotoCoreError as exc:
            raise UnavailableError(f"{verb} {key}", str(exc)) from exc
