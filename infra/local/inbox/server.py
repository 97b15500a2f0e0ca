"""The inbox on the local port: the receivers of Telegram, webhooks and SNS, and what they got, as a page and as JSON.

It plays the far ends of the channels: alerts reach it over the network, by each channel's own protocol.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from infra.local.inbox.amazon import MAIL_PATH, confirmation, mails, notification
from infra.local.inbox.box import Box, Entry
from infra.local.inbox.faults import KINDS, Receiver, Troubles
from infra.local.inbox.secrets import InboxSecrets
from infra.local.inbox.telegram import BotApi, chat_of
from infra.local.inbox.view import listed
from infra.local.inbox.webhook import received
from infra.local.switchboard import parse
from quant.errors import ValidationError

PREFIX = "/inbox"
PAGE_SIZE = 200
_HERE = Path(__file__).parent
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; connect-src 'self'; "
        "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# A mail is somebody else's HTML: it gets neither scripts nor this origin nor the network. Its links open beside it.
_SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
_MAIL_HEADERS = _HEADERS | {
    "Content-Security-Policy": f"sandbox {_SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
}
_BESIDE = '<base target="_blank">'
_FILES = {"inbox.css": "text/css", "inbox.js": "text/javascript"}


def _now() -> int:
    return time.time_ns() // 1_000_000


class Inbox:
    """Receivers and reader of one run.

    Args:
        box: what has been received.
        emulator: the emulator's URL, empty while there is none.
        mail_path: where it tells what its SES has sent.
    """

    def __init__(
        self,
        box: Box,
        secrets: InboxSecrets,
        emulator: Callable[[], str],
        mail_path: str = MAIL_PATH,
        clock: Callable[[], int] = _now,
    ) -> None:
        self._box, self._secrets, self._emulator, self._clock = box, secrets, emulator, clock
        self._mail_path = mail_path
        self._bot = BotApi(secrets.telegram_token)
        self._troubles = Troubles(clock)
        self._number = 0
        templates = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
        self._page = templates.get_template("page.html.j2")

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(f"{PREFIX}/telegram/{{call:.*}}", self._telegram),
            web.post(f"{PREFIX}/webhook{{name:(/.*)?}}", self._webhook),
            # Whoever does not know this word has not been told by the topic.
            web.post(f"{PREFIX}/sns/{self._secrets.sns_word}", self._sns),
            web.get(f"{PREFIX}/faults", self._faults),
            web.post(f"{PREFIX}/faults", self._arm),
            web.delete(f"{PREFIX}/faults", self._disarm),
            web.get(f"{PREFIX}.json", self._json),
            web.get(PREFIX, self._to_page),
            web.get(f"{PREFIX}/", self._html),
            web.get(f"{PREFIX}/mail/{{id}}", self._mail),
            web.get(f"{PREFIX}/{{file:inbox\\.(?:css|js)}}", self._file),
        ]

    async def _telegram(self, request: web.Request) -> web.StreamResponse:
        body, event_id = await request.read(), request.headers.get("X-Event-Id", "")

        async def receive() -> web.Response:
            reply = self._bot.answer(f"/{request.match_info['call']}", body, event_id, self._clock())
            if reply.entry is not None:
                await self._keep(reply.entry)
            return web.json_response(reply.body, status=reply.status)

        return await self._troubles.serve(Receiver(request, "telegram", chat_of(body), receive))

    async def _webhook(self, request: web.Request) -> web.StreamResponse:
        self._number += 1
        body, secret, number = await request.read(), self._secrets.webhook_secret, self._number

        async def receive() -> web.Response:
            entry = received(request.path, request.headers, body, secret, self._clock(), number)
            if entry is None:
                return web.json_response({"error": "the signature is not valid, or too old"}, status=401)
            await self._keep(entry)
            return web.Response(status=204)

        return await self._troubles.serve(Receiver(request, "webhook", request.path, receive))

    async def _faults(self, _: web.Request) -> web.Response:
        return web.json_response(self._troubles.describe(), headers=_HEADERS)

    async def _arm(self, request: web.Request) -> web.Response:
        # A foreign page can post forms to this port, and no JSON.
        if request.content_type != "application/json":
            return web.json_response({"error": "the body must be application/json"}, status=415)
        try:
            body = json.loads(await request.read())
            fault, after = parse(body if isinstance(body, dict) else {}, KINDS)
        except ValidationError as exc:
            return web.json_response({"error": str(exc)}, status=400)
        except ValueError:
            return web.json_response({"error": "the body must be JSON"}, status=400)
        self._troubles.board.add(fault, after=after)
        return web.json_response(self._troubles.describe(), status=201, headers=_HEADERS)

    async def _disarm(self, request: web.Request) -> web.Response:
        self._troubles.board.clear()
        return await self._faults(request)

    async def _sns(self, request: web.Request) -> web.Response:
        body = await request.read()
        if (url := confirmation(body, self._emulator())) != "":
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return web.Response(status=200 if answer.status == 200 else 502)
        entry = notification(body, self._clock())
        if entry is None:
            return web.Response(status=400)
        await self._keep(entry)
        return web.Response(status=200)

    async def _json(self, request: web.Request) -> web.Response:
        entries = await self._entries(request.query.get("channel", ""))
        told = {"messages": [asdict(entry) for entry in entries[:PAGE_SIZE]], "count": len(entries)}
        return web.json_response(told, headers=_HEADERS)

    async def _html(self, request: web.Request) -> web.Response:
        shown = listed(await self._entries(""), request.query.get("channel", ""), self._clock(), PAGE_SIZE)
        return web.Response(
            text=self._page.render(page=shown, sandbox=_SANDBOX), content_type="text/html", headers=_HEADERS
        )

    async def _to_page(self, _: web.Request) -> web.Response:
        return web.Response(status=308, headers={"Location": f"{PREFIX}/"})

    async def _mail(self, request: web.Request) -> web.Response:
        found = [one for one in self._box.all() if (one.channel, one.id) == ("email", request.match_info["id"])]
        if not found:
            return web.Response(status=404, text="no such mail", headers=_MAIL_HEADERS)
        text = found[0].html.replace("<head>", f"<head>{_BESIDE}", 1)
        return web.Response(text=text, content_type="text/html", headers=_MAIL_HEADERS)

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["file"]
        return web.Response(text=(_HERE / name).read_text(), content_type=_FILES[name], headers=_HEADERS)

    async def _entries(self, wanted: str) -> list[Entry]:
        await self._fetch_mail()
        return [entry for entry in self._box.all() if wanted in ("", entry.channel)]

    async def _fetch_mail(self) -> None:
        """Mails wait in the emulator's SES, as in a server that is asked for them."""
        for entry in mails(await self._sent_mails()):
            await self._keep(entry)

    async def _sent_mails(self) -> dict[str, Any]:
        """Empty while the emulator is away: what was fetched before can be read still."""
        if not (emulator := self._emulator()):
            return {}
        limit = aiohttp.ClientTimeout(total=5)
        try:
            url = emulator + self._mail_path
            async with aiohttp.ClientSession(timeout=limit) as session, session.get(url) as answer:
                return dict(json.loads(await answer.read()))
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return {}

    async def _keep(self, entry: Entry) -> None:
        await asyncio.to_thread(self._box.add, entry)
