"""The API's tokens: who may write, and what cursors are signed with.

Up to two are valid at once, so that one can be replaced without a deployment: put the new one first and the old one
second, give callers the new one, then put it alone.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from quant.domain.interval import MINUTE
from quant.errors import StorageError, UnauthorizedError

KEPT = MINUTE
_OUTAGE = 10 * MINUTE
_NO_TOKEN = "cursors of an API without a token"


@dataclass(slots=True)
class KeyRing:
    """The valid tokens, read when first needed and again once they are a minute old.

    Attributes:
        read: asks their store; raises StorageError where it does not answer. Through ten minutes of that the tokens
            that were known stay valid.
    """

    read: Callable[[], tuple[str, ...]]
    _tokens: tuple[str, ...] = ()
    _read_at: int | None = None

    def check(self, authorization: str, now: int) -> None:
        """
        Raises:
            UnauthorizedError: the header holds no valid token.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthorizedError("the Authorization header must be: Bearer, a space and a token")
        digest = _digest(token.strip())
        # All of them are compared, each in constant time: how long it takes tells nothing of any.
        matches = [hmac.compare_digest(digest, _digest(valid)) for valid in self.tokens(now)]
        if not any(matches):
            raise UnauthorizedError("the token is not valid, or not any more")

    def sign(self, parts: Iterable[bytes], now: int) -> bytes:
        """A signature by the oldest token: a process that has not heard of a new one yet can check it."""
        return _signature((self.tokens(now) or (_NO_TOKEN,))[-1], parts)

    def is_signed(self, parts: Iterable[bytes], signature: bytes, now: int) -> bool:
        signed = tuple(parts)
        valid = self.tokens(now) or (_NO_TOKEN,)
        return any(hmac.compare_digest(signature, _signature(token, signed)) for token in valid)

    def tokens(self, now: int) -> tuple[str, ...]:
        if self._read_at is None or now - self._read_at >= KEPT:
            try:
                self._tokens, self._read_at = self.read(), now
            except StorageError:
                if self._read_at is None or now - self._read_at >= _OUTAGE:
                    raise
        return self._tokens


def parse_tokens(text: str) -> tuple[str, ...]:
    """The tokens of the parameter's text: one, or two with a comma between them."""
    return tuple(part.strip() for part in text.split(",") if part.strip())[:2]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _signature(token: str, parts: Iterable[bytes]) -> bytes:
    key = hashlib.sha256(b"cursor\0" + token.encode()).digest()
    return hmac.digest(key, b"\0".join(parts), "sha256")[:12]
