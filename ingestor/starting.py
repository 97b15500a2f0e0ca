"""What happens once per start and exchange, beside the live stream: listing, resuming, history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ingestor.exchanges.base import Exchange
from ingestor.gaps import Gaps
from ingestor.history import History
from ingestor.logging_json import Log
from ingestor.options import Options, Ports
from ingestor.pipeline import Pipeline
from ingestor.rest import RestClient
from ingestor.resume import Horizon, Resumer, contiguous_ids, patiently
from ingestor.threads import in_thread
from quant.domain.ports import Clock


class Starting:
    """Made by the ingestor; ``begin`` once for each exchange."""

    def __init__(
        self,
        pipeline: Pipeline,
        clients: Mapping[str, RestClient],
        ports: Ports,
        gaps: Gaps,
        clock: Clock,
        log: Log,
        options: Options,
        *,
        wake: Callable[[], None],
    ) -> None:
        self._pipeline, self._clients, self._ports, self._gaps = pipeline, clients, ports, gaps
        self._clock, self._log, self._options, self._wake = clock, log, options, wake

    async def begin(self, exchange: Exchange) -> None:
        """What happens once per start and exchange, beside the live stream: listing, resuming, history."""
        client = self._clients[exchange.name]
        markets = [market for market in self._pipeline.trackers if market.exchange == exchange.name]
        symbols = [market.symbol for market in markets]
        known = await patiently("read instruments", self._log, lambda: in_thread(self._ports.instruments.all))
        exchange.learn(known)
        await self._list(exchange, client, symbols)
        # What the journal had kept is part of what is stored: where storage had nothing yet, all begins there.
        await self._pipeline.writer.drained()
        beats = await patiently("read heartbeats", self._log, lambda: in_thread(self._ports.heartbeats.all))
        self._gaps.take_over(beats, markets)
        horizon = Horizon(self._options.heal_max, self._options.tick_ttl, self._first_pages(exchange, len(markets)))
        resumer = Resumer(
            self._ports.ticks,
            self._ports.bars,
            lambda: self._exchange_time(exchange),
            self._log,
            contiguous_ids(beats),
            self._gaps,
            horizon,
        )
        for market in markets:
            tracker = self._pipeline.trackers[market]
            await patiently("resume", self._log, partial(resumer.resume, tracker, exchange, client))
            self._wake()
        if self._options.history:
            started = self._exchange_time(exchange)
            history = History(self._ports.bars, lambda: self._exchange_time(exchange), self._log)
            await history.last_day(exchange, client, markets)
            await history.first_bars(exchange, client, markets, started)

    def _first_pages(self, exchange: Exchange, markets: int) -> int:
        """All markets may complete their first bar at once: together they take a minute's budget at most."""
        page = exchange.trades_from("", 1, exchange.limits.page)
        return max(
            1, min(self._options.first_pages, self._clients[exchange.name].budget.allowed // (page.weight * markets))
        )

    def _exchange_time(self, exchange: Exchange) -> int:
        return self._clock() + self._pipeline.clock_offset.get(exchange.name, 0)

    async def _list(self, exchange: Exchange, client: RestClient, symbols: Sequence[str]) -> None:
        async def fetch() -> None:
            listing = exchange.read_listing(await client.call(exchange.listing(symbols)), symbols)
            exchange.learn(listing.instruments)
            client.budget.per_minute = listing.weight_per_minute
            if listing.server_time is not None:
                self._pipeline.clock_offset[exchange.name] = listing.server_time - self._clock()
            unknown = set(symbols) - {instrument.market.symbol for instrument in listing.instruments}
            if unknown:
                self._log("not_listed", "ERROR", exchange=exchange.name, symbols=sorted(unknown))
            await patiently("store instruments", self._log,
                            lambda: in_thread(self._ports.instruments.put, listing.instruments))  # fmt: skip

        await patiently("read the exchange's listing", self._log, fetch)
