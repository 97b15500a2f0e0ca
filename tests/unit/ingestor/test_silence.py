from __future__ import annotations

from itertools import pairwise

from ingestor.silence import Silence
from tests.unit.ingestor.trades import BTC


def test_a_market_is_asked_for_after_many_usual_gaps() -> None:
    silence = Silence()
    for second in range(10):
        silence.heard(BTC, 1, float(second))
    assert silence.due(9.0 + 15) == []
    assert silence.due(9.0 + 20) == [BTC]


def test_a_busy_market_is_asked_for_after_three_seconds() -> None:
    silence = Silence()
    for second in range(10):
        silence.heard(BTC, 1000, float(second))
    assert silence.due(11.9) == []
    assert silence.due(12.0) == [BTC]


def test_a_market_that_stays_silent_is_asked_for_ever_more_seldom() -> None:
    silence = Silence()
    silence.heard(BTC, 1000, 0.0)
    asked = [second for second in range(3000) if silence.due(float(second))]
    gaps = [b - a for a, b in pairwise(asked)]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 600


def test_a_new_connection_is_a_reason_to_ask_at_once() -> None:
    silence = Silence()
    silence.heard(BTC, 1, 0.0)
    silence.connected(BTC, 1.0)
    assert silence.due(1.6) == [BTC]
