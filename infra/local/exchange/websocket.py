"""The WebSocket server."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from infra.local.exchange.exchange import Exchange
from infra.local.exchange.faults import RefuseConnections, RefuseUpgrade
from infra.local.exchange.hub import Hub
from infra.local.exchange.session import Session
from infra.local.exchange.subscriptions import Subscriptions, TooManyStreamsError
from infra.local.exchange.wire import frame

_POLICY = 1008
_COUNTED = (Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.PONG)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the exchange asks of its clients, in seconds and messages."""

    ping_interval: float = 20.0
    ping_timeout: float = 60.0
    messages_per_second: int = 5
    lifetime: float = 86_400.0
    shutdown_notice: float = 60.0


class _Connection(ServerConnection):
    front: WebSocketFront

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.session: Session | None = None
        self.arrivals: deque[float] = deque()

    def process_event(self, event: Any) -> None:
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode in _COUNTED and self.session is not None:
            self._count(self.session)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.session is not None:
            self.front.hub.discard(self.session)

    def _count(self, session: Session) -> None:
        now = self.loop.time()
        self.arrivals.append(now)
        while self.arrivals[0] <= now - 1:
            self.arrivals.popleft()
        if len(self.arrivals) > self.front.limits.messages_per_second:
            self.front.hub.close(session, _POLICY, "Too many requests")


class WebSocketFront:
    """Listens, shakes hands, answers; the hub sends."""

    def __init__(self, exchange: Exchange, port: int = 0, limits: Limits | None = None) -> None:
        self.port, self.limits = port, limits or Limits()
        self.hub = Hub(exchange)
        self._exchange = exchange
        self._server: Server | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self._listen()
        self._tasks = [asyncio.create_task(self.hub.run()), asyncio.create_task(self._watch())]

    async def failed(self) -> None:
        """Wait until the sending loop ends, which it does only by a defect; :meth:`stop` raises it."""
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        for session in self.hub.sessions:
            if session.quiet:
                session.connection.transport.abort()
        await self._stop_listening(close_connections=True)
        for failure in ended:
            if isinstance(failure, Exception):
                raise failure

    async def _listen(self) -> None:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self.port,
            process_request=self._admit,
            create_connection=type("_Connection", (_Connection,), {"front": self}),
            compression=None,
            ping_interval=None,
            close_timeout=1,
            max_size=64 * 1024,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop_listening(self, *, close_connections: bool) -> None:
        if self._server is None:
            return
        server, self._server = self._server, None
        if close_connections:
            server.close()
            for session in self.hub.sessions:
                self.hub.close(session, 1001)
            await self.hub.closed()
            await server.wait_closed()
        else:
            server.server.close()

    async def _watch(self) -> None:
        while True:
            fault = self._exchange.faults.take(RefuseConnections)
            if fault is not None:
                await self._stop_listening(close_connections=False)
                for session in self.hub.sessions if fault.cut else ():
                    session.abort(0)
                await asyncio.sleep(fault.duration)
                await self._listen()
            await asyncio.sleep(0.01)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        refusal = self._exchange.faults.take(RefuseUpgrade)
        if refusal is not None:
            return connection.respond(refusal.status, "Service unavailable from a restricted location or overloaded.\n")
        try:
            subscriptions = Subscriptions.of_path(request.path)
        except TooManyStreamsError:
            return connection.respond(400, "Too many streams.\n")
        if subscriptions is None:
            return connection.respond(404, "Not found.\n")
        assert isinstance(connection, _Connection)
        connection.session = Session(connection, subscriptions)
        self.hub.add(connection.session)
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        assert isinstance(connection, _Connection)
        assert connection.session is not None
        session = connection.session
        tasks = [asyncio.create_task(work) for work in (self._ping(session), self._end_of_life(session))]
        session.begin()
        try:
            async for message in connection:
                self._answer(session, message)
        except ConnectionClosed:
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _answer(self, session: Session, message: str | bytes) -> None:
        try:
            reply = session.subscriptions.answer(message)
        except TooManyStreamsError:
            self.hub.close(session, _POLICY, "Too many subscriptions")
            return
        session.refresh()
        self.hub.refresh()
        session.write(frame(reply.encode()))

    async def _ping(self, session: Session) -> None:
        loop = asyncio.get_running_loop()
        sent: deque[tuple[float, asyncio.Future[float]]] = deque()
        while True:
            await asyncio.sleep(self.limits.ping_interval)
            while sent and sent[0][1].done():
                sent.popleft()
            if sent and loop.time() - sent[0][0] >= self.limits.ping_timeout:
                self.hub.close(session, _POLICY, "Pong timeout")
                return
            if not session.quiet:
                waiter = await session.connection.ping(f"{self._exchange.now()}-{len(sent)}")
                sent.append((loop.time(), asyncio.ensure_future(waiter)))

    async def _end_of_life(self, session: Session) -> None:
        await asyncio.sleep(max(self.limits.lifetime - self.limits.shutdown_notice, 0))
        self.hub.announce_shutdown(session)
        await asyncio.sleep(min(self.limits.shutdown_notice, self.limits.lifetime))
        self.hub.close(session, 1001)
