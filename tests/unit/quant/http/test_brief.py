"""Answers that are given again for a moment."""

from __future__ import annotations

from quant.http.answers import Answer
from quant.http.brief import BriefAnswers

PAGE = Answer(b"x" * 400)


def test_the_same_question_gets_the_same_answer_until_the_moment_is_over() -> None:
    brief = BriefAnswers(500)
    brief.keep("bars", PAGE, 1_000, 1_000)
    assert brief.get("bars", 1_499) is PAGE
    assert brief.get("bars", 1_500) is None
    assert brief.get("ticks", 1_000) is None


def test_a_clock_that_was_set_back_makes_no_answer_younger() -> None:
    brief = BriefAnswers(500)
    brief.keep("bars", PAGE, 1_000, 1_000)
    assert brief.get("bars", 999) is None


def test_refusals_are_not_kept_and_nothing_is_where_nothing_is_asked_for() -> None:
    brief, off = BriefAnswers(500), BriefAnswers()
    brief.keep("bars", Answer(b"", status=503), 1_000, 1_000)
    off.keep("bars", PAGE, 1_000, 1_000)
    assert (brief.get("bars", 1_000), off.get("bars", 1_000)) == (None, None)


def test_the_oldest_make_room() -> None:
    brief = BriefAnswers(500, most_bytes=1_000)
    for name in ("first", "second", "third"):
        brief.keep(name, PAGE, 1_000, 1_000)
    assert [brief.get(name, 1_100) is PAGE for name in ("first", "second", "third")] == [False, True, True]


def test_what_is_asked_again_and_again_takes_no_more_room() -> None:
    brief = BriefAnswers(500, most_bytes=1_000)
    brief.keep("other", PAGE, 900, 900)
    for now in range(1_000, 1_010):
        brief.keep("bars", PAGE, now, now)
    assert brief.get("other", 1_010) is PAGE


def test_what_was_slow_to_make_is_kept_for_as_long_as_it_took() -> None:
    brief = BriefAnswers(500)
    brief.keep("bars", PAGE, 1_000, 3_000)
    assert (brief.get("bars", 4_999), brief.get("bars", 5_000)) == (PAGE, None)
    brief.keep("bars", PAGE, 0, 60_000)
    assert (brief.get("bars", 64_999), brief.get("bars", 65_000)) == (PAGE, None)
