"""The use case of /pairs/analyze: read two symbols' bars, align them as the caller says, analyse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from quant.analytics.alignment import Aligned, Fill, align
from quant.analytics.backtest import Rule
from quant.analytics.pair import FEWEST_POINTS, PairAnalysis, Question, analyse_pair
from quant.analytics.summary import YEAR
from quant.contract.analytics import PairParameters
from quant.domain.bar import Bars
from quant.domain.interval import HOUR, SECOND, Interval
from quant.domain.market import Market
from quant.domain.ports import InstrumentRepository
from quant.errors import SeriesError, ValidationError
from quant.live_bars import LiveBars, Tail, is_closed

_KNOWN_FOR = 30 * SECOND


@dataclass(frozen=True, slots=True)
class PairRequest:
    """What the caller asked for, checked."""

    y: Market
    x: Market
    interval: Interval
    lookback: int
    fill: Fill
    question: Question
    with_series: bool

    @classmethod
    def of(cls, asked: PairParameters) -> PairRequest:
        """
        Raises:
            ValidationError: names the parameter that does not go with another, and what it must be.
        """
        y, x = (_market(name, text, asked.exchange) for name, text in (("y", asked.y), ("x", asked.x)))
        if y == x:
            raise ValidationError("x", f"must be another symbol than y; both are {y}")
        interval = Interval.parse(asked.interval)
        window = min(60, asked.lookback) if asked.window is None else asked.window
        if window > asked.lookback:
            raise ValidationError("window", f"must be a whole number from 3 to {asked.lookback}, which is lookback")
        exit_at = min(0.5, asked.entry / 2) if asked.exit is None else asked.exit
        if exit_at >= asked.entry:
            raise ValidationError("exit", "must be below entry")
        stop = 2 * asked.entry if asked.stop is None else asked.stop
        if 0 < stop <= asked.entry:
            raise ValidationError("stop", "must be above entry, or 0 for none")
        return cls(
            y=y,
            x=x,
            interval=interval,
            lookback=asked.lookback,
            fill=asked.fill,
            question=Question(
                window=window,
                bars_per_year=YEAR / interval.ms,
                method=asked.method,
                transform=asked.transform,
                delta=asked.delta,
                noise=asked.noise,
                rule=Rule(asked.entry, exit_at, stop or None, asked.cost),
                with_johansen=asked.johansen,
            ),
            with_series=asked.series,
        )


@dataclass(slots=True)
class PairService:
    """The ports of the use case."""

    live: LiveBars
    instruments: InstrumentRepository
    _known: frozenset[Market] = frozenset()
    _read_at: int = field(default=0)

    def analyse(self, request: PairRequest, now: int) -> dict[str, Any]:
        """The answer, ready to be encoded.

        Raises:
            ValidationError: a symbol that is not followed.
            SeriesError: the data do not allow any analysis; says why.
        """
        for name, market in (("y", request.y), ("x", request.x)):
            self._check(name, market, now)
        aligned = self._aligned(request, now)
        if len(aligned.time) < FEWEST_POINTS:
            raise SeriesError(
                "lookback",
                "too_few",
                f"finds only {len(aligned.time)} bars that both symbols have; at least {FEWEST_POINTS} are needed",
            )
        if len(aligned.time) < request.question.window:
            raise SeriesError(
                "window", "too_few", f"is longer than the {len(aligned.time)} bars that both symbols have"
            )
        found = analyse_pair(aligned.closes[0], aligned.closes[1], request.question)
        return _rendered(request, aligned, found, now)

    def _check(self, name: str, market: Market, now: int) -> None:
        if market not in self._known or now - self._read_at > _KNOWN_FOR:
            self._known = frozenset(one.market for one in self.instruments.all())
            self._read_at = now
        if market not in self._known:
            raise ValidationError(name, f"{str(market)!r} is not followed; GET /api/symbols lists what is")

    def _aligned(self, request: PairRequest, now: int) -> Aligned:
        """The closed bars of both up to the newest of either."""
        interval, markets = request.interval, (request.y, request.x)
        tails = [self.live.tail(market, now) for market in markets]
        newest = [
            self.live.read_newest(market, interval, now + HOUR, 1, tail)
            for market, tail in zip(markets, tails, strict=True)
        ]
        # Through a halt the newest bar may be old. One more is read than asked for: the newest may be open still.
        end = max((int(bars.time[-1]) for bars in newest if len(bars)), default=0) + interval.ms
        start = max(end - (request.lookback + 1) * interval.ms, 0)
        read = [
            _closed(self.live.read(market, interval, start, end, tail), tail)
            for market, tail in zip(markets, tails, strict=True)
        ]
        for name, bars in zip(("y", "x"), read, strict=True):
            if not len(bars):
                raise SeriesError(name, "too_few", "has no closed bar in the lookback")
        stop = max(int(bars.time[-1]) for bars in read) + interval.ms
        return align(read, request.fill, stop - request.lookback * interval.ms, stop)


def _market(name: str, text: str, exchange: str) -> Market:
    return Market.parse(text if ":" in text else f"{exchange}:{text}", name)


def _closed(bars: Bars, tail: Tail) -> Bars:
    return bars.take(is_closed(bars, tail) | (bars.time + bars.interval <= tail.start))


def _rendered(request: PairRequest, aligned: Aligned, found: PairAnalysis, now: int) -> dict[str, Any]:
    question, times = request.question, aligned.time
    rest = {name: getattr(found, name) for name in ("adf", "engle_granger", "johansen", "half_life")}
    return {
        "y": {"exchange": request.y.exchange, "symbol": request.y.symbol, "coverage": aligned.coverage[0]},
        "x": {"exchange": request.x.exchange, "symbol": request.x.symbol, "coverage": aligned.coverage[1]},
        "interval": request.interval.name,
        "lookback": request.lookback,
        "window": question.window,
        "method": question.method,
        "transform": question.transform,
        "fill": request.fill,
        "start": int(times[0]),
        "end": int(times[-1]) + request.interval.ms,
        "n": found.n,
        "dropped": aligned.dropped,
        "notes": _notes(request, aligned),
        "computed_at": now,
        "correlation": {"of": "log returns", "pearson": found.pearson, "spearman": found.spearman},
        "hedge_ratios": {"ols": found.ols, "tls": found.tls, "huber": found.huber, "kalman": found.kalman},
        "spread": found.spread,
        **rest,
        "backtest": _backtest(request, found, times),
        "series": None if not request.with_series else {"time": times, **_columns(found)},
    }


def _notes(request: PairRequest, aligned: Aligned) -> list[str]:
    notes = []
    if len(aligned.time) < request.lookback:
        notes.append(f"{request.lookback} bars were asked for; {len(aligned.time)} are common to both symbols")
    if request.question.window == len(aligned.time):
        notes.append("rolling_correlation has no value: of so many bars there is one return less")
    if _gaps(aligned, request.interval.ms):
        notes.append("a change over times that were left out counts as that of one bar; fill=previous keeps the grid")
    for name, cover in zip(("y", "x"), aligned.coverage, strict=True):
        if cover.filled:
            notes.append(f"{cover.filled} bars of {name} are missing and stand at the previous close")
        if cover.incomplete:
            notes.append(f"{cover.incomplete} bars of {name} are known to lack trades")
    return notes


def _gaps(aligned: Aligned, interval: int) -> bool:
    return bool((np.diff(aligned.time) != interval).any())


def _backtest(request: PairRequest, found: PairAnalysis, times: np.ndarray[Any, Any]) -> Any:
    result = found.backtest
    if isinstance(result, SeriesError):
        return result
    trades = [
        {
            "entry_time": int(times[trade.entry]),
            "exit_time": int(times[trade.exit]),
            "side": "long spread" if trade.side > 0 else "short spread",
            "hedge_ratio": trade.hedge_ratio,
            "return": trade.result,
            "ended_by": trade.ended_by,
        }
        for trade in result.trades
    ]
    return {
        "rule": request.question.rule,
        "convention": found.backtest_convention,
        "trades": len(trades),
        "return": result.total_return,
        "sharpe": result.sharpe,
        "max_drawdown": result.max_drawdown,
        "exposure": result.exposure,
        "win_share": result.win_share,
        "costs": result.costs,
        "bars_per_year": result.bars_per_year,
        "n": result.n,
        "round_trips": trades,
        "equity": np.cumsum(result.returns) if request.with_series else None,
    }


def _columns(found: PairAnalysis) -> dict[str, Any]:
    names = (
        "y", "x", "spread", "zscore", "rolling_correlation", "rolling_hedge_ratio", "rolling_spread", "rolling_zscore",
    )  # fmt: skip
    return {name: getattr(found.columns, name) for name in names}
