"""Trades that come late, in any order, between any checks: what is healed in time changes nothing at all."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from quant.domain.interval import SECOND
from quant.domain.ports import Heartbeat, MarketPulse
from tests.functional.alerts.world import BTC, START, AlertWorld

SECONDS = 240
LATEST = 100
RULES = (
    {"threshold": 110},
    {"threshold": 110, "clear_threshold": 104, "for_seconds": 3, "recover_seconds": 2},
    {"threshold": 104, "operator": "crosses_below", "cooldown_seconds": 30},
    {"metric": "change", "interval": "1s", "window": 5, "operator": "outside", "threshold": 8},
)
PRICES = st.lists(st.sampled_from([100, 103, 106, 109, 112, 115]), min_size=SECONDS, max_size=SECONDS)


class LateWorld(AlertWorld):
    """Its ingestor says that it has heard more than it has stored, as long as something is on its way."""

    on_its_way: bool = False

    def beat(self) -> None:
        last, time = self._last[BTC]
        heard = self._next_id[BTC] - 1 if self.on_its_way else last
        pulse = MarketPulse(BTC, heard, time, last, time, time, 5, "1.00")
        self.storage.heartbeats.put(Heartbeat("1/1", "test", self.now, self.source, (pulse,)))


@given(
    PRICES,
    st.dictionaries(st.integers(0, SECONDS - 2), st.integers(1, LATEST), max_size=12),
    st.sets(st.integers(1, SECONDS + LATEST), max_size=8),
    st.booleans(),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_is_healed_in_time_changes_nothing(
    prices: list[int], delays: dict[int, int], checks: set[int], resampling: bool
) -> None:
    whole, late = AlertWorld(), LateWorld()
    for world in (whole, late):
        world.follow(BTC)
        for rule in RULES:
            world.rule(**rule)
    whole.trade(BTC, prices)
    end = SECONDS + LATEST + 10
    whole.check(end)
    trades = late.trades(BTC, prices)
    arrives = {second: second + delays.get(second, 0) for second in range(SECONDS)}
    stored: set[int] = set()
    for moment in sorted(checks | {end}):
        for second in sorted(arrives.keys() - stored):
            if arrives[second] < moment:
                late.store(BTC, trades.take(slice(second, second + 1)))
                stored.add(second)
        late.on_its_way = any(second < moment for second in arrives.keys() - stored)
        late.at(moment)
        if resampling and len(stored) == max(stored, default=-1) + 1:
            late.resample()
        late.check()
    assert [(one.id, one.value) for one in late.events()] == [(one.id, one.value) for one in whole.events()]
    assert not [one for one in late.events() if one.kind == "no_data"]
    assert late.now == START + end * SECOND


@given(PRICES, st.sets(st.integers(0, SECONDS - 2), min_size=1, max_size=30))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_nothing_fires_at_a_second_whose_trades_never_came(prices: list[int], missing: set[int]) -> None:
    world = AlertWorld()
    world.follow(BTC)
    for rule in RULES:
        world.rule(**rule)
    trades = world.trades(BTC, prices)
    for second in sorted(set(range(SECONDS)) - missing):
        world.store(BTC, trades.take(slice(second, second + 1)))
    world.at(SECONDS + 300)
    world.check()
    lost = {second + offset for second in missing for offset in (-1, 0, 1)}
    for event in world.events():
        if event.kind != "no_data":
            assert (event.time - START) // SECOND not in lost
