"""During a silence the exchange is asked for its last trade: a halt and a loss look the same from here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from ingestor.logging_json import Log
from ingestor.pipeline import Pipeline
from ingestor.rest import RestClient
from ingestor.silence import Silence
from quant.domain.market import Market
from quant.errors import ExchangeError, FrameError

LOOK_SECONDS = 0.5
# A stream that hides trades of a market twice in a row is replaced.
TOLERATED = 2


class Prober:
    """Asks for silent markets; what it learns is a hole for the healer, or a halt."""

    def __init__(
        self,
        pipeline: Pipeline,
        clients: Mapping[str, RestClient],
        silence: Silence,
        log: Log,
        *,
        found: Callable[[], None],
        replace: Callable[[Market], None],
    ) -> None:
        self._pipeline, self._clients, self._silence, self._log = pipeline, clients, silence, log
        self._found, self._replace = found, replace

    async def run(self) -> None:
        """Look for ever; cancel to end."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for market in self._silence.due(clock()):
                try:
                    await self._ask(market)
                except (ExchangeError, FrameError) as exc:
                    self._log("probe_failed", market=str(market), reason=str(exc))

    async def _ask(self, market: Market) -> None:
        tracker = self._pipeline.trackers[market]
        if tracker.sequencer.next_id is None:
            return
        heard = tracker.last_id
        exchange, client = self._pipeline.exchanges[market.exchange], self._clients[market.exchange]
        newest = exchange.read_aggregates(await client.call(exchange.newest_aggregate(market.symbol)), market.symbol)
        if not len(newest.trades):
            return
        opened = tracker.expect(newest.trades.last_id, int(newest.trades.times[-1]))
        if opened is None:
            if tracker.last_id == heard:
                self._log("silent", "DEBUG", market=str(market), last_id=newest.trades.last_id)
            return
        self._log("hole_opened", "WARNING", market=str(market), first_id=opened[0], last_id=opened[1], by="probe")
        self._found()
        if tracker.last_id == heard and self._silence.behind(market) >= TOLERATED:
            self._replace(market)
