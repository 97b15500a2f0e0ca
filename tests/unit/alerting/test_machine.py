"""The state machine, case by case. Times are bars of one second from the start."""

from __future__ import annotations

import numpy as np
import pytest

from quant.alerting.machine import advance, beginning, event_id
from quant.alerting.readings import HEAL_WAIT, Readings
from quant.domain.alert import EventKind, Phase, RuleState
from quant.domain.interval import MINUTE, SECOND
from tests.unit.alerting.samples import ALL_KINDS, LATE, START, kinds, now_of, readings, rule, run

NAN = float("nan")


def test_it_fires_once_and_resolves_once() -> None:
    state, found = run(rule(), readings([99, 101, 102, 103, 100, 99]))
    assert kinds(found) == [("fired", 1), ("resolved", 4)]
    assert (found[0].value, found[0].notify) == (101, True)
    assert (state.phase, state.evaluated_until) == (Phase.OK, START + 5 * SECOND)


def test_a_wick_of_one_bar_fires() -> None:
    assert kinds(run(rule(), readings([99, 150, 99]))[1]) == [("fired", 1), ("resolved", 2)]


def test_a_bars_high_counts_although_it_closes_below() -> None:
    read = readings([99, 99, 99])
    read.high = read.high + np.array([0.0, 50.0, 0.0])
    assert kinds(run(rule(), read)[1]) == [("fired", 1), ("resolved", 2)]
    assert run(rule(), read)[1][0].value == 149
    held = readings([99, 99, 99])
    held.high = read.high
    assert run(rule(for_seconds=1), held)[1] == []


@pytest.mark.parametrize(
    ("operator", "threshold", "values", "expected"),
    [
        (">", 5, [5, 6, 5], [1, 2]),
        (">=", 5, [4, 5, 4], [1, 2]),
        ("<", 5, [5, 4, 5], [1, 2]),
        ("<=", 5, [6, 5, 6], [1, 2]),
        ("outside", 2, [2, -3, 1], [1, 2]),
        ("outside", 2, [-2, 3, 2], [1, 2]),
        ("inside", 0.5, [1, -0.4, -0.5], [1, 2]),
        ("crosses_above", 5, [5, 6, 5], [1, 2]),
        ("crosses_below", 5, [5, 4, 5], [1, 2]),
    ],
)
def test_operators(operator: str, threshold: float, values: list[float], expected: list[int]) -> None:
    watched = rule(metric="spread", operator=operator, threshold=threshold)
    assert [second for _, second in kinds(run(watched, readings(values))[1])] == expected


def test_being_there_already_is_no_crossing() -> None:
    watched = rule(operator="crosses_above")
    assert run(watched, readings([101, 102, 103]))[1] == []
    assert kinds(run(watched, readings([101, 99, 101]))[1]) == [("fired", 2)]
    assert kinds(run(rule(), readings([101, 102]))[1]) == [("fired", 0)]


def test_hysteresis_holds_it_between_the_two_thresholds() -> None:
    values = [101, 99, 101, 97, 101, 95, 101]
    assert kinds(run(rule(clear_threshold=95), readings(values))[1]) == [
        ("fired", 0), ("resolved", 5), ("fired", 6),
    ]  # fmt: skip
    assert len(run(rule(), readings(values))[1]) == 7


def test_it_must_hold_for_some_time() -> None:
    watched = rule(for_seconds=3)
    assert run(watched, readings([101, 101, 101, 99, 101, 101, 101]))[1] == []
    _, found = run(watched, readings([99, 101, 101, 101, 101, 99]))
    assert kinds(found) == [("fired", 4), ("resolved", 5)]
    assert run(watched, readings([99, 101, 101]))[0].phase is Phase.PENDING


def test_it_must_be_over_for_some_time() -> None:
    watched = rule(recover_seconds=2)
    _, found = run(watched, readings([101, 99, 99, 101, 99, 99, 99]))
    assert kinds(found) == [("fired", 0), ("resolved", 6)]
    assert run(watched, readings([101, 99]))[0].phase is Phase.RECOVERING


def test_cooldown_holds_back_and_makes_up_for_it() -> None:
    watched = rule(cooldown_seconds=5)
    _, found = run(watched, readings([101, 99, 101, 99, 99, 99, 99, 99]))
    assert [(*one, happening.notify, happening.held) for one, happening in zip(kinds(found), found, strict=True)] == [
        ("fired", 0, True, ""),
        ("resolved", 1, False, "cooldown"),
        ("fired", 2, False, "cooldown"),
        ("resolved", 3, False, "cooldown"),
        ("reminder", 5, True, ""),
    ]
    assert found[-1].about is EventKind.RESOLVED


def test_what_fired_in_the_cooldown_is_told_after_it_if_it_still_fires() -> None:
    _, found = run(rule(cooldown_seconds=3), readings([101, 101, 101, 99, 101, 101, 101, 101]))
    assert kinds(found) == [("fired", 0), ("resolved", 3), ("fired", 4), ("reminder", 6)]
    assert [one.notify for one in found] == [True, True, False, True]
    assert found[-1].about is EventKind.FIRED


def test_who_was_told_that_it_fires_is_not_told_again_of_a_flap_within_the_cooldown() -> None:
    _, found = run(rule(cooldown_seconds=4), readings([101, 99, *[101] * 10]))
    assert [(one.kind, one.notify) for one in found] == [
        (EventKind.FIRED, True), (EventKind.RESOLVED, False), (EventKind.FIRED, False),
    ]  # fmt: skip


def test_silence_holds_back_and_what_still_stands_is_told_after_it() -> None:
    watched = rule(silenced_until=START + 3 * SECOND)
    _, found = run(watched, readings([99, 101, 101, 101, 101]))
    assert [(one.kind, one.notify, one.held) for one in found] == [
        (EventKind.FIRED, False, "silenced"),
        (EventKind.REMINDER, True, ""),
    ]
    assert run(watched, readings([99, 101, 99, 99, 99]))[1][-1].held == "nobody was told that it fired"


def test_reminders_come_each_time_the_span_has_passed() -> None:
    watched = rule(remind_seconds=60)
    assert kinds(run(watched, readings([101] * 200))[1]) == [
        ("fired", 0), ("reminder", 60), ("reminder", 120), ("reminder", 180),
    ]  # fmt: skip


def test_at_a_hole_it_waits_and_then_says_no_data() -> None:
    read = readings([99, 99, 150, 99, 101], holes=[2])
    watched = rule(notify=ALL_KINDS)
    state, found = run(watched, read, now=read.until)
    assert (found, state.sequence) == ([], 0)
    state, found = run(watched, read, now=int(read.hole[2]) + HEAL_WAIT)
    assert found == []
    state, found = run(watched, read, now=int(read.hole[2]) + HEAL_WAIT + 1)
    assert kinds(found) == [("no_data", 2), ("fired", 4)]
    assert (found[0].reason, found[0].value, found[0].notify) == ("gap", None, True)


def test_nothing_is_crossed_at_a_hole() -> None:
    watched = rule(operator="crosses_above")
    assert kinds(run(watched, readings([99, 150, 150, 150], holes=[1]), now=LATE - 1)[1])[:1] == [("no_data", 1)]
    read = readings([99, 150, 150, 150] + [150] * 200, holes=[1])
    assert kinds(run(watched, read)[1]) == [("no_data", 1)]


def test_it_goes_on_firing_behind_a_hole_without_another_event() -> None:
    read = readings([101, 101, 0, 101, 101] + [101] * 200, holes=[2])
    state, found = run(rule(), read)
    assert kinds(found) == [("fired", 0), ("no_data", 2)]
    assert (state.phase, state.fired_at) == (Phase.FIRING, START)
    read = readings([101, 101, 0, 99, 99] + [99] * 200, holes=[2])
    assert kinds(run(rule(), read)[1]) == [("fired", 0), ("no_data", 2), ("resolved", 3)]


def test_what_does_not_come_is_no_data_once() -> None:
    read = readings([99, 99], reason="no trades")
    now = read.until + SECOND + HEAL_WAIT
    assert run(rule(), read, now=now)[1] == []
    state, found = run(rule(), read, now=now + 1)
    assert kinds(found) == [("no_data", 2)]
    assert (state.phase, state.reason, state.evaluated_until) == (Phase.NO_DATA, "no trades", read.until)
    assert run(rule(), read, state, now=now + MINUTE) == (state, [])
    more = readings([99, 99, 99, 101])
    state, found = run(rule(), more, state)
    assert (kinds(found), state.phase) == ([("fired", 3)], Phase.FIRING)


def test_without_data_the_newest_reason_is_told_and_written_once() -> None:
    read = readings([99, 99], reason="no trades")
    late = read.until + SECOND + HEAL_WAIT + 1
    lost, _ = run(rule(), read, now=late)
    other = readings([99, 99], reason="no ingestor")
    state, found = run(rule(), other, lost, now=late + MINUTE)
    assert (state.phase, state.reason, found) == (Phase.NO_DATA, "no ingestor", [])
    assert (state.sequence, state.since, state.evaluated_until) == (2, lost.since, lost.evaluated_until)
    assert run(rule(), other, state, now=late + 2 * MINUTE) == (state, [])


def test_a_hole_and_then_an_end_are_told_by_what_is_missing_now() -> None:
    read = readings([99, 0, 0, 99], holes=[1, 2], reason="a hole")
    read.late_reason = "the end"
    state, found = run(rule(), read, now=LATE)
    assert kinds(found) == [("no_data", 1), ("no_data", 4)]
    assert state.reason == "the end"
    read = readings([99, 0, 0], holes=[1, 2], reason="a hole")
    read.late_reason = "the end"
    state, found = run(rule(), read, now=LATE)
    assert (kinds(found), state.reason) == ([("no_data", 1)], "the end")


@pytest.mark.parametrize("value", [101, 99])
def test_a_feed_that_lags_is_one_loss_and_not_one_per_check(value: float) -> None:
    """Each check sees a minute more, and that it ends three minutes ago."""
    state, found = run(rule(), readings([value] * 10))
    phase = state.phase
    stored = state.sequence
    for minutes in range(1, 6):
        read = readings([value] * (10 + 60 * minutes), reason="it lags")
        state, more = run(rule(), read, state, now=read.until + 3 * MINUTE)
        found += more
    assert kinds(found)[-1] == ("no_data", 70)
    assert [one.kind for one in found].count(EventKind.NO_DATA) == 1
    assert (state.phase, state.sequence) == (Phase.NO_DATA, stored + 1)
    read = readings([value] * 400)
    assert kinds(run(rule(), read, state)[1]) == []
    assert run(rule(), read, state)[0].phase is phase


def test_what_a_lagging_feed_shows_still_happens() -> None:
    state, _ = run(rule(), readings([99] * 10, reason="it lags"), now=LATE)
    read = readings([99] * 30 + [101, 99] + [99] * 30, reason="it lags")
    state, found = run(rule(), read, state, now=read.until + 3 * MINUTE)
    assert kinds(found) == [("fired", 30), ("resolved", 31), ("no_data", 62)]
    assert state.phase is Phase.NO_DATA


def test_a_figure_that_does_not_exist_neither_fires_nor_resolves() -> None:
    watched = rule(metric="pair_zscore", operator="outside", threshold=2, for_seconds=2)
    assert run(watched, readings([3, 3, NAN, 3, 3, 1]))[1] == []
    held = rule(metric="spread", operator=">", threshold=2)
    assert kinds(run(held, readings([3, NAN, 3, 1]))[1]) == [("fired", 0), ("resolved", 3)]


def test_a_changed_rule_begins_anew_under_the_same_sequence() -> None:
    state, _ = run(rule(), readings([101]))
    fresh = beginning(rule(revision=2, revised_at=START + 7 * SECOND), state)
    assert fresh == RuleState("r1", 2, state.sequence, evaluated_until=START + 7 * SECOND)


def test_a_rule_sees_no_bar_that_ended_before_it() -> None:
    watched = rule(revised_at=START + 2 * SECOND)
    assert run(watched, readings([150, 150, 99, 99]))[1] == []
    assert kinds(run(watched, readings([150, 150, 150]))[1]) == [("fired", 2)]


def test_bars_before_the_start_only_say_what_was_before() -> None:
    read = readings([99, 101, 101])
    read.start = START + SECOND
    assert kinds(run(rule(operator="crosses_above"), read)[1]) == [("fired", 1)]
    read = readings([101, 101, 101])
    read.start = START + SECOND
    assert kinds(run(rule(), read)[1]) == [("fired", 1)]


def test_nothing_changed_gives_the_state_itself() -> None:
    state = beginning(rule(), None)
    for values in ([99.0] * 50, [NAN] * 3, []):
        read = readings(values)
        assert advance(rule(), state, read, now_of(read)) == (state, ())


def test_it_pauses_after_some_happenings_and_goes_on() -> None:
    read = readings([101, 99] * 20)
    _, first = advance(rule(), beginning(rule(), None), read, now_of(read))
    assert len(first) == 3
    assert len(run(rule(), read)[1]) == 40


def test_one_event_has_one_id() -> None:
    ids = {
        event_id(rule(), EventKind.FIRED, START),
        event_id(rule(id="r2"), EventKind.FIRED, START),
        event_id(rule(revision=2), EventKind.FIRED, START),
        event_id(rule(), EventKind.RESOLVED, START),
        event_id(rule(), EventKind.FIRED, START + SECOND),
    }
    assert len(ids) == 5
    assert event_id(rule(name="other", version=9), EventKind.FIRED, START) in ids


def test_a_market_that_is_gone_says_so() -> None:
    state, found = run(rule(), Readings.none(MINUTE, START, "not followed", is_gone=True), now=START)
    assert (state.phase, state.reason, kinds(found)) == (Phase.NO_DATA, "not followed", [("no_data", 0)])
