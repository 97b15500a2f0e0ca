"""Ctrl-C, SIGTERM and a closed terminal as events."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator
from typing import Any

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def stop_signals(*, first: asyncio.Event, second: asyncio.Event) -> Iterator[asyncio.Event]:
    """Set ``first`` on the first signal and ``second`` on each further one."""

    def received() -> None:
        (second if first.is_set() else first).set()

    loop = asyncio.get_running_loop()
    for number in STOPPING:
        loop.add_signal_handler(number, received)
    try:
        yield first
    finally:
        for number in STOPPING:
            loop.remove_signal_handler(number)


async def until(stopped: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do ``work`` until it fails or the event is set."""
    working = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not working.done():
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        return
    working.result()
