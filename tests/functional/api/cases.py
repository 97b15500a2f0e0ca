"""Test cases out of the declarations: for each parameter what must be taken, and what must be refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from quant.contract.document import parameter_schemas, required
from quant.contract.operation import AnyOperation

PATTERNED = {
    "symbol": ("BTCUSDT", "btcusdt"), "exchange": ("binance",), "interval": ("1s", "15m", "1d"),
    "window": ("5m", "59m", "43200m", "1h", "720h", "1d", "30d"),
    "y": ("ETHUSDT", "binance:ETHUSDT"), "x": ("BTCUSDT",),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One request: a parameter with a value that must, or must not, be taken, beside those that have to be there."""

    operation: AnyOperation
    name: str
    value: str
    is_good: bool

    @property
    def id(self) -> str:
        return f"{self.operation.id}-{self.name}-{'takes' if self.is_good else 'refuses'}-{self.value[:20]!r}"

    @property
    def path(self) -> str:
        path = self.operation.path
        for name in self.operation.in_path:
            path = path.replace(f"{{{name}}}", self.value if name == self.name else example(self.operation, name))
        return path

    @property
    def query(self) -> dict[str, str]:
        given = {name: example(self.operation, name) for name in required(self.operation)}
        given |= {self.name: self.value}
        return {name: value for name, value in given.items() if name not in self.operation.in_path}


def example(operation: AnyOperation, name: str) -> str:
    """The declared example of a parameter."""
    schema = parameter_schemas(operation)[name]
    found = schema.get("examples") or schema.get("enum") or PATTERNED[name]
    return str(found[0])


def cases(operations: tuple[AnyOperation, ...]) -> Iterator[Case]:
    """Every bound of every parameter from both sides, and every kind of bad value."""
    for operation in operations:
        for name, schema in parameter_schemas(operation).items():
            if name == "cursor":
                yield from (Case(operation, name, bad, False) for bad in ("", "*", "eyJ4", "é", "A" * 401))
                continue
            for value in _taken(name, schema):
                yield Case(operation, name, value, True)
            if name not in operation.in_path:
                for value in _refused(schema):
                    yield Case(operation, name, value, False)


def _taken(name: str, schema: dict[str, Any]) -> Iterator[str]:
    if "enum" in schema:
        yield from map(str, schema["enum"])
    elif schema.get("type") == "boolean":
        yield from ("true", "false")
    elif schema.get("type") in ("integer", "number"):
        yield from (_text(schema[bound]) for bound in ("minimum", "maximum") if bound in schema)
    elif "anyOf" in schema:
        yield from ("0", "4102444800000", "2026-11-22", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.250+02:00")
    elif schema.get("type") == "array":
        yield from ()
    else:
        yield from PATTERNED[name]


def _refused(schema: dict[str, Any]) -> Iterator[str]:
    yield from ("", "\0", "é", "a b", "' or 1=1", "x" * 5_000)
    kind = schema.get("type")
    if kind == "integer":
        yield from (str(schema["minimum"] - 1), str(schema["maximum"] + 1), "1.5", "1e2", "ten", "9" * 30, "\uff11")
    elif kind == "number":
        yield from (_text(schema["minimum"] - 1), _text(schema["maximum"] * 2 + 1), "nan", "inf", "-inf", "1,5")
    elif kind == "boolean":
        yield from ("1", "yes", "True")
    elif "anyOf" in schema:
        yield from ("yesterday", "-1", "4102444800001", "2026-13-01", "1969-12-31T23:59:59Z", "10:00")


def _text(value: float) -> str:
    return msgspec.json.encode(value).decode()
