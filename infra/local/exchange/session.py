"""One WebSocket connection's side that sends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from infra.local.exchange.market import Event
from infra.local.exchange.subscriptions import Subscriptions
from infra.local.exchange.wire import combined, cut, frame, microseconds

_MOST_UNSENT = 64 * 1024 * 1024


class Session:
    """Writes events until it is told to misbehave.

    It exists before the handshake has ended, and keeps what comes until then: a trade published right after connecting
    is on the stream.
    """

    def __init__(self, connection: ServerConnection, subscriptions: Subscriptions) -> None:
        self.connection, self.subscriptions = connection, subscriptions
        self.open = False
        self.silent = False
        self._symbols = subscriptions.symbols
        self._waiting: list[bytes] = []
        self._stalled_until: float | None = None
        self._bytes_left: int | None = None
        self._farewell: Callable[[], None] | None = None

    @property
    def flavour(self) -> tuple[bool, bool]:
        return self.subscriptions.combined, self.subscriptions.microseconds

    def begin(self) -> None:
        self.open = True
        self._flush()

    def refresh(self) -> None:
        self._symbols = self.subscriptions.symbols

    def listens_to(self, symbol: str | None) -> bool:
        return symbol is None or symbol in self._symbols

    def wants(self, event: Event) -> bool:
        return event.stream in self.subscriptions.streams or (event.to_all and event.symbol in self._symbols)

    def say(self, event: Event) -> None:
        self.write(encode(event, self.flavour))

    def write(self, data: bytes) -> None:
        """Send frames, or what the faults leave of them."""
        if self.silent:
            return
        if not self.open or self._stalled_until is not None:
            self._waiting.append(data)
        elif self.connection.state is State.OPEN:
            self._send(data)

    def stall(self, seconds: float) -> None:
        self._stalled_until = asyncio.get_running_loop().time() + seconds
        self._transport.pause_reading()

    def end_stall(self, now: float) -> None:
        """Go on if the stall is over at ``now`` on the loop's clock."""
        if self._stalled_until is not None and now >= self._stalled_until:
            self._stalled_until = None
            self._transport.resume_reading()
            self._flush()

    def go_silent(self) -> None:
        self.silent = True
        self._transport.pause_reading()

    def abort(self, after_bytes: int) -> None:
        """Reset the connection after so many more bytes."""
        self.end_after(after_bytes, None)

    def end_after(self, after_bytes: int, farewell: Callable[[], None] | None) -> None:
        """Send so many more bytes, then nothing more but what ``farewell`` sends; without one, reset."""
        self._bytes_left, self._farewell = after_bytes, farewell
        self._send(b"")

    @property
    def is_heard(self) -> bool:
        """Whether what is sent arrives: neither before the handshake, nor after a close or in silence for good."""
        return self.open and not self.silent and self.connection.state is State.OPEN

    @property
    def quiet(self) -> bool:
        """Whether it must send no ping either."""
        return self.silent or self._stalled_until is not None

    @property
    def _transport(self) -> asyncio.Transport:
        return self.connection.transport

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.write(b"".join(waiting))

    def _send(self, data: bytes) -> None:
        transport = self._transport
        if transport.is_closing():
            return
        if self._bytes_left is not None:
            self._send_last(transport, data, self._bytes_left)
            return
        transport.write(data)
        if transport.get_write_buffer_size() > _MOST_UNSENT:
            transport.abort()

    def _send_last(self, transport: asyncio.Transport, data: bytes, left: int) -> None:
        if data:
            transport.write(data[:left] if self._farewell is None else cut(data, left))
        self._bytes_left = left - len(data)
        if self._bytes_left > 0:
            return
        if self._farewell is None:
            transport.abort()
        else:
            self.silent = True
            self._farewell()


def encode(event: Event, flavour: tuple[bool, bool]) -> bytes:
    """The event's frame for a connection with these two properties: combined, microseconds."""
    data = microseconds(event.data) if flavour[1] else event.data
    return frame((combined(event.stream, data) if flavour[0] and event.stream else data).encode())
