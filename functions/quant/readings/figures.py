"""The metrics of bars, each for all points of a frame at once: numpy only.

A window's figure is computed of the window's own points, in blocks that are cut at absolute times: so it is the same to
the last bit whenever it is computed, and a run, a later run and a backtest agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from quant.alerting.metrics import METRICS
from quant.alerting.readings import Readings
from quant.analytics.rolling import rolling_correlation, rolling_mean_std, rolling_pair
from quant.analytics.summary import YEAR
from quant.domain.interval import floor
from quant.readings.frame import Bools, Floats, Frame, Ints

Figure = Callable[[Frame, int], Floats]
PairFigure = Callable[[Frame, Frame, int], Floats]


def first_needed(metric: str, interval: int, window: int, start: int) -> int:
    """From which time on bars are needed for readings from ``start``, and one reading before, ms."""
    behind = (window + METRICS[metric].before) * interval
    return max(floor(start - interval - behind, window * interval), 0)


def readings_of(
    metric: str, window: int, start: int, given: Sequence[Frame], reason: str = "", late_reason: str = ""
) -> Readings:
    """Readings from ``start`` on, with the one before it, up to where the frames end.

    Args:
        start: on the grid of the frames.
        given: that of y and, for metrics of a pair, that of x, from :func:`first_needed` or earlier.
        reason, late_reason: of holes, and why nothing is known after the frames' end.
    """
    interval = given[0].interval
    low = first_needed(metric, interval, window, start)
    frames = [one.since(low) for one in given]
    n = min(len(one) for one in frames)
    first = max((start - interval - frames[0].start) // interval, 0)
    until = frames[0].start + n * interval
    if n <= first:
        return Readings.none(interval, max(until, start), late_reason)
    value = _values(metric, window, frames, n)
    span = window + METRICS[metric].before
    unsound = np.logical_or.reduce([one.unsound[:n] for one in frames])
    touched = metric == "price"
    shown = slice(first, n)
    return Readings(
        interval=interval,
        time=frames[0].time[:n][shown],
        value=value[shown],
        low=frames[0].low[:n][shown] if touched else value[shown],
        high=frames[0].high[:n][shown] if touched else value[shown],
        hole=_holes(unsound, frames[0].start, interval, span)[shown],
        until=until,
        start=start,
        reason=reason,
        late_reason=late_reason,
    )


def _values(metric: str, window: int, frames: list[Frame], n: int) -> Floats:
    if n < window + METRICS[metric].before:
        return np.full(n, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        if len(frames) == 2:
            value = _OF_PAIRS[metric](frames[0], frames[1], window)
        else:
            value = _OF_ONE[metric](frames[0], window)
    return np.where(np.isfinite(value), value, np.nan)


def _holes(unsound: Bools, start: int, interval: int, span: int) -> Ints:
    """For each point the end of the newest unsound one among the last ``span``, or 0. What lies before the frame is
    unsound too."""
    place = np.arange(len(unsound), dtype=np.int64)
    newest = np.maximum.accumulate(np.where(unsound, place, -1))
    is_near = (place - newest < span) & ((newest >= 0) | (place < span - 1))
    return np.where(is_near, start + (newest + 1) * interval, 0)


def _change(frame: Frame, window: int) -> Floats:
    return _behind(100 * (frame.close[window:] / frame.close[:-window] - 1), window)


def _volume(frame: Frame, window: int) -> Floats:
    return frame.volume if window == 1 else rolling_mean_std(frame.volume, window)[0] * window


def _volume_ratio(frame: Frame, window: int) -> Floats:
    mean = rolling_mean_std(frame.volume, window)[0]
    return _behind(frame.volume[1:] / mean[:-1], 1)


def _volatility(frame: Frame, window: int) -> Floats:
    mean, std = rolling_mean_std(_log_returns(frame), window)
    square = std * std * (window - 1) / window + mean * mean
    return 100 * np.sqrt(square * (YEAR / frame.interval))


def _vwap_deviation(frame: Frame, window: int) -> Floats:
    volume, quote = (rolling_mean_std(column, window)[0] for column in (frame.volume, frame.quote))
    return 100 * (frame.close / (quote / np.where(volume > 0, volume, np.nan)) - 1)


def _zscore(y: Frame, x: Frame, window: int) -> Floats:
    n = min(len(y), len(x))
    return rolling_pair(y.close[:n], x.close[:n], window).zscore


def _spread(y: Frame, x: Frame, window: int) -> Floats:
    n = min(len(y), len(x))
    return rolling_pair(y.close[:n], x.close[:n], window).spread


def _correlation(y: Frame, x: Frame, window: int) -> Floats:
    n = min(len(y), len(x))
    return rolling_correlation(_log_returns(y)[:n], _log_returns(x)[:n], window)


_OF_ONE: dict[str, Figure] = {
    "price": lambda frame, window: frame.close,
    "change": _change,
    "volume": _volume,
    "volume_ratio": _volume_ratio,
    "volatility": _volatility,
    "vwap_deviation": _vwap_deviation,
}
_OF_PAIRS: dict[str, PairFigure] = {"pair_zscore": _zscore, "spread": _spread, "correlation": _correlation}


def _log_returns(frame: Frame) -> Floats:
    """Of each point on the one before; the first has none, and stands as zero so that the grid stays."""
    logs = np.log(frame.close)
    return np.diff(logs, prepend=logs[:1])


def _behind(values: Floats, n: int) -> Floats:
    return np.concatenate([np.full(n, np.nan), values])
