"""A request as API Gateway hands it over, and nothing of it trusted yet."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from quant.errors import RequestError

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")
_OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")


@dataclass(frozen=True, slots=True)
class Request:
    """
    Attributes:
        id: the caller's X-Request-Id where it can be one, else API Gateway's own.
        route: the path's template, such as ``/ohlc/{symbol}``.
        headers: by their names in lower case.
    """

    id: str
    method: str
    route: str
    path: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    event: Mapping[str, Any]

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Self:
        context = event["requestContext"]
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        given = headers.get("x-request-id", "")
        return cls(
            id=given if _REQUEST_ID.match(given) else str(context.get("requestId") or uuid.uuid4()),
            method=str(context["httpMethod"]).upper(),
            route=str(context["resourcePath"]),
            path=event.get("pathParameters") or {},
            query=event.get("multiValueQueryStringParameters") or {},
            headers=headers,
            event=event,
        )

    def body(self, most: int) -> bytes:
        """
        Raises:
            RequestError: it is too long, or not of JSON's content type.
        """
        text = self.event.get("body") or ""
        try:
            body = base64.b64decode(text) if self.event.get("isBase64Encoded") else text.encode()
        except (binascii.Error, UnicodeEncodeError) as exc:
            raise RequestError("bad_request", "the body cannot be read") from exc
        if len(body) > most:
            raise RequestError("payload_too_large", f"the body must not exceed {most} bytes", "body")
        kind = self.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise RequestError("unsupported_media_type", "the body must be application/json", "Content-Type")
        return body

    def refuse_override(self) -> None:
        """
        Raises:
            RequestError: a header asks for another method than the request's own.
        """
        for name in _OVERRIDES:
            if name in self.headers:
                raise RequestError("bad_request", "methods cannot be overridden; send the method itself", name)
