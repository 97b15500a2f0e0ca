"""Declared operations as routes of a Chalice app: admitted, read and checked before they are served."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from chalice.app import Chalice, Response

from quant.contract.operation import AnyOperation, B, Cache, Operation, P
from quant.contract.reading import read_json, read_texts
from quant.contract.types import Nothing
from quant.domain.ports import Clock
from quant.errors import QuantError, RequestError, ValidationError
from quant.http.answers import INTERNAL, Answer, error, refusal
from quant.http.brief import BriefAnswers
from quant.http.call import Call
from quant.http.edge import TAG
from quant.http.gate import Gate
from quant.http.request import Request
from quant.telemetry import Telemetry

DAY_S = 86_400


class KeptAnswers(Protocol):
    """Answers already given to an ``Idempotency-Key``: quant.domain.alert.RuleRepository is one."""

    def answer_of(self, key: str) -> tuple[str, bytes] | None:
        """Hash of the request that this key came with, and the answer that was given; None where it is new."""

    def keep_answer(self, key: str, request_hash: str, answer: bytes) -> bool:
        """Keep it for a day, unless one is kept already; whether it is now."""


class _Kept(msgspec.Struct):
    status: int
    body: str


class Routes:
    """Registers functions of a Call on an app.

    Attributes:
        kept: where the answers to idempotency keys are; first called when one is needed.
        brief_for: ms for which operations that are declared ``brief`` give the same answer to the same question again.
    """

    def __init__(
        self,
        app: Chalice,
        gate: Callable[[], Gate],
        clock: Clock,
        telemetry: Telemetry,
        kept: Callable[[], KeptAnswers] | None = None,
        brief_for: int = 0,
    ) -> None:
        # Bodies are text here; the edge packs them.
        app.api.binary_types = []
        self._brief = BriefAnswers(brief_for)
        self.app, self.operations = app, list[AnyOperation]()
        self._gate, self._clock, self._telemetry, self._kept = gate, clock, telemetry, kept

    def serve(self, operation: Operation[P, B]) -> Callable[[Callable[[Call[P, B]], Answer]], None]:
        """Register a function as what serves this operation."""

        def register(serve: Callable[[Call[P, B]], Answer]) -> None:
            def view(**_: str) -> Response:
                assert self.app.current_request is not None
                request = Request.of(self.app.current_request.to_original_event())
                answer = self._answered(operation, serve, request)
                return Response(answer.body.decode(), self._headers(operation, request, answer), answer.status)

            self.app.route(operation.path, methods=[operation.method], name=operation.id, content_types=["*/*"])(view)
            self.operations.append(operation)

        return register

    def _answered(self, operation: Operation[P, B], serve: Callable[[Call[P, B]], Answer], request: Request) -> Answer:
        now = self._clock()
        try:
            self._gate().admit(operation, request.headers.get("authorization"), now)
            call = self._call(operation, request, now)
            if operation.idempotent and call.idempotency_key:
                return self._once(call, serve)
            return self._shared(call, serve) if operation.brief else serve(call)
        except QuantError as exc:
            return refusal(exc, request.id, self._telemetry)
        except Exception:
            self._telemetry.logger.exception("request failed")
            return error("internal_error", INTERNAL, request.id)

    def _shared(self, call: Call[P, B], serve: Callable[[Call[P, B]], Answer]) -> Answer:
        """What was answered to the same question a moment ago, or now. Who may not ask has been refused before."""
        asked = (call.operation.id, call.parameters)
        answer = self._brief.get(asked, call.now)
        if answer is None:
            answer = serve(call)
            self._brief.keep(asked, answer, call.now, self._clock())
        return answer

    def _call(self, operation: Operation[P, B], request: Request, now: int) -> Call[P, B]:
        body: Any = Nothing()
        if operation.reads_body:
            body = read_json(request.body(operation.max_body), operation.body)
        try:
            given = {name: [value] for name, value in request.path.items()}
            parameters = read_texts({**request.query, **given}, operation.parameters)
        except ValidationError as exc:
            if exc.field in operation.in_path:
                # Nothing can be there that has no possible name.
                raise RequestError("not_found", str(exc), exc.field) from exc
            raise
        return Call(operation, parameters, body, now, request.id, _idempotency_key(request), self._gate().keys)

    def _once(self, call: Call[P, B], serve: Callable[[Call[P, B]], Answer]) -> Answer:
        """The answer that this key got before, or now gets. A refusal is not kept: the next attempt may succeed."""
        if self._kept is None:
            return serve(call)
        kept = self._kept()
        asked = msgspec.json.encode((call.operation.id, call.parameters, call.body), enc_hook=int)
        digest = hashlib.sha256(asked).hexdigest()
        before = kept.answer_of(call.idempotency_key)
        if before is None:
            answer = serve(call)
            if kept.keep_answer(
                call.idempotency_key, digest, msgspec.json.encode(_Kept(answer.status, answer.body.decode()))
            ):
                return answer
            before = kept.answer_of(call.idempotency_key) or (digest, b"")
        if before[0] != digest or not before[1]:
            raise RequestError(
                "conflict", "Idempotency-Key was used for another request; take a new one", "Idempotency-Key"
            )
        told = msgspec.json.decode(before[1], type=_Kept)
        return Answer(told.body.encode(), status=told.status, headers={"Idempotent-Replayed": "true"})

    def _headers(self, operation: AnyOperation, request: Request, answer: Answer) -> dict[str, str | list[str]]:
        headers: dict[str, str | list[str]] = {"Content-Type": answer.content_type, **answer.headers}
        headers["Cache-Control"] = self._cache(operation, request, answer)
        return headers | ({TAG: answer.tag} if answer.tag is not None else {})

    def _cache(self, operation: AnyOperation, request: Request, answer: Answer) -> str:
        if answer.status >= 400 or operation.method != "GET" or operation.cache is Cache.NEVER:
            return "no-store"
        is_private = self._gate().is_private(operation, request.headers.get("authorization"))
        if answer.settled:
            return f"{'private' if is_private else 'public'}, max-age={DAY_S}, immutable"
        return "private, no-cache" if is_private else "no-cache"


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("idempotency-key")
    if key is None:
        return ""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", key):
        raise ValidationError("Idempotency-Key", "must be 1 to 100 letters, digits, dashes or underscores")
    return key
