"""Means against flapping, on a week of the noisy series; the whole month is printed by thirty_days."""

from __future__ import annotations

from itertools import pairwise

import pytest

from quant.domain.interval import SECOND
from tests.functional.alerts.thirty_days import VARIANTS, Outcome, outcomes


@pytest.fixture(scope="module")
def found() -> dict[str, Outcome]:
    return {one.name: one for one in outcomes(days=7)}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_backtest_gives_the_same_events_one_for_one(found: dict[str, Outcome], name: str) -> None:
    one = found[name]
    assert one.recorded == one.replayed
    assert one.notifications == one.replayed_notifications
    assert one.fired > 3


def test_each_means_calms_and_all_three_calm_most(found: dict[str, Outcome]) -> None:
    sent = {name: one.notifications for name, one in found.items()}
    assert sent["hysteresis"] < sent["nothing"] / 3
    assert sent["for_seconds"] < sent["nothing"] / 3
    assert sent["cooldown"] < sent["nothing"] / 3
    assert sent["all three"] <= sent["hysteresis and for_seconds"] < sent["for_seconds"]


def test_the_cooldown_changes_what_is_sent_and_not_what_is_recorded(found: dict[str, Outcome]) -> None:
    plain, cooled = found["nothing"], found["cooldown"]
    assert {event.time for event in plain.events} <= {event.time for event in cooled.events}
    told = [event.time for event in cooled.events if "held" not in event.readings]
    assert all(later - earlier >= 3_600 * SECOND for earlier, later in pairwise(told))
