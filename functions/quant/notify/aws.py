"""E-mail by SES, notifications by SNS, and the queue of what could not be delivered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from quant.domain.alert import AlertEvent, Delivery
from quant.domain.notification import DELIVERED, Message, Outcome, Result
from quant.errors import UnavailableError

# A message of SNS is at most 256 KB, its subject 100 characters of printable ASCII.
_SUBJECT_LIMIT = 100
_TEXT_LIMIT = 200_000
# What trying again does not mend. All else may be a limit, a pause or a fault of the service.
_FOR_EVER = {
    "MessageRejected",
    "InvalidParameter",
    "InvalidParameterValue",
    "MailFromDomainNotVerifiedException",
    "NotFound",
    "NotFoundException",
}


class EmailSender:
    """quant.domain.notification.Sender for mail. SES gives each mail a Message-ID of its own; ours is X-Event-Id."""

    def __init__(self, client: Any, sender: str) -> None:
        self._client, self._sender = client, sender

    def send(self, message: Message) -> Outcome:
        if not self._sender:
            return Outcome(Result.REFUSED, "no sender of mails is set: SES_SENDER")
        target = message.channel.target
        try:
            raw = {"Data": mail(message, self._sender)}
        except ValueError:
            return Outcome(Result.REFUSED, "the address is no mail address")
        return _tried(lambda: self._client.send_raw_email(Source=self._sender, Destinations=[target], RawMessage=raw))


def mail(message: Message, sender: str) -> bytes:
    """The mail as it is handed to SES: text, and the same as HTML."""

    written = EmailMessage(policy=SMTP)
    written["From"] = sender
    written["To"] = message.channel.target
    written["Subject"] = _one_line(message.subject)[:200]
    written["X-Event-Id"] = message.id
    written["Auto-Submitted"] = "auto-generated"
    written.set_content(message.text)
    if message.html:
        written.add_alternative(message.html, subtype="html")
    return written.as_bytes()


class SnsSender:
    """quant.domain.notification.Sender for topics: text for people, attributes for filters and programs."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, message: Message) -> Outcome:
        facts = message.facts
        told = {"event_id": message.id, **{name: facts[name] for name in ("kind", "severity") if facts.get(name)}}
        attributes = {name: {"DataType": "String", "StringValue": str(value)} for name, value in told.items()}
        subject = _one_line(message.subject).encode("ascii", "replace").decode()[:_SUBJECT_LIMIT]
        return _tried(
            lambda: self._client.publish(
                TopicArn=message.channel.target,
                Subject=subject.strip() or "Alert",
                Message=message.text[:_TEXT_LIMIT],
                MessageAttributes=attributes,
            )
        )


class SqsDeadLetters:
    """quant.domain.notification.DeadLetters in a queue."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def put(self, delivery: Delivery, event: AlertEvent | None) -> None:
        body = {"id": delivery.id, "delivery": asdict(delivery), "event": asdict(event) if event else None}
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps(body))
        except (ClientError, BotoCoreError) as exc:
            reason = _code(exc) or type(exc).__name__
            raise UnavailableError("lay down a notification that could not be delivered", reason) from exc


def _tried(call: Callable[[], Any]) -> Outcome:
    try:
        call()
    except ClientError as exc:
        code, words = _code(exc), str(exc.response.get("Error", {}).get("Message", ""))
        reason = f"{code}: {words}"[:300]
        return Outcome(Result.REFUSED if code in _FOR_EVER else Result.RETRY, reason)
    except BotoCoreError as exc:
        return Outcome(Result.RETRY, f"no answer: {type(exc).__name__}")
    return DELIVERED


def _code(exc: Exception) -> str:
    return str(exc.response.get("Error", {}).get("Code", "")) if isinstance(exc, ClientError) else ""


def _one_line(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
