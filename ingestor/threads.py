"""Blocking calls beside the event loop.

Daemon threads, unlike those of ``asyncio.to_thread``, do not keep a process that has drained waiting for a call that
hangs: within 20 s of SIGTERM the process is gone, whatever the network does.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def in_thread(function: Callable[..., T], *args: Any) -> T:
    """Call it in a thread of its own and wait for the result."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        result, error = None, None
        try:
            result = function(*args)
        except BaseException as exc:
            error = exc
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            # The loop has ended: nobody waits any more.
            return

    threading.Thread(target=work, daemon=True).start()
    return await done
