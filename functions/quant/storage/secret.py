"""A secret in SSM's parameter store. boto3 is imported when first asked: most requests need no secret."""

from __future__ import annotations

from functools import cache
from typing import Any

from quant.errors import UnavailableError


@cache
def _client() -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client("ssm", config=Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2}))


def read_secret(name: str) -> str:
    """The text of a SecureString; "" where there is none.

    Raises:
        UnavailableError: the store does not answer. The message names the secret, never what it holds.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return str(_client().get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "ParameterNotFound":
            return ""
        raise UnavailableError(f"read the secret {name}", exc.response["Error"]["Code"]) from exc
    except BotoCoreError as exc:
        raise UnavailableError(f"read the secret {name}", type(exc).__name__) from exc
