"""The light Chalice app: routes, errors and wiring. /pairs/* lives in the analyse function."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from chalice.app import Chalice, Response

from api.chalicelib.parameters import Query
from api.chalicelib.service import Answer, MarketData
from quant import __version__
from quant.domain.interval import SECOND
from quant.errors import QuantError, StorageError, UnknownSymbolError, ValidationError
from quant.settings import Settings
from quant.storage.bucket import check_bucket
from quant.storage.storage import open_storage

app = Chalice(app_name="quant-api", configure_logs=False)
_logger = logging.getLogger("api")

# Chalice's own words for what goes wrong before a route is reached, and ours.
_CODES = {"MethodNotAllowedError": "method_not_allowed", "NotFoundError": "not_found", "BadRequestError": "bad_request"}
_MESSAGES = {
    "method_not_allowed": "this route does not take that method",
    "not_found": "there is no such route",
    "bad_request": "the request cannot be read",
    "unavailable": "the storage does not answer; try again",
    "internal_error": "this should not have happened; it has been logged",
}


@cache
def market_data() -> MarketData:
    """Made at the first request and kept for the life of the process."""
    settings = Settings.load()
    _logger.setLevel(settings.log_level)
    storage = open_storage(settings, _clock)
    checks: dict[str, Callable[[], object]] = {
        "tick_data": storage.heartbeats.all,
        "ohlc_data": storage.bars.watermarks,
    }
    if settings.archive_bucket:
        checks["archive"] = lambda: check_bucket(settings.archive_bucket)
    return MarketData(storage, checks, settings.tick_ttl_seconds * SECOND, __version__)


def _route(path: str, *parameters: str) -> Callable[[Callable[..., Answer]], Callable[..., Response]]:
    """A GET route that takes these query parameters and no others."""

    def register(serve: Callable[..., Answer]) -> Callable[..., Response]:
        @wraps(serve)
        def view(**path_parameters: str) -> Response:
            try:
                given = app.current_request.query_params if app.current_request else None
                answer = serve(Query(given, parameters), **path_parameters)
            except QuantError as exc:
                answer = _refusal(exc)
            return Response(answer.body, {"Content-Type": answer.content_type, **answer.headers}, answer.status)

        app.route(path, methods=["GET"], name=serve.__name__)(view)
        return view

    return register


@_route("/health")
def health(query: Query) -> Answer:
    return market_data().health(_clock())


@_route("/symbols")
def symbols(query: Query) -> Answer:
    return market_data().symbols(_clock())


@_route("/ticks/{symbol}", "exchange", "start", "end", "limit", "order", "cursor")
def ticks(query: Query, symbol: str) -> Answer:
    return market_data().ticks(symbol, query, _clock())


@_route("/ohlc/{symbol}", "exchange", "interval", "start", "end", "limit", "cursor", "fill", "format")
def ohlc(query: Query, symbol: str) -> Answer:
    return market_data().ohlc(symbol, query, _clock())


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls: Chalice, with its own refusals in the shape of ours."""
    answer: dict[str, Any] = app(event, context)
    if answer["statusCode"] >= 400 and answer["body"].startswith('{"Code"'):
        theirs = json.loads(answer["body"])
        code = _CODES.get(theirs["Code"], "internal_error")
        answer["body"] = _error_body(code, _MESSAGES[code])
    return answer


def _refusal(exc: QuantError) -> Answer:
    if isinstance(exc, UnknownSymbolError):
        return Answer(_error_body("not_found", str(exc), exc.field), status=404)
    if isinstance(exc, ValidationError):
        return Answer(_error_body("invalid_parameter", str(exc), exc.field), status=422)
    _logger.error(json.dumps({"event": "request failed", "error": type(exc).__name__, "reason": str(exc)}))
    if isinstance(exc, StorageError) and exc.retryable:
        return Answer(_error_body("unavailable", _MESSAGES["unavailable"]), status=503, headers={"Retry-After": "1"})
    return Answer(_error_body("internal_error", _MESSAGES["internal_error"]), status=500)


def _error_body(code: str, message: str, field: str | None = None) -> str:
    error = {"code": code, "message": message} | ({"field": field} if field else {})
    return json.dumps({"error": error})


def _clock() -> int:
    return time.time_ns() // 1_000_000
