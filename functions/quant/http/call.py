"""One request, checked, as the function behind a route gets it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Generic

import msgspec

from quant.contract.operation import B, Operation, P
from quant.errors import ValidationError
from quant.http.keys import KeyRing

_SIGNATURE = 12
# A page may be larger than the one before, or of another format; all else belongs to the query that a cursor is of.
_FREE = ("cursor", "limit", "format")


@dataclass(frozen=True, slots=True)
class Call(Generic[P, B]):
    """
    Attributes:
        parameters: of path and query.
        body: Nothing where the operation reads none.
        now: ms.
        idempotency_key: "" where none was given.
    """

    operation: Operation[P, B]
    parameters: P
    body: B
    now: int
    request_id: str
    idempotency_key: str
    keys: KeyRing

    def position(self) -> dict[str, Any] | None:
        """What the request's cursor says; None without one.

        Raises:
            ValidationError: it is not one that this operation gave for these parameters.
        """
        text: str | None = getattr(self.parameters, "cursor", None)
        if text is None:
            return None
        try:
            packed = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
            signature, position = packed[:_SIGNATURE], packed[_SIGNATURE:]
            if self.keys.is_signed(self._signed(position), signature, self.now):
                return msgspec.json.decode(position, type=dict[str, Any])
        except (binascii.Error, ValueError, msgspec.MsgspecError) as exc:
            raise _not_ours() from exc
        raise _not_ours()

    def next_cursor(self, **position: int | str) -> str:
        """An opaque word for where the next page of this query begins."""
        packed = msgspec.json.encode(position)
        signature = self.keys.sign(self._signed(packed), self.now)
        return base64.urlsafe_b64encode(signature + packed).decode().rstrip("=")

    def _signed(self, position: bytes) -> tuple[bytes, ...]:
        names = self.parameters.__struct_fields__
        query = {name: getattr(self.parameters, name) for name in names if name not in _FREE}
        return (self.operation.id.encode(), msgspec.json.encode(query, enc_hook=int), position)


def _not_ours() -> ValidationError:
    return ValidationError("cursor", "is not one that this route gave for these parameters; start again without it")
