"""The seeded market: a pure function of seed, symbol and time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from infra.local.exchange.feeds import TradeFeed
from infra.local.exchange.listing import Listing, listing, log_price
from infra.local.exchange.market import Feed
from infra.local.exchange.paths import LISTED_DAY, SECOND, Process
from infra.local.exchange.randomness import generator
from infra.local.exchange.schedules import Bursty, Schedule, Steady, per_day
from infra.local.exchange.sweeps import Sweeps
from infra.local.exchange.trades import Bools, Floats, Instrument, Ints, Trades, join
from quant.errors import ValidationError

_LISTED = LISTED_DAY * 86_400
_MEDIAN_NOTIONAL, _NOTIONAL_SPREAD = 250.0, 1.4


class SimulatedMarket:
    """Trades that have always been there: time alone decides which of them are public.

    ``rate`` multiplies every symbol's rate. ``trades_per_second`` replaces the rates and spreads trades evenly.
    Both change ids: a stored market goes on only under the same three of seed, rate and trades per second.
    """

    immutable = True

    def __init__(
        self,
        symbols: Sequence[str],
        *,
        seed: int = 7,
        rate: float = 1.0,
        trades_per_second: float | Mapping[str, float] | None = None,
    ) -> None:
        listings = [listing(symbol) for symbol in symbols]
        if not listings:
            raise ValidationError("symbols", "must name at least one symbol")
        self.instruments: Mapping[str, Instrument] = {one.symbol: one.instrument for one in listings}
        self._seed = seed
        self._sweeps = {symbol: Sweeps(int(generator(seed, symbol).integers(2**32))) for symbol in symbols}
        self._schedules = {one.symbol: self._schedule(one, rate, trades_per_second) for one in listings}
        self._paths: Mapping[str, Process] = {symbol: log_price(seed, symbol) for symbol in symbols}
        self._leads = {symbol: self._lead(symbol) for symbol in symbols}
        self._path = lru_cache(2 * len(symbols) + 8)(self._hour)
        self._block = lru_cache(2 * len(symbols) + 8)(self._make_block)

    def oldest(self, symbol: str) -> int:
        return 0

    def published(self, symbol: str, now: int) -> int:
        # Each symbol's next block is made ahead, at a moment of its own: else all would be made in one moment.
        self._block_at(symbol, now + self._leads[symbol])
        return self.first_at(symbol, now + 1)

    def first_at(self, symbol: str, time: int) -> int:
        block = self._block_at(symbol, time)
        return block.first_id + int(np.searchsorted(block.times, time))

    def first_of_aggregate(self, symbol: str, aggregate: int) -> int:
        return self._sweeps[symbol].first_of(max(aggregate, 0))

    def trades(self, symbol: str, first: int, stop: int) -> Trades:
        parts, at = [], max(first, 0)
        while at < stop:
            block = self._block(symbol, self._schedules[symbol].block_of(at))
            parts.append(block.cut(at, stop))
            at = block.stop_id
        return join(parts, first)

    def feed(self) -> Feed:
        return TradeFeed(self)

    def _schedule(self, one: Listing, rate: float, steady: float | Mapping[str, float] | None) -> Schedule:
        sweeps = self._sweeps[one.symbol]
        if isinstance(steady, Mapping):
            steady = steady.get(one.symbol)
        if steady is not None:
            return Steady(per_day(steady), sweeps)
        return Bursty(self._seed, one.symbol, per_day(one.rate * rate), sweeps)

    def _lead(self, symbol: str) -> int:
        share = generator(self._seed, symbol, "lead").uniform(0.1, 0.9)
        return int(share * self._schedules[symbol].block * SECOND)

    def _block_at(self, symbol: str, time: int) -> Trades:
        second = max(time // SECOND, _LISTED)
        return self._block(symbol, second - second % self._schedules[symbol].block)

    def _hour(self, symbol: str, hour: int) -> Floats:
        return self._paths[symbol].hour(hour)

    def _make_block(self, symbol: str, second: int) -> Trades:
        schedule, sweeps = self._schedules[symbol], self._sweeps[symbol]
        times = schedule.times(second)
        first = schedule.first(second)
        ids = np.arange(first, first + len(times))
        order = _order(sweeps.continues(ids))
        times = times[order]
        rng = generator(self._seed, symbol, "trades", second)
        makers = _sides(rng, len(ids))[order]
        mid = self._mid(symbol, times)
        prices = _prices(self.instruments[symbol], mid, makers)
        quantities = _quantities(rng, self.instruments[symbol], mid)
        return Trades(first, times, prices, quantities, makers, sweeps.aggregates(ids))

    def _mid(self, symbol: str, times: Ints) -> Floats:
        if not len(times):
            return np.empty(0)
        hour = int(times[0]) // 3_600_000
        seconds = (times - hour * 3_600_000) / SECOND
        return np.exp(np.interp(seconds, np.arange(3_601), self._path(symbol, hour)))


def _order(continues: Bools) -> Ints:
    # Trades of one taker order take time, price and side from its first.
    return np.maximum.accumulate(np.where(continues, 0, np.arange(len(continues))))


def _sides(rng: np.random.Generator, count: int) -> Bools:
    # Takers come in runs: a side holds for about four trades.
    flips = rng.random(count) < 0.25
    sides: Bools = np.cumsum(flips) % 2 == rng.integers(2)
    return sides


def _prices(instrument: Instrument, mid: Floats, makers: Bools) -> Ints:
    # Sellers hit the bid, buyers lift the ask one tick above it.
    bid = np.maximum(np.floor(mid * (1e8 / instrument.tick)).astype(np.int64), 1)
    prices: Ints = (bid + ~makers) * instrument.tick
    return prices


def _quantities(rng: np.random.Generator, instrument: Instrument, mid: Floats) -> Ints:
    notional = rng.lognormal(math.log(_MEDIAN_NOTIONAL), _NOTIONAL_SPREAD, len(mid))
    steps = np.rint(np.minimum(notional, 2e6) / mid * (1e8 / instrument.step)).astype(np.int64)
    quantities: Ints = np.maximum(steps, 1) * instrument.step
    return quantities
