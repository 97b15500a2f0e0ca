"""The API's token of the local stack: made once, kept beside the state for this user's eyes, put into the emulator."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

NAME = "api-token"


def kept_token(folder: Path) -> str:
    """The token of this folder's runs; made at random where there is none yet."""
    path = folder / NAME
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass  # an earlier run's
    return path.read_text().strip()


def put_token(parameters: Any, name: str, token: str) -> None:
    """Make it the API's only token. ``parameters`` is a client of SSM."""
    parameters.put_parameter(Name=name, Value=token, Type="SecureString", Overwrite=True)
