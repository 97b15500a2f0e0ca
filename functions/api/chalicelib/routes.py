"""The routes as a Chalice app, and every refusal in one shape."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from chalice.app import Chalice, Response

from api.chalicelib.parameters import Query
from api.chalicelib.service import Answer, MarketData
from quant.domain.ports import Clock
from quant.errors import QuantError, StorageError, UnknownSymbolError, ValidationError

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


def create_app(market_data: Callable[[], MarketData], clock: Clock) -> Chalice:
    """The app on what ``market_data`` gives; it is first called at the first request."""
    app = Chalice(app_name="quant-api", configure_logs=False)

    def route(path: str, *parameters: str) -> Callable[[Callable[..., Answer]], Callable[..., Response]]:
        """A GET route that takes these query parameters and no others."""

        def register(serve: Callable[..., Answer]) -> Callable[..., Response]:
            def view(**path_parameters: str) -> Response:
                given = app.current_request.query_params if app.current_request else None
                return _answered(lambda: serve(Query(given, parameters), **path_parameters))

            app.route(path, methods=["GET"], name=serve.__name__)(view)
            return view

        return register

    @route("/health")
    def health(query: Query) -> Answer:
        return market_data().health(clock())

    @route("/symbols")
    def symbols(query: Query) -> Answer:
        return market_data().symbols(clock())

    @route("/ticks/{symbol}", "exchange", "start", "end", "limit", "order", "cursor")
    def ticks(query: Query, symbol: str) -> Answer:
        return market_data().ticks(symbol, query, clock())

    @route("/ohlc/{symbol}", "exchange", "interval", "start", "end", "limit", "cursor", "fill", "format")
    def ohlc(query: Query, symbol: str) -> Answer:
        return market_data().ohlc(symbol, query, clock())

    return app


def in_our_shape(answer: dict[str, Any]) -> dict[str, Any]:
    """Chalice's own refusals, which come before any route, in the shape of ours."""
    if answer["statusCode"] >= 400 and answer["body"].startswith('{"Code"'):
        code = _CODES.get(json.loads(answer["body"])["Code"], "internal_error")
        answer["body"] = _error_body(code, _MESSAGES[code])
    return answer


def _answered(serve: Callable[[], Answer]) -> Response:
    try:
        answer = serve()
    except QuantError as exc:
        answer = _refusal(exc)
    return Response(answer.body, {"Content-Type": answer.content_type, **answer.headers}, answer.status)


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
