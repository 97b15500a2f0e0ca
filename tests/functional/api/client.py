"""The API called as API Gateway calls it, in process."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from quant.contract.operation import AnyOperation


@dataclass(frozen=True)
class Reply:
    status: int
    text: str
    headers: dict[str, str]
    is_binary: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.text, parse_float=Decimal, parse_constant=_no_json)

    @property
    def plain(self) -> Any:
        return json.loads(self.text, parse_constant=_no_json)

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = self.plain["error"]
        return found


@dataclass(frozen=True)
class Client:
    """``handler`` is what Lambda calls; ``operations`` are those that it serves, by which a path finds its template."""

    handler: Callable[[dict[str, Any], Any], dict[str, Any]]
    operations: Sequence[AnyOperation]
    token: str = ""

    def get(self, path: str, **query: Any) -> Reply:
        return self.request("GET", path, query=query)

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        return self.request(
            "POST", path, body=body, headers={name.replace("_", "-"): headers[name] for name in headers}
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        template, given = self._matched(path)
        sent = {"accept": "application/json", **({"authorization": f"Bearer {self.token}"} if self.token else {})}
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        texts = {name: value if isinstance(value, list) else [_text(value)] for name, value in (query or {}).items()}
        answer = self.handler(event(template, method, texts, given, text, {**sent, **(headers or {})}), None)
        return Reply(answer["statusCode"], answer["body"], answer["headers"], answer["isBase64Encoded"])

    def _matched(self, path: str) -> tuple[str, dict[str, str]]:
        # A literal path goes before one with parameters, as in API Gateway.
        for template in sorted({one.path for one in self.operations}, key=lambda one: one.count("{")):
            if found := re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template), path):
                return template, found.groupdict()
        return path, {}


def event(
    template: str,
    method: str,
    query: Mapping[str, list[str]] | None = None,
    path: Mapping[str, str] | None = None,
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A request as API Gateway sends it."""
    return {
        "resource": template,
        "httpMethod": method,
        "requestContext": {
            "resourcePath": template, "httpMethod": method, "path": f"/api{template}", "requestId": "gateway-request-1",
        },
        "pathParameters": dict(path) if path else None,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} if query else None,
        "multiValueQueryStringParameters": dict(query) if query else None,
        "headers": dict(headers or {}),
        "multiValueHeaders": {name: [value] for name, value in (headers or {}).items()},
        "body": body,
        "isBase64Encoded": False,
        "stageVariables": None,
    }  # fmt: skip


def _text(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _no_json(word: str) -> NoReturn:
    raise AssertionError(f"{word} is no JSON")
