"""Health as a load balancer asks for it: each second, from parts that may hang."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from api.chalicelib.health import CHECKED_WITHIN, KEPT, SLOW_KEPT, Health, Prober
from quant.contract.platform import MonitorHealth
from quant.domain.alert import CheckReport
from quant.errors import UnavailableError
from quant.settings import Settings
from quant.storage.storage import storage_on
from tests.benchmarks.metered import MeteredTable
from tests.functional.world import World, random_trades


class Counted:
    """A part that is counted, and that can be made to hang or to fail."""

    def __init__(self) -> None:
        self.asked, self.answers = 0, threading.Event()
        self.answers.set()
        self.error: Exception | None = None

    def __call__(self) -> None:
        self.asked += 1
        self.answers.wait(30)
        if self.error is not None:
            raise self.error


@pytest.fixture
def part() -> Iterator[Counted]:
    counted = Counted()
    yield counted
    counted.answers.set()


def _health(world: World, part: Counted) -> Health:
    return Health(world.storage, {"archive": part}, "1.2.3", Prober(patience=0.2))


def _world() -> World:
    world = World()
    world.follow()
    trades = random_trades(200)
    world.write(trades)
    world.now = int(trades.times[-1]) + 1
    world.beat(trades)
    world.resample()
    return world


def test_a_part_that_hangs_is_waited_for_no_longer_than_its_time(part: Counted) -> None:
    world = _world()
    part.answers.clear()
    began = time.monotonic()
    found = _health(world, part).look(world.now)
    assert time.monotonic() - began < 5
    assert (found.status, found.reasons, found.checks["archive"].problem) == ("down", ["archive"], "Timeout")
    assert found.checks["tick_data"].ok


def test_a_part_that_still_hangs_is_not_asked_again(part: Counted) -> None:
    world = _world()
    health = _health(world, part)
    part.answers.clear()
    for turn in range(3):
        assert health.look(world.now + turn * SLOW_KEPT).status == "down"
    assert part.asked == 1
    part.answers.set()
    health.prober.look({"archive": part})
    assert health.look(world.now + 4 * SLOW_KEPT).checks["archive"].ok


def test_a_part_that_refuses_tells_the_kind_of_its_error_alone(part: Counted) -> None:
    world = _world()
    part.error = UnavailableError("reach the bucket secret-name", "secret-reason")
    found = _health(world, part).look(world.now)
    assert (found.status, found.checks["archive"].problem) == ("down", "UnavailableError")
    assert "secret" not in str(found)


def test_an_answer_is_kept_for_a_second(part: Counted) -> None:
    world = _world()
    health = _health(world, part)
    first = health.look(world.now)
    assert health.look(world.now + KEPT - 1) is first
    assert health.look(world.now + KEPT) is not first


def test_a_minute_of_a_load_balancer_asks_for_little() -> None:
    """Two reads a second, and the slow registers and the bucket every ten seconds."""
    ticks, bars, calls = MeteredTable(), MeteredTable(), Counted()
    storage = storage_on(ticks, bars, Settings.load({}), lambda: 0)
    health = Health(storage, {"archive": calls}, "1")
    for second in range(60):
        for tenth in range(10):
            health.look(second * 1_000 + tenth * 100)
    assert calls.asked == 6
    assert ticks.meter.requests + bars.meter.requests <= 60 * 2 + 6 * 4


def test_late_data_are_degraded_and_not_down(part: Counted) -> None:
    world = _world()
    found = _health(world, part).look(world.now)
    assert (found.status, found.reasons) == ("ok", [])
    found = _health(world, part).look(world.now + 31_000)
    assert (found.status, found.reasons) == ("degraded", ["no ingestor has given a sign of life for 30 s"])


def test_a_monitor_that_has_stopped_is_told(part: Counted) -> None:
    world = _world()
    storage = world.storage
    health = Health(storage, {"archive": part}, "1.2.3", Prober(patience=0.2))
    assert health.look(world.now).monitor is None
    storage.alerts.put_report(CheckReport(world.now - 2_000, world.now - 1_000, rules=3, errors={"r": "late"}))
    found = health.look(world.now + SLOW_KEPT)
    assert (found.status, found.monitor) == ("ok", MonitorHealth(last_run=world.now - 1_000, rules=3, errors=1))
    world.now += CHECKED_WITHIN
    world.beat(random_trades(1, start=world.now))
    found = health.look(world.now)
    assert (found.status, found.reasons[-1]) == ("degraded", "alert rules were last checked 181 s ago")
