"""A recording played again as if it happened now."""

from __future__ import annotations

import bisect
import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from infra.local.exchange.market import Event, Feed
from infra.local.exchange.recording import Recorded, Recording, read
from infra.local.exchange.rendering import aggregate_events
from infra.local.exchange.trades import Instrument, Ints, Trades
from infra.local.exchange.wire import shifted

BAR = 300_000
"""Recorded times move by whole 5-minute bars, so that the bars of the recording stay the same bars."""


class ReplayMarket:
    """Publishes recorded frames at their recorded distances, ``speed`` times faster.

    It stands still until :meth:`start`. A frame is due a whole number of milliseconds after it; times inside are
    shifted by the greatest number of bars that leaves none in the future when it is due.
    """

    immutable = False

    def __init__(self, folder: Path, *, speed: float = 1.0) -> None:
        self._recordings = read(folder)
        self.instruments: Mapping[str, Instrument] = {
            symbol: recording.instrument for symbol, recording in self._recordings.items()
        }
        begin = min(recording.frames[0].received for recording in self._recordings.values())
        self._due = {
            symbol: [_due(frame.received - begin, speed) for frame in recording.frames]
            for symbol, recording in self._recordings.items()
        }
        self._trade_due: dict[str, Ints] = {
            symbol: np.array(self._due[symbol], np.int64)[recording.carriers]
            for symbol, recording in self._recordings.items()
        }
        self._slack = min(self._slacks(), default=0)
        self._start: int | None = None
        self.shift = 0
        self._trades = {symbol: recording.trades for symbol, recording in self._recordings.items()}

    def start(self, now: int) -> None:
        """Begin to play at ``now`` (ms), once."""
        if self._start is not None:
            return
        self._start, self.shift = now, (now + self._slack) // BAR * BAR
        self._trades = {
            symbol: replace(trades, times=trades.times + self.shift) for symbol, trades in self._trades.items()
        }

    def elapsed(self, now: int) -> int:
        """Milliseconds of playing, negative before it began."""
        return -1 if self._start is None else now - self._start

    def oldest(self, symbol: str) -> int:
        return self._trades[symbol].first_id

    def published(self, symbol: str, now: int) -> int:
        played = int(np.searchsorted(self._trade_due[symbol], self.elapsed(now), "right"))
        return self._trades[symbol].first_id + played

    def first_at(self, symbol: str, time: int) -> int:
        trades = self._trades[symbol]
        return trades.first_id + int(np.searchsorted(trades.times, time))

    def first_of_aggregate(self, symbol: str, aggregate: int) -> int:
        trades = self._trades[symbol]
        return trades.first_id + int(np.searchsorted(trades.aggregates, aggregate))

    def trades(self, symbol: str, first: int, stop: int) -> Trades:
        return self._trades[symbol].cut(first, stop)

    def feed(self) -> Feed:
        return ReplayFeed(self)

    def recording(self, symbol: str) -> Recording:
        return self._recordings[symbol]

    def due(self, symbol: str) -> list[int]:
        """For each frame of the symbol, when it is sent: milliseconds after the start."""
        return self._due[symbol]

    def _slacks(self) -> list[int]:
        pairs = (
            (due, frame.latest_stamp)
            for symbol, recording in self._recordings.items()
            for due, frame in zip(self._due[symbol], recording.frames, strict=True)
        )
        return [due - stamp for due, stamp in pairs if stamp is not None]


class ReplayFeed:
    """Recorded frames, their times shifted. The first follower starts the playing."""

    def __init__(self, market: ReplayMarket) -> None:
        self._market = market
        self._next: dict[str, int] = {}

    def follow(self, symbol: str, now: int) -> None:
        self._market.start(now)
        position = bisect.bisect_left(self._market.due(symbol), self._market.elapsed(now))
        self._next.setdefault(symbol, position)

    def forget(self, symbol: str) -> None:
        self._next.pop(symbol, None)

    def poll(self, symbol: str, kinds: Collection[str], now: int) -> list[Event]:
        first = self._next[symbol]
        stop = bisect.bisect_right(self._market.due(symbol), self._market.elapsed(now), first)
        if stop <= first:
            return []
        self._next[symbol] = stop
        frames = self._market.recording(symbol).frames[first:stop]
        events = [self._event(frame) for frame in frames]
        if "aggTrade" in kinds:
            events += self._aggregates(symbol, first, stop, now)
        return events

    def _event(self, frame: Recorded) -> Event:
        data = shifted(frame.data, self._market.shift)
        if frame.is_trade:
            return Event(frame.symbol, frame.stream, data, trade_id=_trade_id(data))
        return Event(frame.symbol, frame.stream, data, to_all=True)

    def _aggregates(self, symbol: str, first: int, stop: int, now: int) -> list[Event]:
        recording = self._market.recording(symbol)
        low, high = np.searchsorted(recording.carriers, (first, stop)) + recording.trades.first_id
        return aggregate_events(symbol, self._market.trades(symbol, int(low), int(high)), now)


def _due(offset: int, speed: float) -> int:
    return math.ceil(offset / (1_000_000 * speed))


def _trade_id(data: str) -> int:
    digits = data.partition('"t":')[2]
    return int(digits[: digits.index(",")]) if "," in digits else -1
