"""Rules as JSON: what they become, and what they warn of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from quant.alerting.examples import EXAMPLES
from quant.alerting.rules import FIELDS, rule_from, rule_json, silenced
from quant.alerting.warnings import warnings_of
from quant.domain.alert import Channel, ChannelType, EventKind
from quant.domain.market import Market
from quant.errors import ValidationError
from tests.unit.alerting.samples import START

PLAIN: dict[str, Any] = {"name": "high", "metric": "price", "symbol": "BTCUSDT", "operator": ">", "threshold": 100}


def test_what_is_left_out_takes_the_metrics_own() -> None:
    rule = rule_from(PLAIN, "r1", START)
    assert (rule.market, rule.x, rule.interval, rule.window) == (Market("binance", "BTCUSDT"), None, "1s", 1)
    assert (rule.version, rule.revision, rule.created_at, rule.revised_at) == (1, 1, START, START)
    assert rule.notify == (EventKind.FIRED, EventKind.RESOLVED)
    pair = rule_from(PLAIN | {"metric": "spread", "exchange": "coinbase", "symbol": "ETH-USD", "x": "BTC-USD"}, "r", 0)
    assert (pair.market, pair.x) == (Market("coinbase", "ETH-USD"), Market("coinbase", "BTC-USD"))
    assert (pair.interval, pair.window) == ("1m", 60)
    other = rule_from(PLAIN | {"metric": "spread", "x": "coinbase:BTC-USD"}, "r", 0)
    assert other.x == Market("coinbase", "BTC-USD")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one["id"])
def test_a_rule_comes_back_as_it_went(example: dict[str, Any]) -> None:
    rule = rule_from(example["rule"] | {"channels": [{"type": "webhook", "target": "https://example.org/a?b"}]}, "r", 5)
    assert rule_from(rule_json(rule), "r", 5) == rule
    assert rule.channels == (Channel(ChannelType.WEBHOOK, "https://example.org/a?b"),)


WATCHED = {"threshold": 120, "operator": "<", "for_seconds": 5, "recover_seconds": 5, "clear_threshold": 90}
WATCHED |= {"interval": "1m", "symbol": "ETHUSDT", "enabled": False}
UNWATCHED: dict[str, Any] = {"name": "other", "cooldown_seconds": 5, "remind_seconds": 60, "severity": "info"}
UNWATCHED |= {"message": "hey", "notify": [], "channels": [{"type": "telegram", "target": "42"}], "silenced_until": 7}


@pytest.mark.parametrize("change", [{name: value} for name, value in (WATCHED | UNWATCHED).items()], ids=str)
def test_only_a_change_of_what_is_watched_begins_a_new_revision(change: dict[str, Any]) -> None:
    before = rule_from(PLAIN, "r1", START)
    given_now = PLAIN | change | ({"clear_threshold": None} if "operator" in change else {})
    after = rule_from(given_now, "r1", START + 9, before)
    assert (after.version, after.created_at, after.updated_at) == (2, START, START + 9)
    begins = next(iter(change)) in WATCHED
    assert (after.revision, after.revised_at) == ((2, START + 9) if begins else (1, START))
    assert silenced(after, 50, START + 10) == replace(
        after, silenced_until=50, version=3, updated_at=START + 10
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "target", "is_good"),
    [
        ("email", "me@example.org", True),
        ("email", "Me <me@example.org>", False),
        ("email", "me@example.org,you@example.org", False),
        ("email", "me@example.org\nBcc: you@example.org", False),
        ("email", "me@localhost", False),
        ("sns", "arn:aws:sns:eu-central-1:123456789012:alerts", True),
        ("sns", "arn:aws:sqs:eu-central-1:123456789012:alerts", False),
        ("telegram", "42", True),
        ("telegram", "-100123", True),
        ("telegram", "@channel_name", True),
        ("telegram", "me", False),
        ("webhook", "https://example.org/hook?a=b", True),
        ("webhook", "ftp://example.org/hook", False),
        ("webhook", "https://exa mple.org", False),
        ("webhook", "https://" + "a" * 1_001, False),
    ],
)
def test_a_channels_target_is_of_its_kind(kind: str, target: str, is_good: bool) -> None:
    asked = PLAIN | {"channels": [{"type": kind, "target": target}]}
    if is_good:
        assert rule_from(asked, "r", 0).channels[0].target == target
        return
    with pytest.raises(ValidationError) as refused:
        rule_from(asked, "r", 0)
    assert refused.value.field == "channels[0].target"
    assert refused.value.problem.startswith("must ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4))
def test_whatever_is_given_it_is_a_rule_or_a_refusal_that_names_a_field(changes: dict[str, Any]) -> None:
    try:
        rule = rule_from(PLAIN | changes, "r1", START)
    except ValidationError as exc:
        refused: ValidationError | None = exc
    else:
        refused = None
        assert rule_from(rule_json(rule), "r1", START) == rule
        warnings_of(rule)
    assert refused is None or (refused.field and refused.problem)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"operator": "<", "threshold": 0}, ["can never fire: price lies between 0 and inf"]),
        ({"operator": ">=", "threshold": 0, "cooldown_seconds": 1}, ["its condition always holds"]),
        ({"operator": "crosses_above", "threshold": -1, "cooldown_seconds": 1}, ["it never does"]),
        ({"operator": ">", "threshold": 5, "clear_threshold": -1}, ["once it fires it never resolves"]),
        ({"metric": "correlation", "x": "ETHUSDT", "operator": "inside", "threshold": 2}, ["always holds"]),
        ({"metric": "staleness", "threshold": 10, "cooldown_seconds": 60}, ["fires for no reason"]),
        ({"remind_seconds": 60, "cooldown_seconds": 600}, ["no more often than the cooldown"]),
        ({"clear_threshold": 100}, ["changes nothing"]),
    ],
)
def test_warnings(change: dict[str, Any], words: list[str]) -> None:
    channel = {"channels": [{"type": "telegram", "target": "42"}]}
    found = warnings_of(rule_from(PLAIN | channel | change, "r", 0))
    for word in words:
        assert any(word in warning for warning in found), found
