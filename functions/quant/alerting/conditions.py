"""When a rule's condition holds, and when it is over.

Every operator is the same comparison of another view of the value: ``v < 5`` is ``-v > -5``, ``outside 2`` is
``|v| > 2``. So the state machine knows one comparison, and a rule is looked through by the extremes of its view.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from quant.domain.alert import Rule

View = Literal["up", "down", "far", "near"]
"""How a value is looked at: as it is, negated, by its distance from zero, by that distance negated."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One way to compare a value with the threshold.

    Attributes:
        strict: whether the threshold itself does not count.
        edge: whether it fires only on the way across, not for being there already.
        words: how a message says it.
    """

    view: View
    strict: bool
    words: str
    edge: bool = False

    def level(self, threshold: float) -> float:
        """The threshold in this operator's view."""
        return -threshold if self.view in ("down", "near") else threshold


OPERATORS = {
    ">": Operator("up", True, "is above"),
    ">=": Operator("up", False, "is at or above"),
    "<": Operator("down", True, "is below"),
    "<=": Operator("down", False, "is at or below"),
    "crosses_above": Operator("up", True, "rose above", edge=True),
    "crosses_below": Operator("down", True, "fell below", edge=True),
    "outside": Operator("far", True, "is farther from zero than"),
    "inside": Operator("near", True, "is nearer to zero than"),
}
SIGNED_ONLY = ("outside", "inside")
PLAIN = (">", ">=", "<", "<=")
"""Those that every metric takes."""

VIEWS: dict[View, Callable[[float], float]] = {
    "up": lambda value: value,
    "down": lambda value: -value,
    "far": abs,
    "near": lambda value: -abs(value),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule's comparison in its view, where larger always means nearer to firing. A NaN neither meets nor clears."""

    level: float
    clear_level: float
    strict: bool
    edge: bool

    def holds(self, seen: float) -> bool:
        return seen > self.level if self.strict else seen >= self.level

    def is_clear(self, seen: float) -> bool:
        return seen <= self.clear_level if self.strict else seen < self.clear_level

    def meets(self, seen: float, before: float | None) -> bool:
        """Whether it begins to hold. Across a gap, where ``before`` is None, nothing is known to have been crossed."""
        if not self.holds(seen):
            return False
        return not self.edge or (before is not None and not math.isnan(before) and not self.holds(before))


def condition_of(rule: Rule) -> Condition:
    """The rule's own."""
    operator = OPERATORS[rule.operator]
    clear = rule.threshold if rule.clear_threshold is None else rule.clear_threshold
    return Condition(operator.level(rule.threshold), operator.level(clear), operator.strict, operator.edge)
