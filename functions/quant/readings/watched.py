"""What a rule looks at, by name, and its readings: the one place where rules meet data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from quant.alerting.metrics import CLOCK, METRICS, SCAN
from quant.alerting.readings import Readings
from quant.alerting.templates import moment
from quant.domain.alert import Rule
from quant.domain.interval import MINUTE, SECOND, floor
from quant.domain.market import Market
from quant.domain.results import ResultRepository
from quant.readings.feed import INTERVALS, Feed
from quant.readings.figures import first_needed, readings_of
from quant.readings.frame import Frame

SCAN_EVERY = 5 * MINUTE
Series = tuple[str, Market, Market | None, str, int]


def input_of(rule: Rule) -> str:
    """``binance:BTCUSDT@1s``, ``binance:ETHUSDT~binance:BTCUSDT@1m``, ``scan`` or ``binance:BTCUSDT@clock``."""
    if rule.interval == SCAN:
        return SCAN
    names = str(rule.market) if rule.x is None else f"{rule.market}~{rule.x}"
    return f"{names}@{rule.interval}"


def markets_of(rule: Rule) -> tuple[Market, ...]:
    return (rule.market,) if rule.x is None else (rule.market, rule.x)


@dataclass(slots=True)
class Watched:
    """Readings of rules at one moment; those of the same series are made once.

    Attributes:
        followed: the markets that are followed now.
    """

    feed: Feed
    cache: ResultRepository
    followed: frozenset[Market]
    _made: dict[tuple[Series, int], Readings] = field(default_factory=dict)
    _starts: dict[tuple[Market, str], int] = field(default_factory=dict)
    _scan: tuple[int, Mapping[tuple[str, str], dict[str, Any]], str] | None = None

    def expect(self, rule: Rule, start: int) -> None:
        """Say beforehand what will be asked for, so that each market is read once and far enough back."""
        if rule.interval not in INTERVALS or rule.metric not in METRICS:
            return
        low = first_needed(rule.metric, INTERVALS[rule.interval].ms, rule.window, self._grid(rule, start))
        for market in markets_of(rule):
            key = (market, rule.interval)
            self._starts[key] = min(low, self._starts.get(key, low))

    def readings(self, rule: Rule, start: int) -> Readings:
        """From ``start`` up to what is known now."""
        for market in markets_of(rule):
            if market not in self.followed:
                reason = f"{market} is not followed any more"
                return Readings.none(MINUTE, floor(self.feed.now, MINUTE), reason, is_gone=True)
        key = ((rule.metric, rule.market, rule.x, rule.interval, rule.window), start)
        if key not in self._made:
            self._made[key] = self._make(rule, start)
        return self._made[key]

    def newest(self, rule: Rule) -> Readings:
        """The newest few readings."""
        if rule.interval not in INTERVALS or not set(markets_of(rule)) <= self.followed:
            return self.readings(rule, self.feed.now)
        until = min(self.feed.known(market).until for market in markets_of(rule))
        return self.readings(rule, max(until - 3 * INTERVALS[rule.interval].ms, 0))

    def at(self, rule: Rule, time: int) -> Readings:
        """The reading of one past bar, out of what is stored now."""
        return self.between(rule, time, time + INTERVALS[rule.interval].ms)

    def between(self, rule: Rule, start: int, end: int) -> Readings:
        """Readings of the bars of ``start`` … ``end``, both on the grid, out of what is stored now."""
        low = first_needed(rule.metric, INTERVALS[rule.interval].ms, rule.window, start)
        frames = [self.feed.past(market, rule.interval, low, end) for market in markets_of(rule)]
        return readings_of(rule.metric, rule.window, start, frames, *self._reasons(rule, start, frames))

    def _make(self, rule: Rule, start: int) -> Readings:
        if rule.interval == SCAN:
            return self._of_scan(rule, start)
        if rule.interval == CLOCK:
            return self._of_clock(rule.market)
        start = self._grid(rule, start)
        frames = [
            self.feed.frame(market, rule.interval, self._first(market, rule, start)) for market in markets_of(rule)
        ]
        return readings_of(rule.metric, rule.window, start, frames, *self._reasons(rule, start, frames))

    def _grid(self, rule: Rule, start: int) -> int:
        return floor(start, INTERVALS[rule.interval].ms)

    def _first(self, market: Market, rule: Rule, start: int) -> int:
        low = first_needed(rule.metric, INTERVALS[rule.interval].ms, rule.window, start)
        return min(low, self._starts.get((market, rule.interval), low))

    def _reasons(self, rule: Rule, start: int, frames: list[Frame]) -> tuple[str, str]:
        """Of holes, and why nothing is known after the end."""
        low = first_needed(rule.metric, INTERVALS[rule.interval].ms, rule.window, start)
        holes = [_hole(market, frame, low, start) for market, frame in zip(markets_of(rule), frames, strict=True)]
        least = min((self.feed.known(market) for market in markets_of(rule)), key=lambda known: known.until)
        return next(filter(None, holes), ""), least.reason

    def _of_clock(self, market: Market) -> Readings:
        known, time = self.feed.known(market), floor(self.feed.now, SECOND)
        lag = max(self.feed.now - known.until, 0) / SECOND if known.until else None
        return Readings.single(SECOND, time, lag, known.reason)

    def _of_scan(self, rule: Rule, start: int) -> Readings:
        computed_at, rows, reason = self._latest_scan()
        if not computed_at:
            return Readings.none(SCAN_EVERY, start, reason)
        row = rows.get((str(rule.market), str(rule.x)))
        if row is None:
            return Readings.single(
                SCAN_EVERY, computed_at, None, "the pair is not in the scan: one of the two sits out"
            )
        if not row["passes"]["data"] or row["p_value"] is None:
            return Readings.single(SCAN_EVERY, computed_at, None, "the scan's data of the pair are not complete")
        return Readings.single(SCAN_EVERY, computed_at, row["p_value"], "no scan has been made for too long")

    def _latest_scan(self) -> tuple[int, Mapping[tuple[str, str], dict[str, Any]], str]:
        if self._scan is None:
            self.feed.reads += 1
            found = self.cache.latest(SCAN)
            rows: dict[tuple[str, str], dict[str, Any]] = {}
            for row in msgspec.json.decode(found.body)["pairs"] if found else ():
                pair = f"{row['exchange']}:{row['y']}", f"{row['x_exchange']}:{row['x']}"
                rows[pair] = rows[pair[1], pair[0]] = row
            self._scan = (found.computed_at if found else 0, rows, "no scan of all pairs has been made yet")
        return self._scan


def _hole(market: Market, frame: Frame, low: int, start: int) -> str:
    """What is missing of a market: since ``start``, or before it in the window, which begins at ``low``."""
    broken = frame.time[frame.unsound & (frame.time >= low)].tolist()
    if not broken:
        return ""
    # Of the first bar there is, nobody knows what came before it.
    lost = [time for time in broken if time > frame.known_from]
    if not lost:
        return f"{market.symbol} is not known before {moment(frame.known_from + frame.interval)}"
    late = [time for time in lost if time >= start]
    return f"trades of {market.symbol} are missing at {moment(late[0] if late else lost[-1])}"
