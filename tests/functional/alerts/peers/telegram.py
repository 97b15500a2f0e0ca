"""Telegram as a server on a real port, by the same rules as the local inbox plays it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from infra.local.inbox.box import Entry
from infra.local.inbox.telegram import BotApi
from tests.functional.alerts.peers.server import Peer, Reply, Request

TOKEN = "123456:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc"


class TelegramPeer(Peer):
    """``entries`` are the messages that it accepted."""

    def __init__(self, clock: Callable[[], int], *, limited: bool = True, blocked: set[str] | None = None) -> None:
        self.api = BotApi(TOKEN, blocked or set(), limited)
        self.entries: list[Entry] = []
        self._clock, self._turn = clock, threading.Lock()
        super().__init__(self._serve)

    def _serve(self, request: Request) -> Reply:
        with self._turn:
            reply = self.api.answer(request.path, request.body, request.headers.get("X-Event-Id", ""), self._clock())
            if reply.entry is not None:
                self.entries.append(reply.entry)
            return Reply(reply.status, reply.data, {"Content-Type": "application/json"})
