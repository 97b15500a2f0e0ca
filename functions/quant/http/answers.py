"""What every Chalice app of this project answers with: one shape for results, one for refusals."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from chalice.app import Response

from quant.errors import QuantError, SeriesError, StorageError, UnknownSymbolError, ValidationError

# Chalice's own words for what goes wrong before a route is reached, and ours.
_CODES = {"MethodNotAllowedError": "method_not_allowed", "NotFoundError": "not_found", "BadRequestError": "bad_request"}
_MESSAGES = {
    "method_not_allowed": "this route does not take that method",
    "not_found": "there is no such route",
    "bad_request": "the request cannot be read",
    "unavailable": "the storage does not answer; try again",
    "internal_error": "this should not have happened; it has been logged",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A body that is ready to be sent."""

    body: str
    content_type: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def to_json(value: Any) -> bytes:
    """JSON of dataclasses, arrays and plain values. NaN and infinities become null; an error says what it is."""
    return msgspec.json.encode(value, enc_hook=_plain)


def answered(serve: Callable[[], Answer], logger: logging.Logger) -> Response:
    """What ``serve`` gives, or its refusal, as Chalice sends it."""
    try:
        answer = serve()
    except QuantError as exc:
        answer = _refusal(exc, logger)
    return Response(answer.body, {"Content-Type": answer.content_type, **answer.headers}, answer.status)


def in_our_shape(answer: dict[str, Any]) -> dict[str, Any]:
    """Chalice's own refusals, which come before any route, in the shape of ours."""
    if answer["statusCode"] >= 400 and answer["body"].startswith('{"Code"'):
        code = _CODES.get(json.loads(answer["body"])["Code"], "internal_error")
        answer["body"] = _error_body(code, _MESSAGES[code])
    return answer


def _refusal(exc: QuantError, logger: logging.Logger) -> Answer:
    if isinstance(exc, UnknownSymbolError):
        return Answer(_error_body("not_found", str(exc), exc.field), status=404)
    if isinstance(exc, ValidationError):
        return Answer(_error_body("invalid_parameter", str(exc), exc.field), status=422)
    if isinstance(exc, SeriesError):
        return Answer(_error_body(exc.reason, str(exc), exc.series), status=422)
    logger.error(json.dumps({"event": "request failed", "error": type(exc).__name__, "reason": str(exc)}))
    if isinstance(exc, StorageError) and exc.retryable:
        return Answer(_error_body("unavailable", _MESSAGES["unavailable"]), status=503, headers={"Retry-After": "1"})
    return Answer(_error_body("internal_error", _MESSAGES["internal_error"]), status=500)


def _error_body(code: str, message: str, field: str | None = None) -> str:
    error = {"code": code, "message": message} | ({"field": field} if field else {})
    return json.dumps({"error": error})


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, SeriesError):
        return {"error": {"code": value.reason, "message": str(value)}}
    # msgspec's word for a type that no hook knows; it becomes an error that names the type.
    raise NotImplementedError(type(value).__name__)
