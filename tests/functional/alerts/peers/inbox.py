"""The local inbox on a port of its own, with what stands in for the emulator behind it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from infra.local.inbox.amazon import MAIL_PATH
from infra.local.inbox.box import Box
from infra.local.inbox.secrets import InboxSecrets
from infra.local.inbox.server import Inbox
from infra.local.ports import HOST, reserve


@dataclass
class RunningInbox:
    """``mails`` is what SES says it has sent; ``confirmed`` are the questions of confirmed subscriptions."""

    url: str
    secrets: InboxSecrets
    box: Box
    mails: list[dict[str, Any]] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)


@contextmanager
def running_inbox(box: Box | None = None) -> Iterator[RunningInbox]:
    held = reserve(0, "PORT")
    found = RunningInbox(f"http://{HOST}:{held.getsockname()[1]}", InboxSecrets(), box or Box())
    inbox = Inbox(found.box, found.secrets, lambda: found.url)
    ready, loop = threading.Event(), asyncio.new_event_loop()
    over = asyncio.Event()

    async def sent(_: web.Request) -> web.Response:
        return web.json_response({"messages": {"000000000000": found.mails}})

    async def confirm(request: web.Request) -> web.Response:
        found.confirmed.append(request.query_string)
        return web.Response()

    async def serve() -> None:
        app = web.Application()
        app.add_routes([*inbox.routes(), web.get(MAIL_PATH, sent), web.get("/", confirm)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.SockSite(runner, held).start()
        ready.set()
        await over.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield found
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
        held.close()
