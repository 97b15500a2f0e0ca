"""The OpenAPI 3.1 document of any operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from quant.contract.operation import AnyOperation, Auth
from quant.contract.pairs import Maybe, NoStatistic
from quant.contract.types import TIME_SCHEMA, Nothing, Time

Schema = dict[str, Any]
_REFERENCE = "#/components/schemas/{name}"
_REASONS = {
    200: "The answer.", 201: "Made.", 202: "Taken on.", 204: "Done; there is nothing to say.",
    304: "What the caller has is still so.", 400: "The request cannot be read.", 401: "A valid token is needed.",
    403: "Not allowed.", 404: "There is no such thing.", 405: "This route does not take that method.",
    409: "It conflicts with what is stored; read again.", 413: "The body is too long.",
    415: "The body is not application/json.",
    422: "A parameter or the body cannot be used; `field` says which, `message` what it must be.",
    429: "Too many requests; wait and ask less often.", 500: "A defect; it has been logged.",
    503: "A part does not answer; try again after `Retry-After`.",
}  # fmt: skip
_TAGS = {
    "market": "Symbols, trades and bars.",
    "analytics": "Statistics of single symbols.",
    "pairs": "Correlation, cointegration and the scan of all pairs.",
    "alerts": "Rules, their history and how they are checked.",
    "platform": "Health, cost and this contract.",
}
_DESCRIPTION = """\
Trades of many crypto pairs, exact bars, statistics, pair analytics and alerts.

**Time** is milliseconds since 1970, UTC; requests may say it in ISO 8601. **Prices and quantities** are exact decimals,
printed as JSON numbers. **Pages**: `next_cursor` of one page is `cursor` of the next, with the other parameters as they
were; null is the end. **Errors** have one shape: a `code` for programs, a `message` for people, the request's id.
**Formats**: JSON, and CSV where `format=csv` asks for it; `Accept` is not looked at. **Caching**: reads carry an ETag;
`If-None-Match` answers 304. **Limits**: `RateLimit-Policy` says how many requests a second a route takes from all
callers together; what is more is answered 429 with `Retry-After`.
"""


def document(operations: Sequence[AnyOperation], version: str, server: str = "/api") -> Schema:
    """What a program must know to call them."""
    schemas = _Schemas(operations)
    paths: dict[str, Schema] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    used = {operation.tag for operation in operations}
    told = {
        "openapi": "3.1.0",
        "info": {
            "title": "Crypto Quantitative Analytics Platform",
            "version": version,
            "description": _DESCRIPTION,
        },
        "servers": [{"url": server}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items() if name in used],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "headers": {
                "RequestId": {"description": "Names this request in the logs.", "schema": {"type": "string"}},
                "RateLimitPolicy": {
                    "description": "Requests (`q`) in `w` seconds that this route takes from all callers together.",
                    "schema": {"type": "string"},
                    "example": '"route";q=50;w=1',
                },
                "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
            },
        },
    }
    # As it will be read: tuples of the declarations are lists.
    plain: Schema = msgspec.json.decode(msgspec.json.encode(told))
    return plain


def parameter_schemas(operation: AnyOperation) -> dict[str, Schema]:
    """The schema of each parameter of path and query, by name, in the order of their declaration."""
    return _Schemas([operation]).parameters(operation)


class _Schemas:
    """JSON schemas of all types that the operations name."""

    def __init__(self, operations: Sequence[AnyOperation]) -> None:
        self._operations = operations
        kinds: list[Any] = [ErrorAnswer, NoStatistic]
        for operation in operations:
            kinds += [operation.parameters, operation.answer, *([operation.body] if operation.reads_body else [])]
        self._kinds = kinds
        self.components: dict[str, Schema] = {}
        self._generate()

    def _generate(self) -> None:
        """A statistic that may be missing is met on the way; what it may be is then described too."""
        met: list[type] = []

        def custom(kind: type) -> Schema:
            if kind is Time:
                return TIME_SCHEMA
            if issubclass(kind, Maybe):
                if kind.of not in met:
                    met.append(kind.of)
                return {"anyOf": [_reference(kind.of.__name__), _reference("NoStatistic")]}
            # msgspec's word for a type that no hook knows.
            raise NotImplementedError(kind.__name__)

        known = 0
        while True:
            wanted = [*self._kinds, *met]
            shapes, self.components = msgspec.json.schema_components(
                wanted, schema_hook=custom, ref_template=_REFERENCE
            )
            self._shapes = list(zip(wanted, shapes, strict=True))
            if len(met) == known:
                break
            known = len(met)
        # Parameters are told one by one; only what bodies and answers are made of is a component.
        own = {_name(one.parameters) for one in self._operations}
        own = (own - {_name(one.body) for one in self._operations}) | {_name(Nothing)}
        self._parameters = dict(self.components)
        self.components = {name: self.components[name] for name in sorted(self.components) if name not in own}

    def of(self, kind: Any) -> Schema:
        return next(shape for one, shape in self._shapes if one == kind)

    def parameters(self, operation: AnyOperation) -> dict[str, Schema]:
        if operation.parameters is Nothing:
            return {}
        whole = self._parameters[operation.parameters.__name__]
        return {name: _without_null(schema) for name, schema in whole["properties"].items()}


class ErrorDetail(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    code: str
    message: str
    request_id: str
    field: str | None = None
    current: int | None = None


class ErrorAnswer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    error: ErrorDetail


def _operation(operation: AnyOperation, schemas: _Schemas) -> Schema:
    told: Schema = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        **({"description": operation.description} if operation.description else {}),
        "parameters": _parameters(operation, schemas),
        "responses": _responses(operation, schemas),
        "security": _security(operation.auth),
    }
    if operation.reads_body:
        content: Schema = {"schema": schemas.of(operation.body)}
        if operation.example is not None:
            content["example"] = msgspec.to_builtins(operation.example, enc_hook=int)
        told["requestBody"] = {"required": True, "content": {"application/json": content}}
    return told


def _parameters(operation: AnyOperation, schemas: _Schemas) -> list[Schema]:
    found = [_parameter(operation, name, schema) for name, schema in schemas.parameters(operation).items()]
    if operation.idempotent:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "A repetition with the same key is answered as the first one was, for a day.",
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,100}$"},
            }
        )
    return found


def _parameter(operation: AnyOperation, name: str, schema: Schema) -> Schema:
    schema = dict(schema)
    description, examples = schema.pop("description", None), schema.pop("examples", [])
    is_list = schema.get("type") == "array"
    return {
        "name": name,
        "in": "path" if name in operation.in_path else "query",
        "required": name in operation.in_path or name in required(operation),
        **({"description": description} if description else {}),
        "schema": schema,
        **({"example": examples[0]} if examples else {}),
        **({"style": "form", "explode": False} if is_list else {}),
    }


def required(operation: AnyOperation) -> tuple[str, ...]:
    """Names of the parameters that must be given."""
    return tuple(one.name for one in msgspec.structs.fields(operation.parameters) if one.required)


def _responses(operation: AnyOperation, schemas: _Schemas) -> Schema:
    content: Schema = {"application/json": {"schema": schemas.of(operation.answer)}}
    content |= {kind: {"schema": {"type": "string"}} for kind in operation.media[1:]}
    further = {name: {"description": text, "schema": {"type": "string"}} for name, text in operation.headers.items()}
    success = {"description": _REASONS[operation.status], "headers": _headers() | further, "content": content}
    if operation.answer is None:
        del success["content"]
    links = _links(operation)
    found: Schema = {str(operation.status): success | ({"links": links} if links else {})}
    for status in operation.answer_at:
        found[str(status)] = {"description": _REASONS[status], "headers": _headers(), "content": content}
    if operation.method == "GET":
        found["304"] = {"description": _REASONS[304], "headers": _headers()}
    error = {"application/json": {"schema": _reference("ErrorAnswer")}}
    for status in operation.all_errors:
        found[str(status)] = {"description": _REASONS[status], "headers": _headers(status), "content": error}
    return found


def _headers(status: int = 200) -> Schema:
    names = {"X-Request-Id": "RequestId"}
    if status in (429, 503):
        names["Retry-After"] = "RetryAfter"
    if status != 429:  # the stage's own answer
        names["RateLimit-Policy"] = "RateLimitPolicy"
    return {name: {"$ref": f"#/components/headers/{component}"} for name, component in names.items()}


def _links(operation: AnyOperation) -> Schema:
    if "cursor" not in operation.in_query:
        return {}
    given = {name: f"$request.path.{name}" for name in operation.in_path}
    return {
        "NextPage": {
            "operationId": operation.id,
            "parameters": given | {"cursor": "$response.body#/next_cursor"},
            "description": "The next page; the query's other parameters stay as they were.",
        }
    }


def _security(auth: Auth) -> list[Schema]:
    if auth is Auth.NONE:
        return []
    return [{"token": []}] if auth is Auth.WRITE else [{}, {"token": []}]


def _without_null(schema: Schema) -> Schema:
    """A parameter is left out, never null."""
    schema = dict(schema)
    if schema.get("default", 0) is None:
        del schema["default"]
    if "anyOf" in schema:
        others = [one for one in schema["anyOf"] if one != {"type": "null"}]
        if len(others) == 1:
            del schema["anyOf"]
            schema = {**others[0], **schema}
    return schema


def _name(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))


def _reference(name: str) -> Schema:
    return {"$ref": _REFERENCE.format(name=name)}
