"""Killed at any write or send, run again, run twice at once: one notification per event and channel."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant.domain.alert import ChannelType
from quant.domain.interval import SECOND
from tests.functional.alerts.crash import MODES, SCENARIOS, Process, Stage, play, points_of

CHANNELS = [str(kind) for kind in ChannelType]


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_write_and_send_is_a_point(channel: str) -> None:
    """A run writes state with event and deliveries, and the report; and leases, sends and settles each channel."""
    process = Process()
    Stage().run(process)
    steps = [name for name, of, *_ in process.done if of in ("", channel)]
    assert steps == ["commit", "report", "lease", "send", "settle"]
    assert len(process.done) == 2 + 3 * len(CHANNELS)
    assert sum(len(points_of(scenario, channel)) for scenario in SCENARIOS) == 26


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("channel", CHANNELS)
def test_each_channel_gets_one_notification_wherever_a_run_dies(channel: str, scenario: str, mode: str) -> None:
    wanted = {one: int(scenario != "refused" or one != channel) for one in CHANNELS}
    deaths = 0
    for point in points_of(scenario, channel):
        verdict = play(scenario, channel, point, mode)
        assert verdict.logical == wanted, point
        assert verdict.dead_letters == (scenario == "refused"), point
        # Sent, not yet recorded: there, and nowhere else, it comes twice, under the same id.
        assert verdict.repeats == {one: int(one in verdict.window) for one in CHANNELS}, point
        deaths += verdict.died
    assert mode == "beside" or deaths == len(points_of(scenario, channel))


def test_the_window_is_met() -> None:
    """Without it, the test above would show less than it says."""
    (settle,) = [one for one in points_of("delivered", "webhook") if str(one) == "before settle of webhook"]
    verdict = play("delivered", "webhook", settle, "again")
    assert "webhook" in verdict.window
    assert verdict.repeats["webhook"] == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(20, 200)), max_size=6))
def test_however_often_and_wherever_runs_die(deaths: list[tuple[int, int, int]]) -> None:
    """Two runs at once, each of which dies somewhere or not, and the next two some seconds later."""
    stage, windows = Stage(), dict.fromkeys(CHANNELS, 0)
    for one, other, seconds in deaths:
        processes = Process(boundaries_left=one), Process(boundaries_left=other)
        stage.run_at_once(*processes)
        for channel in CHANNELS:
            windows[channel] += sum(channel in process.in_window for process in processes)
        stage.world.now += seconds * SECOND
        stage.world.beat()
    stage.until_nothing_is_left()
    for channel, ids in stage.copies().items():
        assert len(ids) == 1
        assert sum(ids.values()) == 1 + windows[channel]
