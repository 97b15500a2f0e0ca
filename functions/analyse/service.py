"""The analysing use case: statistics of every symbol, their correlations, and the scan of all pairs, into the cache.

A run reads no more than it has to: bars that it has read before are kept in memory, and each run reads the newest hours
anew, each scan as far back as an ingestor heals, and all of them once an hour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analyse.cards import scan_rows, scan_summary
from quant.analytics.alignment import Aligned, align
from quant.analytics.scan import scan, standardised_returns
from quant.analytics.series import not_constant
from quant.analytics.summary import Summary, summarise
from quant.domain.bar import Bars, concatenate
from quant.domain.interval import DAY, HOUR, M1, MINUTE, SECOND, floor
from quant.domain.market import Market
from quant.domain.ports import BarRepository, Clock, InstrumentRepository
from quant.domain.results import Result, ResultRepository
from quant.errors import SeriesError

WINDOW = DAY
# One day of minutes tells a half-life of an hour from a random walk in one case of two, three days do in all of them.
SCAN_WINDOW = 3 * DAY
SCAN_EVERY = 5 * MINUTE
# The schedule does not fire to the second: a scan that is due by then is made now.
_EARLY = 15 * SECOND
_REREAD, _REREAD_FOR_SCAN, _REREAD_ALL_AFTER = 2 * HOUR, 7 * HOUR, HOUR
MAX_ROWS = 2_000
_FEWEST_CLOSES = 4
# A symbol with less of the window than this share of the longest one sits out, else it would cut the window for all.
_LEAST_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Report:
    """What one run did. ``unfinished`` counts what there was no time for."""

    symbols: int = 0
    summaries: int = 0
    correlated: int = 0
    pairs_tested: int = 0
    pairs_admitted: int = 0
    scanned: bool = False
    unfinished: int = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    """Bars of a market in memory, and when all of them were read."""

    bars: Bars
    read_at: int


@dataclass(slots=True)
class Analyst:
    """The ports of the use case.

    Attributes:
        encode: makes a result's body.
        clock: for durations; the time of the run is given to it.
    """

    bars: BarRepository
    instruments: InstrumentRepository
    cache: ResultRepository
    encode: Callable[[Any], bytes]
    clock: Clock
    _kept: dict[Market, _Kept] = field(default_factory=dict)

    def run(self, now: int, has_time: Callable[[], bool] = lambda: True) -> Report:
        """Compute and publish what is due. When the time is over it ends between two steps with what it has."""
        end = self._end(now)
        markets = [one.market for one in self.instruments.all()]
        last_scan = self.cache.computed_at("scan")
        is_due = last_scan is None or now - last_scan >= SCAN_EVERY - _EARLY
        read: dict[Market, Bars] = {}
        for market in markets:
            if not has_time():
                break
            read[market] = self._window(market, end, _REREAD_FOR_SCAN if is_due else _REREAD)
        unfinished = len(markets) - len(read)
        summaries = self._summaries(read, end, now, finished=not unfinished)
        if not has_time():
            return Report(len(markets), summaries, unfinished=unfinished + 1)
        found = _field(read, end - WINDOW, end)
        self._correlations(found, now, finished=not unfinished)
        report = Report(len(markets), summaries, len(found.markets), unfinished=unfinished)
        if not is_due or unfinished:
            return report
        tested, admitted, finished = self._scan(_field(read, end - SCAN_WINDOW, end), now, has_time)
        return Report(len(markets), summaries, len(found.markets), tested, admitted, True, unfinished + (not finished))

    def _end(self, now: int) -> int:
        """Up to where bars are made: the minute that has just ended is not resampled yet, and would look like a gap."""
        end = floor(now, MINUTE)
        return min(end, max((mark.time for mark in self.bars.watermarks().values()), default=end))

    def _window(self, market: Market, end: int, reread: int) -> Bars:
        start, kept = end - SCAN_WINDOW, self._kept.get(market)
        if kept is None or not len(kept.bars) or end - kept.read_at >= _REREAD_ALL_AFTER:
            kept = _Kept(self.bars.read(market, M1, start, end), end)
        else:
            again = max(int(kept.bars.time[-1]) - reread, start)
            fresh = self.bars.read(market, M1, again, end)
            older = kept.bars.between(start, again)
            kept = _Kept(concatenate([older, fresh]) if len(fresh) else older, kept.read_at)
        self._kept[market] = kept
        return kept.bars

    def _summaries(self, read: dict[Market, Bars], end: int, now: int, *, finished: bool) -> int:
        rows = []
        for market, bars in read.items():
            facts: dict[str, Any] = {"exchange": market.exchange, "symbol": market.symbol}
            try:
                summary: Summary = summarise(bars, end - WINDOW, end)
            except SeriesError as exc:
                rows.append(facts | {"summary": None, "reason": str(exc)})
            else:
                rows.append(facts | {"summary": summary, "reason": None})
        body = {"window": _window(end), "finished": finished, "symbols": rows}
        self._publish("stats", body, now)
        return len(rows)

    def _correlations(self, found: Field, now: int, *, finished: bool) -> None:
        matrix: list[list[float | None]] = []
        aligned, reason = found.aligned, None
        if aligned is None or len(aligned.time) < _FEWEST_CLOSES:
            reason = f"there are no two symbols with {_FEWEST_CLOSES} bars in common"
        else:
            unit = standardised_returns(aligned.closes)
            products = np.clip(unit @ unit.T, -1, 1)
            moves = np.diag(products) > 0
            known = moves[:, None] & moves[None, :]
            np.fill_diagonal(products, 1.0)
            matrix = [
                [round(value, 6) if there else None for value, there in zip(row, mask, strict=True)]
                for row, mask in zip(products.tolist(), known.tolist(), strict=True)
            ]
        body = {
            **_inputs(found),
            "method": "Pearson's correlation of log returns of 1m closes",
            "null_hypothesis": "there is no linear relation between the two symbols' returns",
            "finished": finished,
            "matrix": matrix,
            "reason": reason,
        }
        self._publish("correlation", body, now)

    def _scan(self, field: Field, now: int, has_time: Callable[[], bool]) -> tuple[int, int, bool]:
        body: dict[str, Any] = {**_inputs(field), "reason": None, "pairs": []}
        tested, admitted, finished = 0, 0, True
        try:
            if field.aligned is None:
                raise SeriesError("symbols", "too_few", "must be at least two with bars in the window")
            complete = [one.is_complete for one in field.aligned.coverage]
            found = scan(field.aligned.closes, is_complete=complete, has_time=has_time)
        except SeriesError as exc:
            body["reason"] = str(exc)
        else:
            tested, admitted, finished = found.tested, int(found.admitted.sum()), found.finished
            summary = scan_summary(found, field.markets)
            body |= summary | {"excluded": body["excluded"] + summary["excluded"]}
            body["pairs"] = scan_rows(found, field.markets, MAX_ROWS)
        body["finished"] = finished
        self._publish("scan", body, now)
        return tested, admitted, finished

    def _publish(self, name: str, body: dict[str, Any], now: int) -> None:
        run_id = f"{now:015d}"
        head = {"computed_at": now, "run_id": run_id, "duration_ms": self.clock() - now}
        self.cache.publish(Result(name, run_id, now, self.encode(head | body)))


def _window(end: int) -> dict[str, Any]:
    return {"start": end - WINDOW, "end": end, "interval": M1.name}


@dataclass(frozen=True, slots=True)
class Field:
    """The symbols that take part, on one grid, and why others do not. ``aligned`` is None for fewer than two."""

    markets: tuple[Market, ...]
    aligned: Aligned | None
    excluded: tuple[tuple[Market, SeriesError], ...]


def _field(everything: dict[Market, Bars], start: int, end: int) -> Field:
    """The symbols that have most of start…end; gaps stand at the previous close and are counted."""
    read = {market: bars.between(start, end) for market, bars in everything.items()}
    reasons = {market: error for market, bars in read.items() if (error := _unfit(bars)) is not None}
    spans = {market: end - int(bars.time[0]) for market, bars in read.items() if market not in reasons}
    longest = max(spans.values(), default=0)
    for market, span in spans.items():
        if span < _LEAST_SHARE * longest:
            reasons[market] = SeriesError(market.symbol, "too_few", "has bars of only a part of the window")
    chosen = tuple(sorted(spans.keys() - reasons.keys()))
    aligned = None
    if len(chosen) >= 2:
        aligned = align([read[market] for market in chosen], "previous", end - longest, end)
    return Field(chosen, aligned, tuple(sorted(reasons.items(), key=lambda pair: pair[0])))


def _unfit(bars: Bars) -> SeriesError | None:
    if not len(bars):
        return SeriesError("bars", "too_few", "has no bar in the window")
    try:
        not_constant(bars.close.astype(np.float64), "closes")
    except SeriesError as exc:
        return exc
    return None


def _inputs(field: Field) -> dict[str, Any]:
    coverage, time = ((), None) if field.aligned is None else (field.aligned.coverage, field.aligned.time)
    return {
        "symbols": [
            {"exchange": market.exchange, "symbol": market.symbol, "coverage": cover, "complete": cover.is_complete}
            for market, cover in zip(field.markets, coverage, strict=False)
        ],
        "excluded": [
            {"exchange": market.exchange, "symbol": market.symbol, "code": error.reason, "reason": error.problem}
            for market, error in field.excluded
        ],
        "window": {
            "start": None if time is None else int(time[0]),
            "end": None if time is None else int(time[-1]) + M1.ms,
            "interval": M1.name,
            "fill": "previous",
        },
        "n": 0 if time is None else len(time),
    }
