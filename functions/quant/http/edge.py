"""The edge of a Chalice app: what HTTP asks for around each answer.

Preflights, HEAD, 404 and 405 in our shape, request ids, conditional requests, compression, CORS and one log line.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from chalice.app import Chalice

from quant.errors import RequestError
from quant.http.answers import INTERNAL, Answer, error, refusal
from quant.http.gate import Gate
from quant.http.request import Request
from quant.telemetry import Telemetry

SMALL, LARGE = 1_000, 200_000
TAG = "X-Quant-Tag"
_PREFLIGHT_FOR = "7200"
_ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id"
_EXPOSED_HEADERS = "ETag, RateLimit-Policy, Retry-After, X-Next-Cursor, X-Request-Id"


def api_telemetry(service: str) -> Telemetry:
    """Of a function that serves routes."""
    return Telemetry.of(service, "Quant/Api", duration_ms="Milliseconds", server_errors="Count")


@dataclass(frozen=True, slots=True)
class Api:
    """An app as Lambda calls it, and as tests do."""

    app: Chalice
    gate: Callable[[], Gate]
    telemetry: Telemetry

    def __call__(self, event: dict[str, Any], context: Any = None) -> dict[str, Any]:
        began = time.perf_counter()
        request = Request.of(event)
        self.telemetry.logger.set_correlation_id(request.id)
        answer = self._answered(request, context)
        headers = {**answer.headers, "Content-Type": answer.content_type, "X-Request-Id": request.id}
        headers |= self.gate().policy | self._cors(request)
        answer = _conditional(request, replace(answer, headers=headers))
        sent = _sent(request, answer)
        self._log(request, answer, len(sent["body"]), began)
        return sent

    def _answered(self, request: Request, context: Any) -> Answer:
        try:
            request.refuse_override()
            if request.route not in self.app.routes:
                raise RequestError("not_found", "there is no such route")
            if request.method == "OPTIONS":
                return self._preflight(request)
            return self._dispatched(request, context)
        except RequestError as exc:
            return refusal(exc, request.id, self.telemetry)

    def _dispatched(self, request: Request, context: Any) -> Answer:
        methods = self.app.routes[request.route]
        method = "GET" if request.method == "HEAD" else request.method
        if method not in methods:
            problem = "this route does not take that method"
            return error("method_not_allowed", problem, request.id, headers={"Allow": self._allowed(request.route)})
        context = {**request.event["requestContext"], "httpMethod": method, "requestId": request.id}
        inner = {**request.event, "requestContext": context}
        found = self.app(inner, context)
        headers = dict(found["headers"])
        if "Content-Type" not in headers or found["body"].startswith('{"Code"'):
            return error("internal_error", INTERNAL, request.id)
        return Answer(found["body"].encode(), headers.pop("Content-Type"), found["statusCode"], headers)

    def _allowed(self, route: str) -> str:
        methods = set(self.app.routes[route])
        return ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))

    def _preflight(self, request: Request) -> Answer:
        headers = {"Allow": self._allowed(request.route), "Cache-Control": "no-store"}
        origin = request.headers.get("origin")
        if origin is not None and "access-control-request-method" in request.headers:
            if origin not in self.gate().origins:
                raise RequestError("forbidden", "pages of that origin may not call this API", "Origin")
            headers["Access-Control-Allow-Methods"] = self._allowed(request.route)
            headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
            headers["Access-Control-Max-Age"] = _PREFLIGHT_FOR
        return Answer(b"", status=204, headers=headers)

    def _cors(self, request: Request) -> dict[str, str]:
        headers = {"Vary": "Accept-Encoding, Origin" if self.gate().origins else "Accept-Encoding"}
        origin = request.headers.get("origin", "")
        if origin in self.gate().origins:
            headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED_HEADERS}
        return headers

    def _log(self, request: Request, answer: Answer, size: int, began: float) -> None:
        self.telemetry.report(
            "request",
            method=request.method[:10],
            route=request.route,
            status=answer.status,
            duration_ms=round((time.perf_counter() - began) * 1000, 2),
            bytes=size,
            server_errors=int(answer.status >= 500),
        )


def _conditional(request: Request, answer: Answer) -> Answer:
    """The answer with its ETag, or 304 where the caller has it already."""
    headers = {name: value for name, value in answer.headers.items() if name != TAG}
    headers.setdefault("Cache-Control", "no-store")
    if answer.status != 200 or request.method not in ("GET", "HEAD") or headers["Cache-Control"] == "no-store":
        return replace(answer, headers=headers)
    tag = f'W/"{hashlib.blake2b(_tagged(answer), digest_size=12).hexdigest()}"'
    headers["ETag"] = tag
    given = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if tag.removeprefix("W/") in given or "*" in given:
        del headers["Content-Type"]
        return replace(answer, status=304, body=b"", headers=headers)
    return replace(answer, headers=headers)


def _tagged(answer: Answer) -> bytes:
    tag = answer.headers.get(TAG)
    return answer.body if tag is None else tag.encode()


def _sent(request: Request, answer: Answer) -> dict[str, Any]:
    """As API Gateway wants it: bodies that are no text in base64, decoded again for whoever says what he accepts."""
    headers = answer.headers
    if answer.body and request.method != "HEAD" and len(answer.body) >= SMALL and _takes_gzip(request):
        headers = {**headers, "Content-Encoding": "gzip"}
        # Many ask for the same: each answer is packed once, unless it is so large that keeping it would be dear.
        pack = _packed if len(answer.body) <= LARGE else _packed.__wrapped__
        body, is_binary = pack(answer.body), True
    else:
        body, is_binary = "" if request.method == "HEAD" else answer.body.decode(), False
    return {
        "statusCode": answer.status,
        "headers": headers,
        "multiValueHeaders": {},
        "body": body,
        "isBase64Encoded": is_binary,
    }


@lru_cache(maxsize=32)
def _packed(body: bytes) -> str:
    return base64.b64encode(gzip.compress(body, compresslevel=1, mtime=0)).decode()


def _takes_gzip(request: Request) -> bool:
    # Without an Accept header API Gateway would hand out the base64 itself.
    accepted = request.headers.get("accept-encoding", "").lower()
    if not request.headers.get("accept"):
        return False
    found = re.search(r"(?:^|[,\s])(?:gzip|\*)\s*(?:;\s*q=([0-9.]+))?\s*(?:,|$)", accepted)
    return found is not None and (found[1] is None or _quality(found[1]) > 0)


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
