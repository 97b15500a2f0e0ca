"""What every route answers with: one shape for results, one for refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import msgspec
import numpy as np

from quant.errors import (
    QuantError,
    RequestError,
    SeriesError,
    StorageError,
    UnauthorizedError,
    UnknownSymbolError,
    ValidationError,
    VersionError,
)
from quant.telemetry import Telemetry

STATUS = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "payload_too_large": 413,
    "unsupported_media_type": 415,
    "invalid_parameter": 422,
    "too_many_requests": 429,
    "internal_error": 500,
    "unavailable": 503,
}
UNAVAILABLE = "the storage does not answer; try again"
INTERNAL = "this should not have happened; it has been logged"


@dataclass(frozen=True, slots=True)
class Answer:
    """A body that is ready to be sent.

    Attributes:
        tag: what the ETag is made of, where the body says more than what it is about (how old it is, say).
        settled: the data will not change any more; see quant.contract.operation.Cache.
    """

    body: bytes
    content_type: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    tag: str | None = None
    settled: bool = False

    @classmethod
    def of(cls, value: Any, *, status: int = 200, tag: str | None = None, settled: bool = False) -> Self:
        return cls(to_json(value), status=status, tag=tag, settled=settled)


def to_json(value: Any) -> bytes:
    """JSON of dataclasses, arrays and plain values. NaN and infinities become null; an error says what it is."""
    return msgspec.json.encode(value, enc_hook=_plain)


def refusal(exc: QuantError, request_id: str, telemetry: Telemetry) -> Answer:
    """The answer to what went wrong. Nothing of the inside is told; what is not the caller's fault is logged."""
    if isinstance(exc, RequestError):
        more = {"current": exc.current} if isinstance(exc, VersionError) else {}
        headers = {"WWW-Authenticate": 'Bearer realm="quant"'} if isinstance(exc, UnauthorizedError) else {}
        return error(exc.code, str(exc), request_id, exc.field, headers, **more)
    if isinstance(exc, UnknownSymbolError):
        return error("not_found", str(exc), request_id, exc.field)
    if isinstance(exc, ValidationError):
        return error("invalid_parameter", str(exc), request_id, exc.field)
    if isinstance(exc, SeriesError):
        return error(exc.reason, str(exc), request_id, exc.series)
    telemetry.logger.error("request failed", error=type(exc).__name__, reason=str(exc))
    if isinstance(exc, StorageError) and exc.retryable:
        return error("unavailable", UNAVAILABLE, request_id, headers={"Retry-After": "1"})
    return error("internal_error", INTERNAL, request_id)


def error(
    code: str, message: str, request_id: str, field: str = "", headers: dict[str, str] | None = None, **more: Any
) -> Answer:
    """An error in the one shape. A code without a status of its own is about the data: 422."""
    told = {"code": code, "message": message} | ({"field": field} if field else {}) | more
    body = msgspec.json.encode({"error": {**told, "request_id": request_id}})
    return Answer(body, status=STATUS.get(code, 422), headers=headers or {})


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, SeriesError):
        return {"error": {"code": value.reason, "message": str(value)}}
    # msgspec's word for a type that no hook knows; it becomes an error that names the type.
    raise NotImplementedError(type(value).__name__)
