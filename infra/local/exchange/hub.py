"""The loop that takes events from the market and gives them to the connections."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from functools import partial
from itertools import groupby
from typing import TypeVar

from infra.local.exchange.disturbance import Disturbance
from infra.local.exchange.exchange import Exchange
from infra.local.exchange.faults import Abort, Close, Fault, HalfOpen, Inject, Shutdown, Stall
from infra.local.exchange.garbage import garbage
from infra.local.exchange.klines import INTERVALS
from infra.local.exchange.livebars import LiveBars
from infra.local.exchange.market import Event
from infra.local.exchange.session import Session, encode

_PERIOD = 0.005
ABNORMAL = 1006
F = TypeVar("F", bound=Fault)


class Hub:
    """Knows all sessions, and which streams they want together."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange, self._faults = exchange, exchange.faults
        self._feed = exchange.market.feed()
        self._bars = LiveBars(exchange)
        self._disturbance = Disturbance(exchange.faults)
        self._sessions: set[Session] = set()
        self._kinds: dict[str, set[str]] = {}
        self._klines: set[tuple[str, str]] = set()
        self._closing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        while True:
            self.tick()
            await asyncio.sleep(_PERIOD)

    def add(self, session: Session) -> None:
        self._sessions.add(session)
        self.refresh()

    def discard(self, session: Session) -> None:
        if session in self._sessions:
            self._sessions.discard(session)
            self.refresh()

    @property
    def sessions(self) -> frozenset[Session]:
        return frozenset(self._sessions)

    def refresh(self) -> None:
        """Take notice of changed subscriptions."""
        kinds: dict[str, set[str]] = {}
        self._klines = set()
        for stream in {name for session in self._sessions for name in session.subscriptions.streams}:
            symbol, _, kind = stream.partition("@")
            if symbol.upper() in self._exchange.market.instruments and symbol.islower():
                kinds.setdefault(symbol.upper(), set()).add(kind)
                self._add_kline(symbol.upper(), kind)
        now = self._exchange.now()
        for symbol in kinds.keys() - self._kinds.keys():
            self._feed.follow(symbol, now)
        for symbol in self._kinds.keys() - kinds.keys():
            self._feed.forget(symbol)
        self._bars.follow(self._klines, now)
        self._kinds = kinds

    def tick(self) -> None:
        """Send what is due, and let the faults strike."""
        now = self._exchange.now()
        self._send(self._due(now))
        self._exchange.update_halts(now)
        self._strike(now)

    async def closed(self) -> None:
        """Wait for the closing handshakes that have begun."""
        await asyncio.gather(*self._closing, return_exceptions=True)

    def close(self, session: Session, code: int, reason: str = "", after_bytes: int = 0) -> None:
        if code == ABNORMAL:
            # A code that is never sent: it is what the client sees where no close frame came.
            session.abort(after_bytes)
        elif after_bytes:
            session.end_after(after_bytes, partial(self._shake_hands, session, code, reason))
        else:
            self._shake_hands(session, code, reason)

    def _shake_hands(self, session: Session, code: int, reason: str) -> None:
        task = asyncio.ensure_future(session.connection.close(code, reason))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def announce_shutdown(self, session: Session) -> None:
        data = json.dumps({"e": "serverShutdown", "E": self._exchange.now()}, separators=(",", ":"))
        session.say(Event("", "!serverShutdown", data))

    def _add_kline(self, symbol: str, kind: str) -> None:
        name = kind.removeprefix("kline_")
        if name != kind and name in INTERVALS:
            self._klines.add((symbol, name))

    def _due(self, now: int) -> list[Event]:
        events: list[Event] = []
        for symbol, kinds in self._kinds.items():
            if not self._exchange.halted(symbol):
                events += self._disturbance.apply(symbol, self._feed.poll(symbol, kinds, now))
        for symbol, name in self._klines:
            if not self._exchange.halted(symbol):
                events += self._bars.poll(symbol, name, now)
        return events

    def _send(self, events: list[Event]) -> None:
        loop_time = asyncio.get_running_loop().time()
        for session in self._sessions:
            session.end_stall(loop_time)
        if not events:
            return
        for flavour, sessions in groupby(sorted(self._sessions, key=_flavour), key=_flavour):
            _send_to(sessions, events, flavour)

    def _strike(self, now: int) -> None:
        def shut_down(session: Session, fault: Shutdown) -> None:
            self.announce_shutdown(session)
            asyncio.get_running_loop().call_later(fault.notice, self.close, session, 1001, "")

        self._each(Inject, lambda session, fault: session.say(self._garbage(session, fault, now)))
        self._each(Stall, lambda session, fault: session.stall(fault.duration))
        self._each(Shutdown, shut_down)
        self._each(Close, lambda session, fault: self.close(session, fault.code, fault.reason, fault.after_bytes))
        self._each(Abort, lambda session, fault: session.abort(fault.after_bytes))
        self._each(HalfOpen, lambda session, fault: session.go_silent())

    def _each(self, kind: type[F], act: Callable[[Session, F], None]) -> None:
        # A fault waits for somebody whom it can strike.
        def targets(fault: F) -> list[Session]:
            return [one for one in self._sessions if one.is_heard and one.listens_to(fault.symbol)]

        fault = self._faults.take(kind, fits=lambda fault: bool(targets(fault)))
        if fault is not None:
            for session in targets(fault):
                act(session, fault)

    def _garbage(self, session: Session, fault: Inject, now: int) -> Event:
        known = self._exchange.market.instruments
        symbol = fault.symbol or next((one for one in sorted(session.subscriptions.symbols) if one in known), "BTCUSDT")
        number = self._exchange.published(symbol) - 1 if symbol in known else 0
        return garbage(fault.what, symbol, number, now)


def _flavour(session: Session) -> tuple[bool, bool]:
    return session.flavour


def _send_to(sessions: Iterable[Session], events: list[Event], flavour: tuple[bool, bool]) -> None:
    encoded: dict[int, bytes] = {}
    for session in sessions:
        wanted = [at for at, event in enumerate(events) if session.wants(event)]
        for at in wanted:
            if at not in encoded:
                encoded[at] = encode(events[at], flavour)
        if wanted:
            session.write(b"".join(map(encoded.__getitem__, wanted)))
