"""Webhooks: a POST of JSON, signed, to where the user says, if that may be.

A receiver checks ``X-Signature``: ``sha256=`` and the hex HMAC-SHA256, under the deployment's secret, of time stamp, a
full stop and body. It refuses a time stamp that is minutes old, answers 2xx at once, and knows repeats by
``X-Event-Id``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from collections.abc import Collection

from quant.domain.notification import DELIVERED, Message, Outcome, Result
from quant.domain.ports import Clock
from quant.errors import PostError, SecretError, ValidationError
from quant.notify.addresses import Lookup, look_up, parse, resolve
from quant.notify.post import Answer, post
from quant.notify.retries import retry_after
from quant.notify.secrets import Secrets

SECONDS = 8.0
MOST_BYTES = 4_096
# What may pass when tried again; every other refusal is for ever.
_LATER = {408, 409, 423, 425, 429}


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """What ``X-Signature`` holds; ``timestamp`` is in seconds."""
    return "sha256=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


class WebhookSender:
    """quant.domain.notification.Sender for webhooks.

    Args:
        secret: name of the secret in SSM that bodies are signed with.
        trusted: ``host:port`` of receivers that may be plain http and private.
    """

    def __init__(
        self,
        secrets: Secrets,
        secret: str,
        clock: Clock,
        *,
        trusted: Collection[str] = (),
        lookup: Lookup = look_up,
        seconds: float = SECONDS,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._secrets, self._secret, self._clock = secrets, secret, clock
        self._trusted, self._lookup, self._seconds, self._context = trusted, lookup, seconds, context

    def send(self, message: Message) -> Outcome:
        body = json.dumps({"id": message.id, **message.facts}, separators=(",", ":")).encode()
        timestamp = self._clock() // 1_000
        try:
            url = parse(message.channel.target, self._trusted)
            if is_simulated(message) and not url.is_trusted:
                return Outcome(Result.REFUSED, "the market is simulated, and this webhook leads outside")
            to = resolve(url, self._lookup)
            signed = signature(self._secrets.get(self._secret), timestamp, body)
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "crypto-quant-platform",
                "X-Event-Id": message.id,
                "X-Timestamp": str(timestamp),
                "X-Signature": signed,
            }
            answer = post(to, body, headers, seconds=self._seconds, most=MOST_BYTES, context=self._context)
        except ValidationError as exc:
            return Outcome(Result.REFUSED, f"the URL {exc.problem}")
        except OSError:
            return Outcome(Result.RETRY, "the host's name cannot be looked up")
        except (PostError, SecretError) as exc:
            return Outcome(Result.RETRY, str(exc))
        return _judged(answer)


def is_simulated(message: Message) -> bool:
    """Whether it tells of a market that is made up, which is told on this machine only."""
    return any(one.get("market_kind") == "simulated" for one in message.facts.get("notifications", ()))


def _judged(answer: Answer) -> Outcome:
    if 200 <= answer.status < 300:
        return DELIVERED
    if 300 <= answer.status < 400:
        return Outcome(Result.REFUSED, f"the receiver redirects ({answer.status}), which is not followed")
    reason = f"the receiver answered {answer.status}"
    if answer.status in _LATER or answer.status >= 500:
        return Outcome(Result.RETRY, reason, retry_after(answer.headers.get("retry-after", "")))
    return Outcome(Result.REFUSED, reason)
