"""The receivers' switchboard: Telegram and webhooks that refuse, hang, break off or answer a byte at a time.

Armed by ``POST /inbox/faults``, as those of the exchange simulator are. A fault stands between the network and the
receiver, so that what the sender sees is what a real one in trouble lets it see.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web

from infra.local.inbox.telegram import refusal
from infra.local.switchboard import Fault, Switchboard, described
from quant.errors import ValidationError

CHANNELS = ("telegram", "webhook")
REMEMBERED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble(Fault):
    """``channel`` and ``to``, a chat or a path, limit it to that receiver."""

    channel: str = ""
    to: str = ""

    def __post_init__(self) -> None:
        if self.channel and self.channel not in CHANNELS:
            raise ValidationError("channel", f"must be one of {', '.join(CHANNELS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Trouble):
    """The answer is this status; with ``retry_after``, in seconds, as the channel says it."""

    status: int = 503
    retry_after: int = 0

    def __post_init__(self) -> None:
        # Not super(): a dataclass with slots is another class than the one that its methods were made in.
        Trouble.__post_init__(self)
        if not 400 <= self.status <= 599:
            raise ValidationError("status", "must be from 400 to 599")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang(Trouble):
    """Nothing is answered for ``delay`` seconds; then the connection breaks off."""

    delay: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakOff(Trouble):
    """The connection breaks off before the answer, and nothing is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowBody(Trouble):
    """The message is taken, the head of the answer comes at once, and its body a byte every ``pause`` seconds."""

    pause: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseAnswer(Trouble):
    """The message is taken, and the connection breaks off before the answer: the one window that no sender closes."""


KINDS: Mapping[str, type[Trouble]] = {kind.__name__: kind for kind in (Refuse, Hang, BreakOff, SlowBody, LoseAnswer)}
T = TypeVar("T", bound=Trouble)


@dataclass(slots=True)
class Receiver:
    """A request that a receiver is about to take.

    Attributes:
        receive: takes it, and gives the answer.
    """

    request: web.Request
    channel: str
    to: str
    receive: Callable[[], Awaitable[web.Response]]

    def cut(self) -> web.Response:
        if self.request.transport is not None:
            self.request.transport.abort()
        return web.Response(status=500)  # Nobody hears it.

    def refuse(self, fault: Refuse) -> web.Response:
        if self.channel == "telegram":
            return web.json_response(refusal(fault.status, fault.retry_after), status=fault.status)
        headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
        return web.json_response({"error": "the receiver is in trouble"}, status=fault.status, headers=headers)

    async def drip(self, answer: web.Response, pause: float) -> web.StreamResponse:
        body = bytes(answer.body) if isinstance(answer.body, bytes) and answer.body else b"{}"
        slow = web.StreamResponse(status=200 if answer.status == 204 else answer.status)
        slow.content_type, slow.content_length = "application/json", len(body)
        await slow.prepare(self.request)
        for at in range(len(body)):
            await slow.write(body[at : at + 1])
            await asyncio.sleep(pause)
        return slow


@dataclass(slots=True)
class Troubles:
    """The switchboard, and what has struck whom: the receivers' own word of attempts that did not arrive."""

    clock: Callable[[], int]
    board: Switchboard[Trouble] = field(default_factory=Switchboard)
    _struck: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def describe(self) -> dict[str, Any]:
        return {"active": self.board.describe(), "struck": list(self._struck)}

    async def serve(self, one: Receiver) -> web.StreamResponse:
        """The answer of the receiver, or of what has befallen it."""
        if refuse := self._take(Refuse, one):
            return one.refuse(refuse)
        if self._take(BreakOff, one):
            return one.cut()
        if hang := self._take(Hang, one):
            await asyncio.sleep(hang.delay)
            return one.cut()
        answer = await one.receive()
        if self._take(LoseAnswer, one):
            return one.cut()
        if slow := self._take(SlowBody, one):
            return await one.drip(answer, slow.pause)
        return answer

    def _take(self, kind: type[T], one: Receiver) -> T | None:
        fault = self.board.take(
            kind, fits=lambda fault: fault.channel in ("", one.channel) and fault.to in ("", one.to)
        )
        if fault is not None:
            event_id = one.request.headers.get("X-Event-Id", "")
            told = {"channel": one.channel, "to": one.to, "event_id": event_id, "time": self.clock()}
            self._struck.append({**described(fault), **told})
        return fault
