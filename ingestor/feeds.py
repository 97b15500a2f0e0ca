"""All connections: symbols in groups, frames from each to the pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from ingestor.backoff import AttemptLimit
from ingestor.connection import Feed
from ingestor.exchanges.base import Exchange
from ingestor.logging_json import Log
from ingestor.pipeline import Pipeline
from ingestor.silence import Silence
from quant.domain.market import Market

STREAMS_PER_CONNECTION = 200


class Feeds:
    """One feed per group of symbols; ``take`` and ``watch`` are called several times a second."""

    def __init__(
        self,
        pipeline: Pipeline,
        markets: Iterable[Market],
        silence: Silence,
        log: Log,
        *,
        stale_seconds: float,
        hole: Callable[[], None],
        streams_per_connection: int = STREAMS_PER_CONNECTION,
    ) -> None:
        self._pipeline, self._silence, self._log, self._hole = pipeline, silence, log, hole
        self._stale_seconds, self._streams = stale_seconds, streams_per_connection
        self._owners: list[tuple[Feed, Exchange]] = []
        self._feed_of: dict[Market, Feed] = {}
        pipeline.heard = self._heard
        for exchange in pipeline.exchanges.values():
            self._connect(exchange, [market for market in markets if market.exchange == exchange.name])

    @property
    def all(self) -> list[Feed]:
        return [feed for feed, _ in self._owners]

    def take(self) -> None:
        """Hand what has come to the pipeline, the oldest session of each feed first."""
        now = asyncio.get_running_loop().time()
        for feed, exchange in self._owners:
            for session in feed.sessions():
                frames = session.take(now)
                if not frames:
                    continue
                received = self._pipeline.receive(exchange, frames)
                if received.valid:
                    feed.delivered(session)
                if received.shutdown:
                    feed.retire("serverShutdown")
                if received.opened_holes:
                    self._hole()

    def watch(self) -> None:
        """Replace what is stale or old."""
        now = asyncio.get_running_loop().time()
        for feed in self.all:
            feed.watch(now)

    def absent(self, market: Market) -> int:
        """For how long (ms) nothing can have been heard of this market, for want of a connection."""
        return int(1_000 * self._feed_of[market].absent(asyncio.get_running_loop().time()))

    def replace(self, market: Market) -> None:
        """The stream hides trades of this market."""
        self._feed_of[market].retire(f"{market} is behind")

    def _connect(self, exchange: Exchange, markets: Sequence[Market]) -> None:
        size = min(self._streams, exchange.limits.streams_per_connection)
        attempts = AttemptLimit(exchange.limits.attempts_per_five_minutes)
        for number, at in enumerate(range(0, len(markets), size), 1):
            group = markets[at : at + size]
            feed = Feed(
                f"{exchange.name}/{number}",
                exchange.opening([market.symbol for market in group]),
                exchange.limits,
                attempts,
                self._log,
                stale_seconds=self._stale_seconds,
                opened=partial(self._opened, group),
            )
            self._feed_of.update(dict.fromkeys(group, feed))
            self._owners.append((feed, exchange))

    def _opened(self, markets: Sequence[Market]) -> None:
        for market in markets:
            self._silence.connected(market, asyncio.get_running_loop().time())

    def _heard(self, market: Market, trades: int) -> None:
        self._silence.heard(market, trades, asyncio.get_running_loop().time())
