"""Metrics bar by bar, against the statistics that the API answers with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from quant.alerting.metrics import METRICS
from quant.alerting.readings import Readings
from quant.analytics.rolling import rolling_correlation, rolling_pair
from quant.analytics.summary import summarise
from quant.domain.bar import Bars
from quant.domain.interval import MINUTE, floor
from quant.readings.figures import first_needed, readings_of
from quant.readings.frame import Frame, frame_of
from tests.functional.analyse.market import END, minute_bars, tied, walks

N = 400
START = END - N * MINUTE
CLOSES = walks(1, N)[0]


def bars_of(closes: Any = CLOSES) -> Bars:
    bars = minute_bars(closes)
    noise = np.random.default_rng(3).integers(1, 900, len(bars))
    changed = {name: getattr(bars, name) for name in bars.__slots__}
    return Bars(**changed | {"volume": noise, "quote_volume": noise * bars.close})


def frame(bars: Bars) -> Frame:
    return frame_of(bars, START, END)


def read(metric: str, window: int, *bars: Bars, start: int = START + 200 * MINUTE) -> Readings:
    return readings_of(metric, window, start, [frame(one) for one in bars])


def window_of(bars: Bars, readings: Readings, place: int, length: int) -> Bars:
    end = int(readings.time[place]) + MINUTE
    return bars.between(end - length * MINUTE, end)


@pytest.mark.parametrize("place", [0, 57, -1])
def test_figures_are_those_of_the_statistics(place: int) -> None:
    bars = bars_of()
    change, volatility, vwap, volume, ratio = (
        read(metric, 60, bars) for metric in ("change", "volatility", "vwap_deviation", "volume", "volume_ratio")
    )
    end = int(change.time[place]) + MINUTE
    hour, with_before = (window_of(bars, change, place, length) for length in (60, 61))
    told = summarise(hour, end - 60 * MINUTE, end)
    before = summarise(with_before, end - 61 * MINUTE, end)
    assert before.volatility is not None
    assert volatility.value[place] == pytest.approx(100 * before.volatility.realised_annualised, rel=1e-9)
    close = with_before.close / 10**bars.price_decimals
    assert change.value[place] == pytest.approx(100 * (close[-1] / close[0] - 1), rel=1e-9)
    assert told.vwap is not None
    assert vwap.value[place] == pytest.approx(100 * (close[-1] / told.vwap - 1), abs=1e-6)
    assert volume.value[place] == pytest.approx(told.volume.base, rel=1e-9)
    volumes = with_before.volume.astype(float)
    assert ratio.value[place] == pytest.approx(volumes[-1] / volumes[:-1].mean(), rel=1e-9)


def test_figures_of_pairs_are_those_of_the_analytics() -> None:
    x = walks(1, N)[0]
    bars = bars_of(tied(x)), bars_of(x)
    closes = [one.close / 10**one.price_decimals for one in bars]
    pair = rolling_pair(*closes, 60)
    correlation = rolling_correlation(*(np.diff(np.log(one)) for one in closes), 60)
    for metric, expected in (("pair_zscore", pair.zscore), ("spread", pair.spread), ("correlation", correlation)):
        found = read(metric, 60, *bars)
        np.testing.assert_allclose(found.value, expected[-len(found.value) :], rtol=1e-6)


@pytest.mark.parametrize("metric", sorted(name for name, one in METRICS.items() if one.can_be_replayed))
@pytest.mark.parametrize("window", [20, 60])
def test_a_figure_is_the_same_to_the_last_bit_wherever_the_reading_begins(metric: str, window: int) -> None:
    x = walks(1, N)[0]
    bars = (bars_of(tied(x)), bars_of(x)) if METRICS[metric].is_pair else (bars_of(),)
    whole = read(metric, window, *bars)
    for skipped in (1, 7, 59, 60, 61, 150):
        start = int(whole.time[1]) + skipped * MINUTE
        frames = [frame(one).since(floor(first_needed(metric, MINUTE, window, start), MINUTE)) for one in bars]
        part = readings_of(metric, window, start, frames)
        assert part.value.tobytes() == whole.value[-len(part.value) :].tobytes()
        assert part.time[0] == start - MINUTE


@pytest.mark.parametrize(
    ("metric", "span"), [("price", 1), ("change", 11), ("volume", 10), ("volatility", 11), ("vwap_deviation", 10)]
)
def test_a_reading_is_unknown_as_long_as_its_window_holds_a_hole(metric: str, span: int) -> None:
    bars = bars_of()
    complete = bars.complete.copy()
    complete[250] = 0
    first = bars.first_id.copy()
    first[250] += 1
    broken = Bars(**{name: getattr(bars, name) for name in bars.__slots__} | {"complete": complete, "first_id": first})
    found = read(metric, 1 if metric == "price" else 10, broken)
    expected = int(bars.time[250]) + MINUTE
    unknown = found.time[found.hole > 0]
    # An id that is missing at the bar's left side makes its neighbour no worse: that one's own certificate stands.
    assert unknown.tolist() == [int(bars.time[250]) + place * MINUTE for place in range(span)]
    assert set(found.hole[found.hole > 0].tolist()) == {expected}


def test_without_enough_history_nothing_is_known() -> None:
    bars = bars_of()
    found = readings_of("change", 300, START + 200 * MINUTE, [frame(bars)])
    assert bool((found.hole[:90] > 0).all())
    assert (found.hole > 0).sum() == np.isnan(found.value).sum()
    none = readings_of("price", 1, END, [frame_of(Bars.empty(MINUTE), END, END)], "a hole", "nothing yet")
    assert (len(none.time), none.until, none.late_reason) == (0, END, "nothing yet")


def test_a_figure_that_does_not_exist_is_no_number() -> None:
    flat = bars_of(np.full(N, 5.0))
    other = bars_of(walks(1, N)[0])
    assert np.isnan(read("pair_zscore", 60, other, flat).value).all()
    assert np.isnan(read("correlation", 60, flat, other).value).all()
    assert (read("volatility", 60, flat).value == 0).all()
    assert not any(math.isinf(value) for value in read("volume_ratio", 60, flat).value)
