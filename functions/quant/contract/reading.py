"""Requests read as their declaration says. Whatever cannot be used is named, with what it must be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from quant.contract.types import TIME_REMEDY, Time
from quant.errors import RequestError, ValidationError

T = TypeVar("T")
_WHOLE = re.compile(r"-?[0-9]{1,18}\Z")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,3})?\Z")
_PLACE = re.compile(r" - at `\$\.?([^`]*)`\Z")


def read_texts(given: Mapping[str, Sequence[str]], wanted: type[T]) -> T:
    """The Struct ``wanted`` out of the texts of path and query; lists are written with commas.

    Raises:
        ValidationError: names the parameter and what it must be.
    """
    kind: Any = wanted
    fields = _described(kind)
    values: dict[str, Any] = {}
    for name, texts in given.items():
        if name not in fields:
            takes = f"it takes {', '.join(fields)}" if fields else "it takes none"
            raise ValidationError(name[:40], f"is not a parameter of this route; {takes}")
        if len(texts) != 1:
            raise ValidationError(name, "is given more than once")
        values[name] = _value(fields[name], texts[0])
    try:
        return _converted(values, wanted)
    except ValidationError as exc:
        # Of a list the parameter is named, not the entry.
        raise ValidationError(exc.field.partition("[")[0], exc.problem) from exc


def read_json(body: bytes, wanted: type[T]) -> T:
    """The type ``wanted`` out of a JSON body.

    Raises:
        RequestError: it is no JSON.
        ValidationError: names the field and what it must be.
    """
    try:
        values = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise RequestError("bad_request", "the body must be JSON in UTF-8") from exc
    return _converted(_whole_numbers(values), wanted)


def _whole_numbers(value: Any) -> Any:
    """JSON has one kind of number: 608.0 is as whole as 608."""
    if isinstance(value, dict):
        return {name: _whole_numbers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(one) for one in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def remedy(kind: inspect.Type) -> str:
    """What a value of this type must be, to be said after the field's name."""
    if isinstance(kind, inspect.Metadata) and kind.extra and "remedy" in kind.extra:
        return str(kind.extra["remedy"])
    kind = plain(kind)
    if isinstance(kind, inspect.CustomType) and kind.cls is Time:
        return TIME_REMEDY
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        noun = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
        return f"must be {noun}{_bounds(kind)}"
    if isinstance(kind, inspect.BoolType):
        return "must be true or false"
    if isinstance(kind, inspect.LiteralType):
        return f"must be one of {', '.join(map(str, kind.values))}"
    if isinstance(kind, inspect.EnumType):
        return f"must be one of {', '.join(str(one.value) for one in kind.cls)}"
    if isinstance(kind, inspect.StrType):
        return f"must be text{_lengths(kind)}"
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return f"must be a list{_lengths(kind)}"
    return "must be an object"


def plain(kind: inspect.Type) -> inspect.Type:
    """The type itself, without its words and without null."""
    while isinstance(kind, inspect.Metadata | inspect.UnionType):
        if isinstance(kind, inspect.Metadata):
            kind = kind.type
        else:
            kind = next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    return kind


@cache
def _described(wanted: Any) -> dict[str, inspect.Type]:
    found = inspect.type_info(wanted)
    assert isinstance(found, inspect.StructType)
    return {one.encode_name: one.type for one in found.fields}


def _value(kind: inspect.Type, text: str) -> Any:
    """The JSON value that a text stands for; the text itself where it does not stand for one, to be refused later."""
    kind = plain(kind)
    if isinstance(kind, inspect.IntType):
        return int(text) if _WHOLE.match(text) else text
    if isinstance(kind, inspect.FloatType):
        return float(text) if _NUMBER.match(text) else text
    if isinstance(kind, inspect.BoolType):
        return {"true": True, "false": False}.get(text, text)
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return [_value(kind.item_type, part) for part in text.split(",")]
    return text


def _converted(values: Any, wanted: type[T]) -> T:
    try:
        return msgspec.convert(values, wanted, dec_hook=_custom)
    except msgspec.ValidationError as exc:
        raise _refused(str(exc), wanted) from exc


def _custom(kind: type, value: Any) -> Any:
    if kind is Time:
        if isinstance(value, str | int) and not isinstance(value, bool):
            return Time.read(str(value))
        raise ValueError(TIME_REMEDY)
    # msgspec's word for a type that no hook knows.
    raise NotImplementedError(kind.__name__)


def _refused(problem: str, wanted: type) -> ValidationError:
    """msgspec's sentence in our words: the field by its path, and what it must be."""
    place = _PLACE.search(problem)
    where = place[1] if place else ""
    if unknown := re.search(r"unknown field `(.*?)`", problem):
        return ValidationError(_joined(where, unknown[1][:40]), "is not a field of this request")
    if missing := re.search(r"missing required field `(.*?)`", problem):
        name = _joined(where, missing[1])
        kind = _at(wanted, name)
        told = remedy(kind) if kind else ""
        return ValidationError(name, told if told.startswith("must be given") else "must be given")
    kind = _at(wanted, where)
    return ValidationError(where or "body", remedy(kind) if kind else problem.split(" - at ")[0].lower())


def _joined(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _at(wanted: type, where: str) -> inspect.Type | None:
    """The declared type of a path such as ``rules[0].name``."""
    kind: inspect.Type | None = inspect.type_info(wanted)
    for part in re.findall(r"[^.\[\]]+", where):
        found = plain(kind) if kind else None
        if isinstance(found, inspect.StructType):
            kind = next((one.type for one in found.fields if one.encode_name == part), None)
        elif isinstance(found, inspect.ListType | inspect.VarTupleType):
            kind = found.item_type
        else:
            return None
    return kind


def _bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    low = kind.ge if kind.ge is not None else kind.gt
    high = kind.le if kind.le is not None else kind.lt
    if low is not None and high is not None:
        above = " (excluded)" if kind.ge is None else ""
        return f" from {low:g}{above} to {high:g}" if isinstance(kind, inspect.FloatType) else f" from {low} to {high}"
    if low is not None:
        return f" of at least {low:g}" if kind.ge is not None else f" above {low:g}"
    return "" if high is None else f" of at most {high:g}"


def _lengths(kind: Any) -> str:
    low, high = kind.min_length, kind.max_length
    unit = "characters" if isinstance(kind, inspect.StrType) else "entries"
    if getattr(kind, "pattern", None):
        return f" that matches {kind.pattern}"
    if high is not None:
        return f" of {low or 0} to {high} {unit}"
    return "" if not low else f" of at least {low} {unit}"
