"""A line for the shell per operation, made of its declared examples."""

from __future__ import annotations

import shlex
from urllib.parse import quote, urlencode

import msgspec

from quant.contract.document import parameter_schemas, required
from quant.contract.operation import AnyOperation, Auth

TOKEN = '"Authorization: Bearer $TOKEN"'


def curl(operation: AnyOperation, base: str) -> str:
    """How the operation is called: ``base`` is the API's address, such as http://127.0.0.1:8000/api."""
    parts = ["curl -s"]
    if operation.method != "GET":
        parts.append(f"-X {operation.method}")
    if operation.auth is Auth.WRITE:
        parts.append(f"-H {TOKEN}")
    if operation.reads_body and operation.example is not None:
        body = msgspec.json.encode(_given(operation), enc_hook=int).decode()
        parts += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(body)}"]
    parts.append(shlex.quote(base + address(operation)))
    return " ".join(parts)


def address(operation: AnyOperation) -> str:
    """Path and query with the examples of what must be given."""
    path, query = operation.path, {}
    for name, schema in parameter_schemas(operation).items():
        found = schema.get("examples") or schema.get("enum")
        if name in operation.in_path:
            path = path.replace(f"{{{name}}}", quote(str(found[0]) if found else f"<{name}>", safe="<>"))
        elif name in required(operation) and found:
            query[name] = str(found[0])
        elif name == "limit":
            query[name] = "5"
    return path + (f"?{urlencode(query)}" if query else "")


def _given(operation: AnyOperation) -> dict[str, object]:
    """The example without what is left at its default."""
    told: dict[str, object] = msgspec.to_builtins(operation.example, enc_hook=int)
    defaults = {one.encode_name: one.default for one in msgspec.structs.fields(operation.example)}
    return {name: value for name, value in told.items() if value is not None and value != defaults.get(name)}
