"""Backoff, attempts, weight, shards, batches: the small rules."""

from __future__ import annotations

from random import Random

import pytest

from ingestor.backoff import AttemptLimit, Backoff
from ingestor.batcher import Batcher, next_flush
from ingestor.budget import WeightBudget
from ingestor.healplan import HealPlan
from ingestor.quarantine import Quarantine
from ingestor.rest import REGION_REFUSED, refusal
from ingestor.sharding import of_shard, parse_shard
from quant.domain.market import Market
from quant.errors import RateLimitedError, SettingError, UnsupportedError
from tests.unit.ingestor.trades import BTC, trades


def test_pauses_grow_with_full_jitter_up_to_the_cap() -> None:
    backoff = Backoff(base=1, cap=8, random=Random(1))
    pauses = [[backoff.next() for _ in range(6)] for _ in range(200) if backoff.reset() is None]
    for n, limit in enumerate([1, 2, 4, 8, 8, 8]):
        column = [row[n] for row in pauses]
        assert 0.9 * limit < max(column) <= limit
        assert min(column) < 0.1 * limit


def test_attempts_are_limited_per_window() -> None:
    limit = AttemptLimit(2, window=300)
    limit.made(0)
    limit.made(100)
    assert limit.wait(200) == 100
    assert limit.wait(300) == 0


def test_the_budget_is_spent_per_minute_of_the_clock() -> None:
    budget = WeightBudget(per_minute=100, share=0.5)
    budget.spend(25, 0.0)
    budget.spend(25, 1.0)
    assert budget.wait(25, 10.0) == pytest.approx(50.05)
    assert budget.wait(25, 60.0) == 0


def test_what_others_of_this_address_have_used_counts() -> None:
    budget = WeightBudget(per_minute=100, share=0.5)
    budget.observe(49, 0.0)
    assert budget.wait(25, 1.0) > 0


def test_a_pause_that_was_asked_for_is_kept() -> None:
    budget = WeightBudget()
    budget.close(120, 0.0)
    assert budget.wait(1, 30.0) == 90


@pytest.mark.parametrize(
    ("status", "headers", "kind", "retryable"),
    [
        (429, {"Retry-After": "7"}, RateLimitedError, True),
        (418, {}, RateLimitedError, True),
        (404, {}, UnsupportedError, False),
        (503, {}, Exception, True),
        (400, {}, Exception, False),
    ],
)
def test_a_refusal_says_what_to_do(
    status: int, headers: dict[str, str], kind: type[Exception], retryable: bool
) -> None:
    error = refusal("x", status, headers)
    assert isinstance(error, kind)
    assert error.retryable is retryable
    assert not isinstance(error, RateLimitedError) or error.retry_after == (7 if headers else 120)


def test_a_refused_region_is_said_plainly() -> None:
    assert REGION_REFUSED in str(refusal("exchangeInfo", 451, {}))


def test_shards_split_the_markets_without_rest() -> None:
    markets = [Market("binance", f"S{k}USDT") for k in range(100)]
    parts = [of_shard(markets, (number, 4)) for number in range(1, 5)]
    assert sorted(market for part in parts for market in part) == sorted(markets)
    assert all(len(part) > 10 for part in parts)


@pytest.mark.parametrize("text", ["0/1", "2/1", "1", "1/0", "a/b", "1/2/3", ""])
def test_a_shard_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingError, match="SHARD"):
        parse_shard(text)


def test_a_batch_is_cut_in_the_order_of_ids() -> None:
    batcher = Batcher()
    batcher.add(BTC, trades([5, 6]))
    batcher.add(BTC, trades([3, 7]))
    assert batcher.lowest() == {BTC: 3}
    assert batcher.cut()[BTC].ids.tolist() == [3, 5, 6, 7]
    assert batcher.cut() == {}


def test_flushes_fall_on_multiples_of_the_period() -> None:
    assert next_flush(12_300, 1_000) == 13_000
    assert next_flush(13_000, 5_000) == 15_000


def test_the_quarantine_is_bounded_and_counts_on() -> None:
    quarantine = Quarantine(capacity=3)
    for k in range(5):
        quarantine.add(k, "json", b"x" * 1000)
    assert quarantine.counts == {"json": 5}
    assert [(one.time, len(one.frame)) for one in quarantine.specimens()] == [(2, 200), (3, 200), (4, 200)]


def test_a_fresh_hole_settles_before_it_is_asked_for() -> None:
    plan = HealPlan(settle=0.5)
    assert plan.due(0.0, {BTC: [(1, 5)]}) == []
    assert plan.due(0.6, {BTC: [(1, 5), (8, 9)]}) == [(BTC, (1, 5))]
    assert plan.due(0.7, {BTC: [(1, 5), (8, 9)]}) == []
    plan.finished(BTC)
    assert plan.due(1.2, {BTC: [(8, 9)]}) == [(BTC, (8, 9))]


def test_an_id_is_given_up_after_several_answers_without_it() -> None:
    plan = HealPlan(absent_seconds=60)
    assert [plan.absent(BTC, 1, float(second)) for second in (0, 20, 40, 50, 59, 61)] == [False] * 5 + [True]
