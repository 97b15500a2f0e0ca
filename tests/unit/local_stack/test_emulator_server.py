"""What the emulator's program does in haste is what ministack does."""

from __future__ import annotations

from typing import Any

import ministack.services.dynamodb as dynamodb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.emulator_server import quick_at_keys

NAMES = {"#0": "pk", "#1": "sk"}
RANGE, ONE = "(#0 = :0 AND #1 BETWEEN :1 AND :2)", "#0 = :0"
Ask = tuple[str, dict[str, Any], dict[str, Any], dict[str, str]]


def _asked(sk: Any, low: Any, high: Any, pk: str = "a", expression: str = RANGE) -> Ask:
    return expression, {"pk": {"S": "a"}, "sk": sk}, {":0": {"S": pk}, ":1": low, ":2": high}, NAMES


def _refuse(*_: Any, **__: Any) -> bool:
    raise AssertionError("it was to be quick")


KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)


@given(KEYS, st.tuples(KEYS, KEYS).map(sorted), st.sampled_from("ab"))
def test_a_range_of_keys_is_judged_as_before(sk: str, bounds: list[str], pk: str) -> None:
    asked = _asked({"S": sk}, *({"S": bound} for bound in bounds), pk)
    quick = quick_at_keys(_refuse)(*asked, slot="KeyConditionExpression")
    assert quick == dynamodb._evaluate_condition(*asked, slot="KeyConditionExpression")


@pytest.mark.parametrize(
    ("asked", "slot"),
    [
        (_asked({"N": "5"}, {"N": "10"}, {"N": "9"}), "KeyConditionExpression"),
        (_asked({"S": "b"}, {"S": "a"}, {"S": "c"}, expression=ONE), "KeyConditionExpression"),
        (_asked({"S": "b"}, {"S": "a"}, {"S": "c"}), "ConditionExpression"),
    ],
)
def test_all_else_is_ministacks(asked: Ask, slot: str) -> None:
    seen = []

    def slow(*given: Any, slot: str) -> bool:
        seen.append((given, slot))
        return True

    assert quick_at_keys(slow)(*asked, slot=slot)
    assert seen == [(asked, slot)]
