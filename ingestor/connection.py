"""One group of symbols, kept connected.

A session is one WebSocket. Its reader only appends raw frames to a list: whoever drains the list decodes them in
batches. A feed opens sessions one after the other, and two at once for a handover: the new one delivers before the old
one closes, and the sequencer removes what came twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from ingestor.backoff import AttemptLimit, Backoff
from ingestor.exchanges.base import Limits, Opening
from ingestor.logging_json import Log

MAX_FRAME = 4 * 2**20
OPEN_SECONDS, CLOSE_SECONDS = 10.0, 2.0
PING_SECONDS = 20.0
# A handover begins this long before the exchange would cut the connection; a new session without a trade is taken for
# delivering after the patience.
BEFORE_END, PATIENCE = 600.0, 30.0
_REGION = 451
_REGION_PAUSE = 60.0

Connect = Callable[..., Any]


class Session:
    """One WebSocket and the frames that it has delivered."""

    def __init__(self, socket: ClientConnection, opening: Opening, pause: float, now: float) -> None:
        self._socket, self._opening, self._pause = socket, opening, pause
        self.frames: list[bytes] = []
        self.opened_at = self.last_frame_at = now
        self.delivered = asyncio.Event()
        self.end = ""
        self.reader = asyncio.create_task(self._read())
        self._subscriber = asyncio.create_task(self._subscribe())

    async def _subscribe(self) -> None:
        with suppress(ConnectionClosed):
            for frame in self._opening.frames:
                await self._socket.send(frame)
                await asyncio.sleep(self._pause)

    async def _read(self) -> None:
        append, receive = self.frames.append, self._socket.recv
        try:
            while True:
                append(await receive(decode=False))
        except ConnectionClosed as exc:
            self.end = self.end or f"closed with {exc.rcvd.code if exc.rcvd else 1006}"

    def take(self, now: float) -> list[bytes]:
        """The frames since the last call."""
        frames = self.frames.copy()
        if frames:
            self.frames.clear()
            self.last_frame_at = now
        return frames

    def abort(self, reason: str) -> None:
        """Cut it without a farewell; what has been received stays."""
        self.end = reason
        self._socket.transport.abort()

    async def close(self) -> None:
        self.end = self.end or "handed over"
        self._subscriber.cancel()
        await self._socket.close()
        await asyncio.wait({self.reader}, timeout=CLOSE_SECONDS)


class Feed:
    """Keeps one group of symbols connected until ``stop``."""

    def __init__(
        self,
        name: str,
        opening: Opening,
        limits: Limits,
        attempts: AttemptLimit,
        log: Log,
        *,
        backoff: Backoff | None = None,
        stale_seconds: float = 30.0,
        connect: Connect = connect,
        opened: Callable[[], None] = lambda: None,
    ) -> None:
        self.name, self._opening, self._limits, self._attempts, self._log = name, opening, limits, attempts, log
        self._backoff = backoff or Backoff()
        self._stale_seconds = self._stale_limit = stale_seconds
        self._connect, self._opened = connect, opened
        self._sessions: list[Session] = []
        self._retire = asyncio.Event()
        self._stopping = False
        self._connected_at = asyncio.get_running_loop().time()
        self.reconnects = self.handovers = self.stale = 0

    @property
    def connected(self) -> bool:
        return any(not session.reader.done() for session in self._sessions)

    def absent(self, now: float) -> float:
        """For how many seconds there has been no connection."""
        return 0.0 if self.connected else now - self._connected_at

    def sessions(self) -> list[Session]:
        """Those that may hold frames, the oldest first; ended ones are let go of once they are empty."""
        self._sessions = [s for s in self._sessions if s.frames or not s.reader.done()]
        return list(self._sessions)

    def delivered(self, session: Session) -> None:
        """A valid trade came from it: the exchange serves us."""
        session.delivered.set()
        self._backoff.reset()
        self._stale_limit = self._stale_seconds

    def retire(self, reason: str) -> None:
        """Hand over to a new session."""
        if not self._retire.is_set():
            self._log("handover_wanted", feed=self.name, reason=reason)
            self._retire.set()

    def watch(self, now: float) -> None:
        """Cut what is stale, retire what is old; to be called after draining, several times a second."""
        if self.connected:
            self._connected_at = now
        for session in self._sessions:
            if session.reader.done():
                continue
            silent = now - session.last_frame_at
            if silent > self._stale_limit:
                self.stale += 1
                # A market may just be quiet: each cut that did not help makes the next one later.
                self._stale_limit = min(self._stale_limit * 2, 600.0)
                self._log("stale", "WARNING", feed=self.name, silent_s=round(silent, 1))
                session.abort("stale")
            elif now - session.opened_at > self._limits.connection_life_seconds - BEFORE_END:
                self.retire("age")

    async def run(self) -> None:
        """Stay connected; cancel or ``stop`` to end."""
        current = await self._open()
        while True:
            wanted = asyncio.create_task(self._retire.wait())
            try:
                await asyncio.wait({current.reader, wanted}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                wanted.cancel()
            if self._stopping:
                return
            if current.reader.done():
                self.reconnects += 1
                pause = self._backoff.next()
                self._log("disconnected", "WARNING", feed=self.name, reason=current.end, pause_s=round(pause, 3))
                await asyncio.sleep(pause)
                self._retire.clear()
                current = await self._open()
            else:
                current = await self._hand_over(current)

    async def stop(self) -> None:
        """Close all sessions; their last frames can still be taken."""
        self._stopping = True
        for session in self._sessions:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS + 1):
                    await session.close()

    async def _hand_over(self, current: Session) -> Session:
        successor = await self._open()
        first = asyncio.create_task(successor.delivered.wait())
        try:
            await asyncio.wait({first, successor.reader}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            first.cancel()
        if successor.reader.done() and not current.reader.done():
            # The old one still delivers: try again beside it.
            await asyncio.sleep(self._backoff.next())
            return current
        self._retire.clear()
        self.handovers += 1
        await current.close()
        self._log("handed_over", feed=self.name)
        return successor

    async def _open(self) -> Session:
        clock = asyncio.get_running_loop().time
        while True:
            while (pause := self._attempts.wait(clock())) > 0:
                self._log("attempts_exhausted", "WARNING", feed=self.name, pause_s=round(pause, 1))
                await asyncio.sleep(pause)
            self._attempts.made(clock())
            least = 0.0
            try:
                socket = await self._connect(
                    self._opening.url,
                    max_size=MAX_FRAME,
                    compression=None,
                    open_timeout=OPEN_SECONDS,
                    close_timeout=CLOSE_SECONDS,
                    ping_interval=PING_SECONDS,
                    ping_timeout=PING_SECONDS,
                )
            except InvalidStatus as exc:
                status = exc.response.status_code
                least = _REGION_PAUSE if status == _REGION else _seconds(exc.response.headers.get("Retry-After", ""))
                reason = f"HTTP {status}" + (": the exchange refuses this region" if status == _REGION else "")
            except (OSError, WebSocketException) as exc:
                reason = f"{type(exc).__name__}: {exc}"
            else:
                session = Session(socket, self._opening, 1 / self._limits.messages_per_second, clock())
                self._sessions.append(session)
                self._opened()
                self._log("connected", feed=self.name)
                return session
            pause = max(least, self._backoff.next())
            self._log("connect_failed", "WARNING", feed=self.name, reason=reason, pause_s=round(pause, 3))
            await asyncio.sleep(pause)


def _seconds(text: str) -> float:
    return float(text) if text.isdigit() else 0.0
