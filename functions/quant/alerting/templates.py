"""Messages that a user writes: Jinja2 cut down to what a sentence needs, so that no message costs time or memory.

A template may print values, compare and calculate, choose with ``if``, and use the filters named here. It has no loops,
no assignments, no calls, no attributes: what it does is then bounded by its length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from quant.errors import ValidationError

MAX_SOURCE, MAX_OUTPUT, MAX_NESTING = 2_000, 4_000, 50
_MOST_DECIMALS = 12

_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.CondExpr,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div,
    nodes.Neg, nodes.Pos, nodes.Concat, nodes.Filter, nodes.Test,
)  # fmt: skip
_TESTS = ("none", "defined", "number", "string")
_ARITHMETIC = {"+", "-", "*", "/"}


def number(value: Any, decimals: Any = 2) -> str:
    """With thousands separated; what is no number is a dash."""
    _known(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "-"
    return f"{value:,.{min(max(int(decimals), 0), _MOST_DECIMALS)}f}"


def moment(value: Any) -> str:
    """Milliseconds since the epoch as a date and time, UTC."""
    _known(value)
    if not isinstance(value, int) or not 0 <= value < 253_402_300_800_000:
        return "-"
    return f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _known(value: Any) -> None:
    """An unknown name is a mistake, not a missing value."""
    if isinstance(value, StrictUndefined):
        str(value)


def _rounded(value: Any, decimals: Any = 0) -> float:
    return round(float(value), min(max(int(decimals), 0), _MOST_DECIMALS))


def _default(value: Any, other: Any = "") -> Any:
    return other if value is None or isinstance(value, StrictUndefined) else value


FILTERS: dict[str, Any] = {
    "number": number,
    "time": moment,
    "round": _rounded,
    "abs": abs,
    "upper": lambda value: str(value).upper(),
    "lower": lambda value: str(value).lower(),
    "default": _default,
}


class _Environment(ImmutableSandboxedEnvironment):
    """Its arithmetic is for numbers: a text times a billion is refused, when it is compiled too."""

    intercepted_binops = frozenset(_ARITHMETIC)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if not all(isinstance(side, int | float) for side in (left, right)):
            raise TemplateError(f"{operator} is for numbers only; ~ joins texts")
        return super().call_binop(context, operator, float(left), float(right))


_environment = _Environment(undefined=StrictUndefined, autoescape=False)
_environment.filters, _environment.globals = dict(FILTERS), {}
_environment.tests = {name: _environment.tests[name] for name in _TESTS}


def check(source: str, values: Mapping[str, Any]) -> None:
    """
    Raises:
        ValidationError: the template cannot be used for a message with such values; names ``message``.
    """
    try:
        render(source, values)
    except TemplateError as exc:
        known = ", ".join(sorted(values))
        raise ValidationError("message", f"is no template that can be used: {exc}; its values are {known}") from exc


def render(source: str, values: Mapping[str, Any]) -> str:
    """The message, at most MAX_OUTPUT characters.

    Raises:
        TemplateError: not such a template, an unknown value, a calculation that fails, or nothing to say.
    """
    try:
        text = _compiled(source).render(values)
    except (ArithmeticError, TypeError, ValueError) as exc:
        raise TemplateError(str(exc)) from exc
    text = "".join(letter for letter in text.strip() if letter == "\n" or letter.isprintable())
    if not text:
        raise TemplateError("it gives an empty message")
    return text[:MAX_OUTPUT]


@lru_cache(maxsize=1_000)
def _compiled(source: str) -> Template:
    if len(source) > MAX_SOURCE:
        raise TemplateError(f"it is longer than {MAX_SOURCE} characters")
    try:
        _refuse(_environment.parse(source), 0)
        return _environment.from_string(source)
    except (RecursionError, MemoryError, SyntaxError) as exc:
        raise TemplateError("it is nested too deeply") from exc


def _refuse(node: nodes.Node, depth: int) -> None:
    if depth > MAX_NESTING:
        raise TemplateError("it is nested too deeply")
    word = type(node).__name__.lower()
    if not isinstance(node, _NODES):
        raise TemplateError(f"{word} is not allowed in messages")
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise TemplateError(f"there is no filter {node.name[:30]!r}; there are {', '.join(FILTERS)}")
    if isinstance(node, nodes.Test) and node.name not in _TESTS:
        raise TemplateError(f"there is no test {node.name[:30]!r}; there are {', '.join(_TESTS)}")
    if isinstance(node, nodes.Name) and node.name == "self":
        raise TemplateError("self is not allowed in messages")
    if isinstance(node, nodes.Const) and isinstance(node.value, float) and not math.isfinite(node.value):
        raise TemplateError("a number in it is too large")
    for child in node.iter_child_nodes():
        _refuse(child, depth + 1)
