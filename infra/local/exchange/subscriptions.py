"""The streams of one connection, and the messages that change them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

MOST_STREAMS = 1_024
_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_BAD_ID = "Invalid request: request ID must be an unsigned integer"


class TooManyStreamsError(Exception):
    """A connection asked for more streams than it may carry."""


class _Refused(Exception):
    def __init__(self, code: int, msg: str, number: object = None) -> None:
        super().__init__(code, msg, number)
        self.code, self.msg, self.number = code, msg, number


@dataclass(slots=True)
class Subscriptions:
    """What a connection listens to and how it wants it."""

    combined: bool = False
    microseconds: bool = False
    streams: dict[str, None] = field(default_factory=dict)

    @classmethod
    def of_path(cls, path: str) -> Subscriptions | None:
        """The subscriptions that a URL asks for, or None where there is nothing under that path.

        Raises:
            TooManyStreamsError: it asks for more than 1024.
        """
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        found = cls(microseconds=query.get("timeUnit", [""])[-1].upper() == "MICROSECOND")
        if parts.path.rstrip("/") == "/stream":
            found.combined = True
            found.add(query.get("streams", [""])[-1].split("/"))
        elif parts.path == "/ws" or parts.path.startswith("/ws/"):
            found.add(parts.path.removeprefix("/ws").split("/"))
        else:
            return None
        return found

    @property
    def symbols(self) -> set[str]:
        return {stream.partition("@")[0].upper() for stream in self.streams}

    def add(self, names: list[str]) -> None:
        streams = self.streams | dict.fromkeys(name for name in names if name)
        if len(streams) > MOST_STREAMS:
            raise TooManyStreamsError
        self.streams = streams

    def answer(self, message: str | bytes) -> str:
        """Carry out a client's message and give the reply.

        Raises:
            TooManyStreamsError: it asks for more than 1024 streams in all.
        """
        try:
            result, number = self._carry_out(message)
        except _Refused as refused:
            error: dict[str, object] = {"code": refused.code, "msg": refused.msg}
            return _compact(error if refused.number is None else error | {"id": refused.number})
        return _compact({"result": result, "id": number})

    def _carry_out(self, message: str | bytes) -> tuple[object, object]:
        request = _request(message)
        method, number = request["method"], request["id"]
        params = request.get("params", [])
        if method == "LIST_SUBSCRIPTIONS":
            return list(self.streams), number
        if not isinstance(params, list):
            raise _Refused(2, "Invalid request: params must be an array")
        if method.endswith("PROPERTY"):
            return self._property(method, params, number), number
        if not params or not all(isinstance(name, str) for name in params):
            raise _Refused(2, "Invalid request: params must be an array of stream names")
        self._change(method, params)
        return None, number

    def _change(self, method: str, names: list[str]) -> None:
        if method == "SUBSCRIBE":
            self.add(names)
        else:
            self.streams = {name: None for name in self.streams if name not in names}

    def _property(self, method: str, params: list[Any], number: object) -> bool | None:
        expected = 1 if method == "GET_PROPERTY" else 2
        if len(params) > expected:
            raise _Refused(2, "Invalid request: too many parameters")
        if not params or not isinstance(params[0], str):
            raise _Refused(2, "Invalid request: property name must be a string")
        if params[0] != "combined":
            raise _Refused(0, "Unknown property", number)
        if method == "GET_PROPERTY":
            return self.combined
        if len(params) < 2 or not isinstance(params[1], bool):
            raise _Refused(1, "Invalid value type: expected Boolean")
        self.combined = params[1]
        return None


def _request(message: str | bytes) -> dict[str, Any]:
    try:
        request = json.loads(message)
    except json.JSONDecodeError as exc:
        raise _Refused(3, f"Invalid JSON: expected value at line {exc.lineno} column {exc.colno}") from exc
    except UnicodeDecodeError as exc:
        raise _Refused(3, "Invalid JSON: expected value at line 1 column 1") from exc
    if not isinstance(request, dict) or "method" not in request:
        raise _Refused(2, f"Invalid request: missing field `method` at line 1 column {len(message)}")
    if request["method"] not in _METHODS:
        expected = ", ".join(f"`{name}`" for name in _METHODS)
        at = f"at line 1 column {_column(message, request['method'])}"
        raise _Refused(2, f"Invalid request: unknown variant {request['method']}, expected one of {expected} {at}")
    if "id" not in request or not _is_id(request["id"]):
        raise _Refused(2, _BAD_ID)
    return request


def _is_id(number: object) -> bool:
    if isinstance(number, bool):
        return False
    if isinstance(number, int):
        return -(2**63) <= number < 2**63
    return number is None or (isinstance(number, str) and len(number) <= 36)


def _column(message: str | bytes, method: object) -> int:
    line = message.decode() if isinstance(message, bytes) else message
    return line.find(json.dumps(method)) + len(json.dumps(method))


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
