"""Secrets of SSM, kept for a while: a rotated one is felt within minutes, and a busy minute asks once."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from quant.errors import SecretError

KEPT_SECONDS = 300.0


class Secrets:
    """SecureString parameters of SSM by name."""

    def __init__(self, client: Any, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._client, self._elapsed = client, elapsed
        self._kept: dict[str, tuple[float, str]] = {}
        self._lock = Lock()

    def get(self, name: str) -> str:
        """The secret's text.

        Raises:
            SecretError: it is not there, empty, or cannot be read.
        """
        with self._lock:
            read_at, secret = self._kept.get(name, (-KEPT_SECONDS, ""))
            if self._elapsed() - read_at >= KEPT_SECONDS or not secret:
                secret = self._read(name)
                self._kept[name] = (self._elapsed(), secret)
            return secret

    def forget(self, name: str) -> None:
        """Read it anew next time: a receiver has refused it."""
        with self._lock:
            self._kept.pop(name, None)

    def _read(self, name: str) -> str:
        try:
            found = self._client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"].strip()
        except ClientError as exc:
            code = exc.response.get("Error", {}).get("Code", "")
            missing = code == "ParameterNotFound"
            raise SecretError(name, "is not in SSM" if missing else f"cannot be read: {code}") from exc
        except BotoCoreError as exc:
            raise SecretError(name, f"cannot be read: {type(exc).__name__}") from exc
        if not found:
            raise SecretError(name, "is empty")
        return str(found)
