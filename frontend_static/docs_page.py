"""The page /docs/: the API's contract for people, made of the very declarations that the API checks requests by."""

from __future__ import annotations

from typing import Any

from quant import __version__
from quant.contract.catalogue import OPERATIONS
from quant.contract.curl import curl
from quant.contract.document import document
from quant.contract.operation import AnyOperation, Auth, Cache
from quant.contract.types import TIME_SCHEMA

FILE = "docs/index.html"
LOCAL = "http://127.0.0.1:8000"
_AUTH = {
    Auth.NONE: "open to all",
    Auth.READ: "no token needed, unless PUBLIC_READ is false",
    Auth.WRITE: "needs a token",
}
_CACHE = {
    Cache.LIVE: "ask again with If-None-Match",
    Cache.SETTLED: "what cannot change any more may be kept for a day; the rest as If-None-Match says",
    Cache.NEVER: "never",
}
Schema = dict[str, Any]


def docs_context(api_base: str) -> dict[str, Any]:
    """What the template is given."""
    told = document(OPERATIONS, __version__)
    base = api_base if "://" in api_base else LOCAL + api_base
    groups = [
        {
            "name": tag["name"],
            "description": tag["description"],
            "operations": [_operation(one, told, base) for one in OPERATIONS if one.tag == tag["name"]],
        }
        for tag in told["tags"]
    ]
    schemas = told["components"]["schemas"]
    components = [
        {"name": name, "description": schemas[name].get("description", ""), "fields": _fields(schemas[name], schemas)}
        for name in schemas
    ]
    return {
        "groups": groups,
        "components": components,
        "version": __version__,
        "base": base,
        "local": LOCAL,
        "count": len(OPERATIONS),
    }


def _operation(operation: AnyOperation, told: Schema, base: str) -> Schema:
    said = told["paths"][operation.path][operation.method.lower()]
    schemas = told["components"]["schemas"]
    content = said["responses"][str(operation.status)].get("content", {})
    body = said.get("requestBody")
    return {
        "id": operation.id,
        "method": operation.method,
        "path": operation.path,
        "summary": operation.summary,
        "description": operation.description,
        "auth": _AUTH[operation.auth],
        "cache": _CACHE[operation.cache] if operation.method == "GET" else "never",
        "parameters": [_parameter(one) for one in said["parameters"]],
        "body": _fields(body["content"]["application/json"]["schema"], schemas) if body else [],
        "answer": _fields(content.get("application/json", {}).get("schema", {}), schemas),
        "formats": [kind for kind in operation.media if kind in content],
        "status": operation.status,
        "errors": [
            {"status": status, "why": said["responses"][str(status)]["description"]} for status in operation.all_errors
        ],
        "curl": curl(operation, base),
    }


def _parameter(said: Schema) -> Schema:
    schema = said["schema"]
    return {
        "name": said["name"],
        "place": said["in"],
        "required": said["required"],
        "kind": kind_of(schema),
        "default": "" if "default" not in schema else str(schema["default"]),
        "description": said.get("description", "").replace("`", ""),
    }


def _fields(schema: Schema, schemas: Schema) -> list[Schema]:
    """The fields of an object, or of the objects of a list, one level deep: the types name the rest."""
    found = _resolved(schema, schemas)
    if found.get("type") == "array":
        found = _resolved(found["items"], schemas)
    return [
        {
            "name": name,
            "required": name in found.get("required", ()),
            "kind": kind_of(field),
            "default": "" if field.get("default") in (None, [], ()) else str(field["default"]),
            "description": field.get("description", "").replace("`", ""),
        }
        for name, field in found.get("properties", {}).items()
    ]


def kind_of(schema: Schema) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("anyOf") == TIME_SCHEMA["anyOf"]:
        return "ms or ISO 8601"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind_of(one) for one in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    name = str(schema.get("type", "anything"))
    words = {"integer": "whole number", "string": "text", "boolean": "true or false"}
    return words.get(name, name) + _bounds(schema)


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f", {low:,} to {high:,}" if isinstance(low, int) else f", {low:g} to {high:g}"
    if low is not None:
        return f", at least {low:,}"
    return f", at most {schema['maxLength']} characters" if "maxLength" in schema else ""


def _resolved(schema: Schema, schemas: Schema) -> Schema:
    found: Schema = schemas[kind_of(schema)] if "$ref" in schema else schema
    return found
