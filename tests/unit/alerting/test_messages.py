"""What the usual messages say."""

from __future__ import annotations

import pytest

from quant.alerting.machine import Happening
from quant.alerting.messages import message_of, title_of
from quant.domain.alert import EventKind, Rule
from quant.domain.interval import MINUTE
from tests.unit.alerting.samples import ETH, START, rule


def happening(kind: EventKind, value: float | None = 120.5, about: EventKind = EventKind.FIRED) -> Happening:
    return Happening(kind, START, value, True, about=about, reason="trades are missing", began=START - MINUTE)


@pytest.mark.parametrize(
    ("watched", "kind", "title", "text"),
    [
        (
            rule(),
            EventKind.FIRED,
            "FIRED: high",
            "price of BTCUSDT is 120.5 at 2026-11-22 12:00:00 UTC: it is above 100.",
        ),
        (
            rule(for_seconds=60, operator="crosses_above"),
            EventKind.FIRED,
            "FIRED: high",
            "price of BTCUSDT is 120.5 at 2026-11-22 12:00:00 UTC: it rose above 100 and held for 60 s.",
        ),
        (
            rule(clear_threshold=95.0),
            EventKind.RESOLVED,
            "resolved: high",
            "price of BTCUSDT is 120.5 at 2026-11-22 12:00:00 UTC: it is over (fires > 100, clear at 95).",
        ),
        (
            rule(metric="pair_zscore", x=ETH, operator="outside", threshold=2.0, interval="1m", window=60),
            EventKind.REMINDER,
            "still firing: high",
            "z-score of BTCUSDT on ETHUSDT (60 bars of 1m) is 120.5 at 2026-11-22 12:00:00 UTC: "
            "it is farther from zero than 2 since 2026-11-22 11:59:00 UTC.",
        ),
        (
            rule(),
            EventKind.NO_DATA,
            "no data: high",
            "price of BTCUSDT is not known since 2026-11-22 12:00:00 UTC: trades are missing.",
        ),
    ],
)
def test_the_usual_message(watched: Rule, kind: EventKind, title: str, text: str) -> None:
    found = happening(kind, None if kind is EventKind.NO_DATA else 120.5)
    assert title_of(watched, found, "live") == title
    assert message_of(watched, found, "live") == (text, "")
    assert title_of(watched, found, "simulated") == f"SIMULATED {title}"
    assert message_of(watched, found, "simulated") == (f"SIMULATED: {text}", "")


def test_a_reminder_of_what_was_held_back_says_that_it_is_over() -> None:
    found = happening(EventKind.REMINDER, about=EventKind.RESOLVED)
    assert title_of(rule(), found, "live") == "has resolved: high"
    assert "it is over" in message_of(rule(), found, "live")[0]


def test_a_template_that_fails_gives_the_usual_message_and_the_reason() -> None:
    text, error = message_of(rule(message="{{ 1 / 0 }}"), happening(EventKind.FIRED), "live")
    assert text.startswith("price of BTCUSDT is 120.5")
    assert error == "float division by zero"
    assert message_of(rule(message="{{ seconds }}"), happening(EventKind.FIRED), "live") == ("60.0", "")


def test_a_small_price_keeps_its_digits() -> None:
    assert "is 0.0000123 at" in message_of(rule(), happening(EventKind.FIRED, 0.0000123), "live")[0].replace(
        "1.23e-05", "0.0000123"
    )
