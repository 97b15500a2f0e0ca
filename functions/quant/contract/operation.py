"""What one operation of the API is: everything that a caller may know of it, said once.

Request validation, the OpenAPI document, the documentation page and the generated tests read it here. A route with
path and query parameters, a JSON body, a token, an idempotency key, a version and pages is declared so::

    class RulePath(Struct, **REQUEST):                # fields named in the path come from it, the others from the query
        id: Annotated[str, Meta(description="The rule.", examples=["r1"])]
        limit: Annotated[int, Meta(ge=1, le=100, description="Rules per page.")] = 50
        cursor: Cursor | None = None                  # pages: the answer has `next_cursor: str | None`

    class RuleChange(Struct, **REQUEST):              # the body; `version` is what optimistic locking compares
        version: Annotated[int, Meta(ge=1)]
        name: Annotated[str, Meta(min_length=1, max_length=100)]

    CHANGE_RULE = Operation(
        id="changeRule", method="PUT", path="/alerts/rules/{id}", tag="alerts", summary="Change a rule",
        parameters=RulePath, body=RuleChange, answer=RuleAnswer, auth=Auth.WRITE, idempotent=True,
        errors=(404, 409), example=RuleChange(version=1, name="high"))

and served, in a function that registers routes (``routes`` is a quant.http.routing.Routes)::

    @routes.serve(CHANGE_RULE)
    def change(call: Call[RulePath, RuleChange]) -> Answer:
        call.parameters.id, call.body.version, call.now, call.idempotency_key
        position = call.position()                    # what the cursor says, or None on the first page
        call.next_cursor(after="…")                   # a signed cursor for the next page of this very query
        raise VersionError(current=7)                 # 409 with the current version
        raise RequestError("not_found", "…", "id")    # 404
        return Answer.of(RuleAnswer(...), status=200)

An answer to an idempotency key is kept and repeated by the routes, where they were given a store for that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypedDict, TypeVar

from msgspec import Struct

P = TypeVar("P", bound=Struct)
B = TypeVar("B")

MAX_BODY = 10_000
_ANY_OF_READS, _ANY_OF_WRITES = (400, 401, 405, 422, 429, 500, 503), (400, 401, 405, 413, 415, 422, 429, 500, 503)


class _Declared(TypedDict):
    kw_only: bool
    frozen: bool
    forbid_unknown_fields: bool


REQUEST: _Declared = {"kw_only": True, "frozen": True, "forbid_unknown_fields": True}
"""How the Struct of a request is declared."""
ANSWER = REQUEST
"""How the Struct of an answer is declared: what it does not name is never sent."""


class Auth(StrEnum):
    """Who may call it. A token that is given is checked wherever it is given."""

    NONE = "none"
    READ = "read"
    WRITE = "write"


class Cache(StrEnum):
    """What may be kept of an answer.

    ``live``: nothing without asking again (an ETag makes that cheap). ``settled``: as the handler says, for a long
    time where the data will not change any more. ``never``: nothing at all.
    """

    LIVE = "live"
    SETTLED = "settled"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True)
class Operation(Generic[P, B]):
    """One method of one path.

    Attributes:
        id: in camel case; the OpenAPI document's operationId.
        path: under the stage, with its parameters in braces.
        parameters: Struct of the path's and the query's parameters.
        body: type of the JSON body; Nothing where none is read.
        answer: type of the JSON answer. Real answers are held to it by tests.
        status: of success.
        answer_at: further statuses that come with the very same answer.
        errors: statuses that this operation may answer with beside those that all may.
        media: content types of the answer, JSON first.
        example: of the body; parameters carry their own.
        brief: may be answered as it was a moment ago: new trades do not wait for the caller, nor he for them.
        idempotent: takes an ``Idempotency-Key``.
        max_body: bytes.
    """

    id: str
    method: str
    path: str
    tag: str
    summary: str
    parameters: type[P]
    body: type[B]
    answer: Any
    description: str = ""
    auth: Auth = Auth.READ
    cache: Cache = Cache.LIVE
    status: int = 200
    errors: tuple[int, ...] = ()
    answer_at: tuple[int, ...] = ()
    media: tuple[str, ...] = ("application/json",)
    example: Any = None
    brief: bool = False
    idempotent: bool = False
    max_body: int = MAX_BODY
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_path(self) -> tuple[str, ...]:
        """Names of the parameters that the path holds."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))

    @property
    def in_query(self) -> tuple[str, ...]:
        return tuple(name for name in self.parameters.__struct_fields__ if name not in self.in_path)

    @property
    def reads_body(self) -> bool:
        return getattr(self.body, "__struct_fields__", None) != ()

    @property
    def all_errors(self) -> tuple[int, ...]:
        """Every status that it may refuse with."""
        usual = _ANY_OF_WRITES if self.reads_body or self.method != "GET" else _ANY_OF_READS
        found = {*usual, *self.errors, *((404,) if self.in_path else ()), *((409,) if self.idempotent else ())}
        return tuple(sorted(found - set(self.answer_at)))


AnyOperation = Operation[Any, Any]
