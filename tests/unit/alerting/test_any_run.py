"""Whatever the rule and the bars: how they are split into runs, repeated or raced makes no difference."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from quant.alerting.machine import Happening, beginning
from quant.alerting.readings import Readings
from quant.domain.alert import EventKind, Rule, RuleState
from quant.domain.interval import DAY, MINUTE, SECOND
from tests.unit.alerting.samples import ALL_KINDS, START, now_of, readings, rule, run

NAN = float("nan")
LEVELS = st.sampled_from([97.0, 98.0, 99.0, 100.0, 101.0, 102.0, -101.0, 0.0, NAN])
BARS = st.lists(LEVELS, min_size=1, max_size=60)
OPERATORS = {">": (100, 98), ">=": (100, 98), "<": (100, 102), "crosses_above": (100, 99), "outside": (100, 99)}
OPERATORS |= {"<=": (99, 101), "crosses_below": (100, 101), "inside": (99, 101)}


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    operator = draw(st.sampled_from(sorted(OPERATORS)))
    threshold, clear = OPERATORS[operator]
    kinds = draw(st.sets(st.sampled_from(ALL_KINDS)))
    return rule(
        metric="spread",
        operator=operator,
        threshold=threshold,
        clear_threshold=draw(st.sampled_from([None, clear])),
        for_seconds=draw(st.sampled_from([0, 0, 1, 3, 7])),
        recover_seconds=draw(st.sampled_from([0, 0, 1, 3, 7])),
        cooldown_seconds=draw(st.sampled_from([0, 0, 2, 5, 20])),
        remind_seconds=draw(st.sampled_from([0, 0, 4, 9])),
        silenced_until=draw(st.sampled_from([0, 0, START + 10 * SECOND])),
        notify=tuple(kind for kind in ALL_KINDS if kind in kinds),
    )


def part(read: Readings, low: int, high: int) -> Readings:
    """A run's view: the bars of low…high, and the one before."""
    first = max(low - 1, 0)
    cut = slice(first, high)
    columns: dict[str, Any] = {name: getattr(read, name)[cut] for name in ("time", "value", "low", "high", "hole")}
    start, until = (START + place * read.interval for place in (low, high))
    return Readings(read.interval, **columns, until=until, start=start, reason=read.reason)


def plain(state: RuleState) -> RuleState:
    """Without the number of its commits, which is the only trace of the runs."""
    return replace(state, sequence=0)


@given(rules(), BARS, st.data())
def test_any_split_into_runs_gives_the_same(watched: Rule, bars: list[float], data: st.DataObject) -> None:
    whole = readings(bars)
    state, found = run(watched, whole)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(bars)), max_size=6)) | {0, len(bars)})
    piecewise: RuleState | None = None
    pieces: list[Happening] = []
    for low, high in pairwise(cuts):
        piece = part(whole, low, high)
        piecewise, more = run(watched, piece, piecewise)
        pieces += more
        # A run that is repeated, on the same or on more of the past, changes nothing.
        assert run(watched, piece, piecewise) == (piecewise, [])
        assert run(watched, part(whole, 0, high), piecewise) == (piecewise, [])
    assert pieces == found
    assert plain(piecewise or beginning(watched, None)) == plain(state)


@given(rules(), BARS, st.data())
def test_nothing_fires_on_what_is_not_known(watched: Rule, bars: list[float], data: st.DataObject) -> None:
    holes = data.draw(st.sets(st.integers(0, len(bars) - 1), max_size=len(bars)))
    read = readings(bars, sorted(holes))
    _, found = run(watched, read, now=read.until + DAY)
    for one in found:
        place = (one.time - START) // SECOND
        assert (one.kind is EventKind.NO_DATA) == (place in holes or place == len(bars))
        if one.kind is EventKind.FIRED and watched.operator.startswith("crosses"):
            # The bar before its hold began is known: the way across was seen.
            began = place - watched.for_seconds
            assert began > 0
            assert not holes & set(range(began - 1, place + 1))


@given(rules(), BARS, st.data())
def test_no_split_makes_a_difference_at_holes_that_are_given_up(
    watched: Rule, bars: list[float], data: st.DataObject
) -> None:
    holes = sorted(data.draw(st.sets(st.integers(0, len(bars) - 1), max_size=5)))
    read, cut = readings(bars, holes), data.draw(st.integers(0, len(bars)))
    now = read.until + MINUTE * 2
    old = [place for place in holes if now - int(read.hole[place]) > 2 * MINUTE]
    read = readings(bars, old)
    state, found = run(watched, read, now=now)
    first, early = run(watched, part(read, 0, cut), now=min(now, START + cut * SECOND + 2 * MINUTE + SECOND))
    last, late = run(watched, part(read, cut, len(bars)), first, now=now)
    if not any(one.kind is EventKind.NO_DATA and one.time >= START + cut * SECOND for one in early):
        assert early + late == found
        assert plain(last) == plain(state)


@given(rules(), BARS)
@settings(max_examples=300)
def test_two_notifications_are_never_within_the_cooldown(watched: Rule, bars: list[float]) -> None:
    times = [one.time for one in run(watched, readings(bars))[1] if one.notify]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(gap >= watched.cooldown_seconds * SECOND for gap in gaps)


@given(rules(), BARS)
def test_firing_and_resolving_take_turns_and_each_takes_its_time(watched: Rule, bars: list[float]) -> None:
    found = [one for one in run(watched, readings(bars))[1] if one.kind in (EventKind.FIRED, EventKind.RESOLVED)]
    assert [one.kind for one in found] == [EventKind.FIRED, EventKind.RESOLVED] * (len(found) // 2) + (
        [EventKind.FIRED] if len(found) % 2 else []
    )
    fired = [one.time for one in found if one.kind is EventKind.FIRED]
    # A flap takes at least a bar to be over and one to be there again, and what the rule asks for on top.
    least = SECOND * (max(watched.recover_seconds + 1, 1) + max(watched.for_seconds, 0) + 1)
    assert all(later - earlier >= least for earlier, later in pairwise(fired))


@given(rules(), BARS)
def test_what_was_told_last_is_true_when_nothing_holds_it_back(watched: Rule, bars: list[float]) -> None:
    """After the bars it stays as it is for an hour: then the receiver knows how it stands."""
    if not {EventKind.FIRED, EventKind.RESOLVED} <= set(watched.notify):
        return
    settled = [*bars, *([bars[-1]] * 3_600)]
    state, found = run(watched, readings(settled))
    told = [one for one in found if one.notify and one.kind is not EventKind.NO_DATA]
    if told:
        last = told[-1].about if told[-1].kind is EventKind.REMINDER else told[-1].kind
        assert (last is EventKind.FIRED) == (state.phase in ("firing", "recovering"))
    else:
        assert state.phase not in ("firing", "recovering")


def test_now_says_nothing_of_whole_bars() -> None:
    read = readings([99.0, 101.0])
    assert run(rule(), read, now=now_of(read)) == run(rule(), read, now=now_of(read) + MINUTE)
