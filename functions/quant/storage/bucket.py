"""Whether a bucket can be reached. boto3 is imported when first asked: reading ticks and bars does not need it."""

from __future__ import annotations

from functools import cache
from typing import Any

from quant.errors import UnavailableError


@cache
def _client() -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client("s3", config=Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1}))


def check_bucket(name: str) -> None:
    """Raise UnavailableError when the bucket does not answer."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        _client().head_bucket(Bucket=name)
    except (BotoCoreError, ClientError) as exc:
        raise UnavailableError(f"reach the bucket {name}", str(exc)) from exc
