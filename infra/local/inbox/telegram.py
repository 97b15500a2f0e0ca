"""The part of Telegram's Bot API that alerts use, as a server plays it: requests in, answers and entries out.

https://core.telegram.org/bots/api. It refuses what Telegram refuses, so that what reaches the inbox would have reached
a chat: a wrong token, a text that is too long, HTML that cannot be parsed, a chat that blocked the bot, and more than
one message a second in a chat.
"""

from __future__ import annotations

import html
import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

from infra.local.inbox.box import Entry, shortened

LONGEST = 4_096
SECOND = 1_000
_PATH = re.compile(r"/bot([^/]+)/([A-Za-z]+)\Z")
_TAGS = ("b", "strong", "i", "em", "u", "s", "code", "pre", "a", "blockquote")
_TAG = re.compile(r"<(/?)([a-z]+)((?:\s[^<>]*)?)>")
_CHAT = re.compile(r"-?[0-9]{1,20}\Z|@[A-Za-z0-9_]{5,32}\Z")


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: dict[str, Any]
    entry: Entry | None = None

    @property
    def data(self) -> bytes:
        return json.dumps(self.body).encode()


@dataclass(slots=True)
class BotApi:
    """One bot. ``blocked`` are the chats that have stopped it; ``limited`` says whether its rate limit is felt."""

    token: str
    blocked: set[str] = field(default_factory=set)
    limited: bool = True
    _sent: int = 0
    _last: dict[str, int] = field(default_factory=dict)

    def answer(self, path: str, body: bytes, event_id: str, now: int) -> Reply:
        """Answer a POST to ``path`` (``/bot⟨token⟩/sendMessage``) at ``now``, ms."""
        match = _PATH.search(path)
        if match is None:
            return _refused(404, "Not Found")
        if match[1] != self.token:
            return _refused(401, "Unauthorized")
        if match[2] != "sendMessage":
            return _refused(404, "Not Found: method not found")
        return self._send(body, event_id, now)

    def _send(self, body: bytes, event_id: str, now: int) -> Reply:
        try:
            asked = dict(json.loads(body))
            chat, text = str(asked["chat_id"]), str(asked["text"])
        except (ValueError, KeyError, TypeError):
            return _refused(400, "Bad Request: message text is empty")
        if not _CHAT.match(chat):
            return _refused(400, "Bad Request: chat not found")
        if chat in self.blocked:
            return _refused(403, "Forbidden: bot was blocked by the user")
        shown, problem = parsed(text) if asked.get("parse_mode") == "HTML" else (text, "")
        if problem:
            return _refused(400, f"Bad Request: can't parse entities: {problem}")
        if not shown.strip() or len(shown.encode("utf-16-le")) // 2 > LONGEST:
            return _refused(400, "Bad Request: message is too long" if shown.strip() else "Bad Request: text is empty")
        if self.limited and (wait := self._last.get(chat, -SECOND) + SECOND - now) > 0:
            return Reply(429, refusal(429, math.ceil(wait / SECOND)))
        return self._accept(chat, text, shown, event_id, now)

    def _accept(self, chat: str, text: str, shown: str, event_id: str, now: int) -> Reply:
        self._sent += 1
        self._last[chat] = now
        told = {"message_id": self._sent, "date": now // SECOND, "chat": {"id": chat}, "text": shown}
        subject, _, rest = shown.partition("\n")
        entry = Entry(
            channel="telegram",
            id=f"{now}-{self._sent}",
            time=now,
            to=chat,
            subject=subject,
            text=shortened(rest.strip()),
            event_id=event_id,
            facts={"message_id": self._sent, "source": shortened(text)},
        )
        return Reply(200, {"ok": True, "result": told}, entry)


def chat_of(body: bytes) -> str:
    """Whom a request is for, or ""."""
    try:
        return str(dict(json.loads(body)).get("chat_id", ""))
    except (ValueError, TypeError):
        return ""


def refusal(status: int, retry_after: int) -> dict[str, Any]:
    """What Telegram says when it cannot take a message now."""
    if status != 429:
        return _refused(status, "Internal Server Error").body
    return {
        **_refused(429, f"Too Many Requests: retry after {retry_after}").body,
        "parameters": {"retry_after": retry_after},
    }


def parsed(text: str) -> tuple[str, str]:
    """The text that is shown of Telegram's HTML, and what is wrong with it, if anything is."""
    open_tags: list[str] = []
    for tag in _TAG.finditer(text):
        closes, name, _ = tag.groups()
        if name not in _TAGS:
            return "", f'Unsupported start tag "{name}"'
        if not closes:
            open_tags.append(name)
        elif not open_tags or open_tags.pop() != name:
            return "", f'Unexpected end tag "{name}"'
    rest = _TAG.sub("", text)
    if "<" in rest:
        return "", "Unexpected character at a tag's start"
    if open_tags:
        return "", f'Can\'t find end tag corresponding to start tag "{open_tags[-1]}"'
    return html.unescape(rest), ""


def _refused(status: int, description: str) -> Reply:
    return Reply(status, {"ok": False, "error_code": status, "description": description})
