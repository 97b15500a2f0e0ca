"""The gate of a deployment, as its settings and its secret say."""

from __future__ import annotations

from functools import cache

from quant.http.gate import Gate
from quant.http.keys import KeyRing, parse_tokens
from quant.settings import Settings
from quant.storage.secret import read_secret


@cache
def open_gate() -> Gate:
    """Made at the first request; the tokens are read when first needed."""
    settings = Settings.load()
    keys = KeyRing(lambda: parse_tokens(read_secret(settings.api_tokens)))
    return Gate(keys, settings.public_read, frozenset(settings.cors_origins), settings.api_rate_limit)
