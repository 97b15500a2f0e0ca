"""Telegram's Bot API: https://core.telegram.org/bots/api#sendmessage."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Callable
from html import escape
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from quant.domain.notification import DELIVERED, Message, Outcome, Result
from quant.errors import PostError, SecretError, ValidationError
from quant.notify.addresses import Destination, Lookup, Url, look_up, resolve
from quant.notify.post import Answer, post
from quant.notify.retries import retry_after
from quant.notify.secrets import Secrets

LONGEST = 4_096
"""In UTF-16 units, after the entities have been read."""
SECONDS = 8.0
MOST_BYTES = 8_192
# https://core.telegram.org/bots/faq: one message a second in a chat, 30 a second in all.
CHAT_SECONDS, ALL_SECONDS = 1.0, 1 / 30
_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{20,100}\Z")


class Pace:
    """Lets callers through no faster than Telegram's limits, whichever threads they come from."""

    def __init__(
        self, elapsed: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._elapsed, self._pause = elapsed, pause
        self._lock = Lock()
        self._next_of: dict[str, float] = {}
        self._next = 0.0

    def wait(self, chat: str) -> None:
        with self._lock:
            now = self._elapsed()
            at = max(now, self._next, self._next_of.get(chat, 0.0))
            self._next = at + ALL_SECONDS
            self._next_of = {one: until for one, until in self._next_of.items() if until > now}
            self._next_of[chat] = at + CHAT_SECONDS
        if at > now:
            self._pause(at - now)


class TelegramSender:
    """quant.domain.notification.Sender for Telegram chats.

    Args:
        base: the API's URL, without the token.
        token: name of the bot's token in SSM.
    """

    def __init__(
        self,
        secrets: Secrets,
        token: str,
        base: str,
        *,
        pace: Pace | None = None,
        lookup: Lookup = look_up,
        seconds: float = SECONDS,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._secrets, self._token, self._base = secrets, token, urlsplit(base)
        self._pace, self._lookup, self._seconds, self._context = pace or Pace(), lookup, seconds, context

    def send(self, message: Message) -> Outcome:
        self._pace.wait(message.channel.target)
        body = {
            "chat_id": message.channel.target,
            "text": formatted(message),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": True},
        }
        headers = {"Content-Type": "application/json", "X-Event-Id": message.id}
        try:
            to = self._destination()
            sent = json.dumps(body).encode()
            answer = post(to, sent, headers, seconds=self._seconds, most=MOST_BYTES, context=self._context)
        except OSError:
            return Outcome(Result.RETRY, "the Bot API's name cannot be looked up")
        except (PostError, SecretError, ValidationError) as exc:
            return Outcome(Result.RETRY, str(exc))
        if answer.status == 401:
            self._secrets.forget(self._token)
        return _judged(answer)

    def _destination(self) -> Destination:
        token = self._secrets.get(self._token)
        if not _TOKEN.match(token):
            raise SecretError(self._token, "is not a bot's token")
        base = self._base
        port = base.port or (443 if base.scheme == "https" else 80)
        # The address is the operator's choice, not a user's.
        url = Url(base.scheme, base.hostname or "", port, f"{base.path}/bot{token}/sendMessage", is_trusted=True)
        return resolve(url, self._lookup)


def formatted(message: Message) -> str:
    """Bold subject and text in Telegram's HTML, cut before escaping, so that no entity is cut apart."""
    subject = _cut(message.subject, LONGEST // 4)
    text = _cut(message.text, LONGEST - _units(subject) - 2)
    return f"<b>{escape(subject, quote=False)}</b>\n\n{escape(text, quote=False)}"


def _cut(text: str, longest: int) -> str:
    if _units(text) <= longest:
        return text
    units = text.encode("utf-16-le")[: 2 * (longest - 1)]
    return units.decode("utf-16-le", errors="ignore") + "…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _judged(answer: Answer) -> Outcome:
    if 200 <= answer.status < 300:
        return DELIVERED
    told = _object(answer.body)
    description = str(told.get("description", ""))[:200]
    reason = f"Telegram answered {answer.status}" + (f": {description}" if description else "")
    if answer.status == 429:
        parameters = told.get("parameters")
        asked = parameters.get("retry_after") if isinstance(parameters, dict) else None
        return Outcome(Result.RETRY, reason, retry_after(asked or answer.headers.get("retry-after", "")))
    if answer.status in (400, 403):
        return Outcome(Result.REFUSED, reason)
    return Outcome(Result.RETRY, reason)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
