"""Over the budget comes 429, and 418 for those who go on."""

from infra.local.exchange.weights import Verdict, Weights

MINUTE = 60_000


def test_weights_are_counted_by_minute_and_address() -> None:
    weights = Weights(limit=100)
    assert weights.charge("a", 60, 0) == Verdict(60)
    assert weights.charge("b", 60, 0) == Verdict(60)
    assert weights.charge("a", 40, MINUTE - 1) == Verdict(100)
    assert weights.charge("a", 40, MINUTE) == Verdict(40)


def test_over_the_budget_the_wait_is_the_rest_of_the_minute() -> None:
    weights = Weights(limit=10)
    assert weights.charge("a", 11, 20_000) == Verdict(11, 429, 40_000)


def test_going_on_is_answered_by_a_ban_that_outlives_the_minute() -> None:
    weights = Weights(limit=10, patience=2)
    statuses = [weights.charge("a", 11, at).status for at in range(4)]
    assert statuses == [429, 429, 418, 418]
    assert weights.charge("a", 1, MINUTE + 2).status == 418
    assert weights.charge("a", 1, 2 * MINUTE + 2).status == 200
