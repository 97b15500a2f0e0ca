"""Routes of a Chalice app whose parameters are checked before they are served."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec
from chalice.app import Chalice, Response

from quant.errors import ValidationError
from quant.http.answers import Answer, answered
from quant.http.parameters import Query

MAX_BODY = 10_000
View = Callable[..., Response]
Serve = Callable[..., Answer]


class Routes:
    """Registers functions of a Query, and of the path's parameters, on an app."""

    def __init__(self, app: Chalice, logger: logging.Logger) -> None:
        self.app, self._logger = app, logger

    def get(self, path: str, *parameters: str) -> Callable[[Serve], View]:
        """A GET route that takes these query parameters and no others."""
        return self._register(path, parameters, ["GET"])

    def get_or_post(self, path: str, *parameters: str) -> Callable[[Serve], View]:
        """A route that takes its parameters in the query or as a JSON object in the body."""
        return self._register(path, parameters, ["GET", "POST"])

    def _register(self, path: str, parameters: tuple[str, ...], methods: list[str]) -> Callable[[Serve], View]:
        def register(serve: Serve) -> View:
            def view(**path_parameters: str) -> Response:
                return answered(lambda: serve(self._query(parameters), **path_parameters), self._logger)

            self.app.route(path, methods=methods, name=serve.__name__, content_types=["*/*"])(view)
            return view

        return register

    def _query(self, parameters: tuple[str, ...]) -> Query:
        request = self.app.current_request
        given = dict(request.query_params or {}) if request else {}
        if request and request.method == "POST":
            given |= body_parameters(request.raw_body)
        return Query(given, parameters)


def body_parameters(body: str | bytes) -> dict[str, str]:
    """A JSON object of plain values, as the query would have them.

    Raises:
        ValidationError: too long, no JSON, no object, or an object in it.
    """
    if len(body) > MAX_BODY:
        raise ValidationError("body", f"must not exceed {MAX_BODY} bytes")
    try:
        found = msgspec.json.decode(body or b"{}", type=dict[str, str | int | float | bool | None])
    except msgspec.MsgspecError as exc:
        raise ValidationError("body", "must be a JSON object of texts, numbers, true and false") from exc
    return {name: _text(value) for name, value in found.items() if value is not None}


def _text(value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
