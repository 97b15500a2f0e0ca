"""Basic statistics of one symbol over a window of bars."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from operator import attrgetter

import numpy as np
from numpy.typing import ArrayLike

from quant.analytics.alignment import closes_of
from quant.analytics.series import Floats, checked
from quant.domain.bar import COMPLETE, INCOMPLETE, UNKNOWN, Bars
from quant.domain.decimals import VWAP_EXTRA_DECIMALS, vwap
from quant.domain.interval import DAY, HOUR, MINUTE
from quant.errors import SeriesError

YEAR = 365 * DAY
ANNUALISATION = "crypto trades 365 days of 24 h: a volatility per bar times the square root of the bars of a year"


@dataclass(frozen=True, slots=True)
class PriceStatistics:
    """In units of the quote asset unless said otherwise.

    ``mean``, ``median``, ``std`` (ddof 1), ``skew`` and ``excess_kurtosis`` (both adjusted for bias, without unit)
    are of the closes. ``change_percent`` is of ``open``. ``max_drawdown`` is the deepest fall of a close below the
    highest close before it, as a share; ``drawdown_from`` and ``drawdown_to`` are those two bars' times, ms.
    """

    last: float
    open: float
    change: float
    change_percent: float
    high: float
    low: float
    mean: float
    median: float
    std: float | None
    skew: float | None
    excess_kurtosis: float | None
    max_drawdown: float
    drawdown_from: int | None
    drawdown_to: int | None
    n: int


@dataclass(frozen=True, slots=True)
class MinuteProfile:
    """Base volume per minute: of all minutes of the window, those without a bar as zero, and of each minute of the
    hour.

    ``by_minute_of_hour`` holds 60 means; it shows clockwork, such as orders on the full quarter.
    """

    mean: float
    median: float
    highest: float
    highest_time: int
    by_minute_of_hour: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class VolumeStatistics:
    """``base`` and ``average_trade`` in the base asset, ``quote`` and ``average_trade_quote`` in the quote asset.

    ``taker_buy_share`` is the share of base volume that takers bought. ``per_minute`` is None for bars longer than 1m.
    """

    base: float
    quote: float
    trades: int
    average_trade: float | None
    average_trade_quote: float | None
    taker_buy_share: float | None
    per_minute: MinuteProfile | None


@dataclass(frozen=True, slots=True)
class VolatilityStatistics:
    """Of log returns between neighbouring bars; a return over a missing bar is left out.

    Attributes
    ----------
    mean_return, std_return : float
        Per bar (std: ddof 1).
    skew, excess_kurtosis : float or None
        Of the returns, adjusted for bias.
    realised : float
        ``sqrt(Σ r²)``: over the whole window, not annualised.
    realised_annualised, std_annualised, parkinson_annualised, garman_klass_annualised : float
        Per year: the per-bar figure times the square root of ``bars_per_year``.
    parkinson : float
        Per bar, ``sqrt(mean(ln(high/low)²) / (4 ln 2))`` (Parkinson 1980).
    garman_klass : float
        Per bar, ``sqrt(mean(½ ln(high/low)² - (2 ln 2 - 1) ln(close/open)²))`` (Garman and Klass 1980).
    bars_per_year : float
        The annualisation factor is its square root.
    n : int
        Number of returns.
    """

    mean_return: float
    std_return: float
    skew: float | None
    excess_kurtosis: float | None
    realised: float
    realised_annualised: float
    std_annualised: float
    parkinson: float
    parkinson_annualised: float
    garman_klass: float
    garman_klass_annualised: float
    bars_per_year: float
    annualisation_factor: float
    annualisation: str
    n: int


@dataclass(frozen=True, slots=True)
class Completeness:
    """``bars`` of ``expected`` are there; of these some are certified ``complete``, some known to be ``incomplete``,
    and the exchange's own bars are ``unknown``. An absent bar is an interval without a trade, or a hole that its
    incomplete neighbours tell of."""

    expected: int
    bars: int
    complete: int
    incomplete: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Summary:
    """All of it. ``start`` ≤ bars < ``end``, ms. ``vwap`` is exact to the price's decimals + 4. ``missing`` says what
    each figure that is None needs."""

    start: int
    end: int
    interval_ms: int
    price: PriceStatistics
    volume: VolumeStatistics
    volatility: VolatilityStatistics | None
    vwap: float | None
    completeness: Completeness
    missing: dict[str, str] = field(default_factory=dict)


# What has no value without it, by its path in a Summary.
_NEEDS = {
    "price.std": "needs two bars",
    "price.skew": "needs three closes that differ",
    "price.excess_kurtosis": "needs four closes that differ",
    "volume.average_trade": "needs a trade",
    "volume.average_trade_quote": "needs a trade",
    "volume.taker_buy_share": "needs volume",
    "volume.per_minute": "needs bars of at most a minute",
    "volatility": "needs three returns between neighbouring bars",
    "volatility.skew": "needs three returns that differ",
    "volatility.excess_kurtosis": "needs four returns that differ",
    "vwap": "needs volume",
}


def summarise(bars: Bars, start: int, end: int) -> Summary:
    """Basic statistics of the bars that start in ``start <= time < end``.

    Parameters
    ----------
    bars : Bars
        Ascending, of any one interval.
    start, end : int
        ms.

    Raises
    ------
    SeriesError
        ``too_few``: no bar is there.
    """
    inside = bars.between(start, end)
    if not len(inside):
        raise SeriesError("bars", "too_few", "there is none in that window")
    try:
        volatility = volatility_statistics(inside)
    except SeriesError:
        volatility = None
    found = Summary(
        start=start,
        end=end,
        interval_ms=inside.interval,
        price=price_statistics(inside),
        volume=volume_statistics(inside, start, end),
        volatility=volatility,
        vwap=_vwap(inside),
        completeness=Completeness(
            expected=max((end - start) // inside.interval, len(inside)),
            bars=len(inside),
            complete=int((inside.complete == COMPLETE).sum()),
            incomplete=int((inside.complete == INCOMPLETE).sum()),
            unknown=int((inside.complete == UNKNOWN).sum()),
        ),
    )
    return replace(found, missing={path: need for path, need in _NEEDS.items() if _is_missing(found, path)})


def _is_missing(found: Summary, path: str) -> bool:
    """A part that is missing as a whole is told once."""
    *parts, name = path.split(".")
    holder = attrgetter(*parts)(found) if parts else found
    return holder is not None and getattr(holder, name) is None


def price_statistics(bars: Bars) -> PriceStatistics:
    """See :class:`PriceStatistics`; at least one bar."""
    closes, scale = closes_of(bars), 10**bars.price_decimals
    first, last = int(bars.open[0]), int(bars.close[-1])
    fall, high_at, low_at = max_drawdown(closes)
    return PriceStatistics(
        last=last / scale,
        open=first / scale,
        change=(last - first) / scale,
        change_percent=100 * (last - first) / first,
        high=int(bars.high.max()) / scale,
        low=int(bars.low.min()) / scale,
        mean=float(closes.mean()),
        median=float(np.median(closes)),
        std=float(closes.std(ddof=1)) if len(closes) > 1 else None,
        skew=skew(closes),
        excess_kurtosis=excess_kurtosis(closes),
        max_drawdown=fall,
        drawdown_from=int(bars.time[high_at]) if fall else None,
        drawdown_to=int(bars.time[low_at]) if fall else None,
        n=len(bars),
    )


def volume_statistics(bars: Bars, start: int, end: int) -> VolumeStatistics:
    """See :class:`VolumeStatistics`; sums are exact before they become floats."""
    base_scale, quote_scale = 10**bars.quantity_decimals, 10 ** (bars.quantity_decimals + bars.price_decimals)
    base, quote, bought = (_total(getattr(bars, name)) for name in ("volume", "quote_volume", "taker_buy_volume"))
    trades = int(bars.trades.sum())
    return VolumeStatistics(
        base=base / base_scale,
        quote=quote / quote_scale,
        trades=trades,
        average_trade=base / base_scale / trades if trades else None,
        average_trade_quote=quote / quote_scale / trades if trades else None,
        taker_buy_share=bought / base if base else None,
        per_minute=_profile(bars, start, end) if bars.interval <= MINUTE else None,
    )


def volatility_statistics(bars: Bars) -> VolatilityStatistics:
    """See :class:`VolatilityStatistics`.

    Raises
    ------
    SeriesError
        ``too_few``: less than three returns.
    """
    scale = 10**bars.price_decimals
    opens, highs, lows, closes = (getattr(bars, name) / scale for name in ("open", "high", "low", "close"))
    returns = np.diff(np.log(closes))[np.diff(bars.time) == bars.interval]
    returns = checked(returns, "returns", 3)
    bars_per_year = YEAR / bars.interval
    factor = math.sqrt(bars_per_year)
    std, realised = float(returns.std(ddof=1)), float(returns @ returns)
    ranges = np.log(highs / lows) ** 2
    parkinson = math.sqrt(float(ranges.mean()) / (4 * math.log(2)))
    garman = float((0.5 * ranges - (2 * math.log(2) - 1) * np.log(closes / opens) ** 2).mean())
    garman_klass = math.sqrt(max(garman, 0.0))
    return VolatilityStatistics(
        mean_return=float(returns.mean()),
        std_return=std,
        skew=skew(returns),
        excess_kurtosis=excess_kurtosis(returns),
        realised=math.sqrt(realised),
        realised_annualised=math.sqrt(realised / len(returns)) * factor,
        std_annualised=std * factor,
        parkinson=parkinson,
        parkinson_annualised=parkinson * factor,
        garman_klass=garman_klass,
        garman_klass_annualised=garman_klass * factor,
        bars_per_year=bars_per_year,
        annualisation_factor=factor,
        annualisation=ANNUALISATION,
        n=len(returns),
    )


def max_drawdown(prices: ArrayLike) -> tuple[float, int, int]:
    """The deepest fall below an earlier high, as a share of that high, and the places of the high and of the low.

    Raises
    ------
    SeriesError
        As quant.analytics.series.checked.
    """
    series = checked(prices, "prices", 1)
    highs = np.maximum.accumulate(series)
    falls = 1 - series / highs
    low = int(np.argmax(falls))
    return float(falls[low]), int(np.argmax(series[: low + 1])), low


def skew(values: Floats) -> float | None:
    """Bias-adjusted Fisher-Pearson skewness ``G1 = sqrt(n (n-1)) / (n-2) · m3 / m2^1.5``; None where it does not exist.

    pandas' ``Series.skew`` gives the same figure.
    """
    n, centred = len(values), values - values.mean()
    second = float((centred**2).mean())
    if n < 3 or second <= _rounding(values):
        return None
    third = float((centred**3).mean())
    return math.sqrt(n * (n - 1)) / (n - 2) * third / math.sqrt(second) ** 3


def excess_kurtosis(values: Floats) -> float | None:
    """Bias-adjusted ``G2 = (n-1) / ((n-2)(n-3)) · ((n+1) (m4 / m2² - 3) + 6)``; 0 for a normal distribution.

    None where it does not exist. pandas' ``Series.kurt`` gives the same figure.
    """
    n, centred = len(values), values - values.mean()
    second = float((centred**2).mean())
    if n < 4 or second <= _rounding(values):
        return None
    fourth = float((centred**4).mean()) / second**2 - 3
    return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * fourth + 6)


def _rounding(values: Floats) -> float:
    """A variance that rounding alone can give to a constant series."""
    return (4 * float(np.finfo(np.float64).eps) * float(np.abs(values).max())) ** 2


def _profile(bars: Bars, start: int, end: int) -> MinuteProfile:
    base = bars.volume.astype(np.float64) / 10**bars.quantity_decimals
    first = start // MINUTE
    minutes = np.zeros(max(-(-end // MINUTE) - first, 1))
    np.add.at(minutes, bars.time // MINUTE - first, base)
    of_hour = (first + np.arange(len(minutes))) % (HOUR // MINUTE)
    sums, counts = np.bincount(of_hour, minutes, 60), np.bincount(of_hour, minlength=60)
    highest = int(minutes.argmax())
    return MinuteProfile(
        mean=float(minutes.mean()),
        median=float(np.median(minutes)),
        highest=float(minutes[highest]),
        highest_time=(first + highest) * MINUTE,
        by_minute_of_hour=tuple((sums / np.maximum(counts, 1)).tolist()),
    )


def _vwap(bars: Bars) -> float | None:
    scaled = vwap(_total(bars.quote_volume), _total(bars.volume))
    return None if scaled is None else scaled / 10 ** (bars.price_decimals + VWAP_EXTRA_DECIMALS)


def _total(values: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
    """The exact sum, whatever its size."""
    return sum(values.tolist())
