"""Both servers as one context manager."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

from infra.local.exchange.exchange import Exchange, wall_clock
from infra.local.exchange.faults import Faults
from infra.local.exchange.market import Market
from infra.local.exchange.rest import RestFront
from infra.local.exchange.session import Session
from infra.local.exchange.websocket import Limits, WebSocketFront
from infra.local.exchange.weights import Weights

M = TypeVar("M", bound=Market)


class ExchangeServer(Generic[M]):
    """Serves a market on two ports of 127.0.0.1; port 0 takes a free one.

    ``clock`` gives milliseconds since the epoch: what is public, bars and request weights follow it.
    """

    def __init__(
        self,
        market: M,
        *,
        faults: Faults | None = None,
        ws_port: int = 0,
        rest_port: int = 0,
        clock: Callable[[], int] = wall_clock,
        limits: Limits | None = None,
        weights: Weights | None = None,
    ) -> None:
        self.market = market
        self.faults = Faults() if faults is None else faults
        exchange = Exchange(market, self.faults, clock)
        self._websocket = WebSocketFront(exchange, ws_port, limits)
        self._rest = RestFront(exchange, rest_port, weights)

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self._websocket.port}"

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self._rest.port}"

    @property
    def connections(self) -> int:
        """How many WebSocket connections there are."""
        return len(self._websocket.hub.sessions)

    def hearing(self, symbol: str | None = None) -> frozenset[Session]:
        """The connections on which trades of the symbol (None: of any) arrive."""
        sessions = self._websocket.hub.sessions
        return frozenset(one for one in sessions if one.is_heard and one.listens_to(symbol))

    async def failed(self) -> None:
        """Wait until the server has failed; leaving the context raises why."""
        await self._websocket.failed()

    async def __aenter__(self) -> Self:
        await self._rest.start()
        try:
            await self._websocket.start()
        except BaseException:
            await self._rest.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._websocket.stop()
        finally:
            await self._rest.stop()
