"""Mails and topic notifications as the emulator hands them out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email import message_from_string
from email.message import EmailMessage
from email.policy import default
from typing import Any
from urllib.parse import urlsplit

from infra.local.inbox.box import Entry, shortened

MAIL_PATH = "/_ministack/ses/messages"
_EPOCH = "1970-01-01T00:00:00"
_OWN_ID = re.compile(r"^Notification (\S+)\. A repeat carries the same id\.", re.MULTILINE)


def mails(answer: Mapping[str, Any]) -> Iterator[Entry]:
    """The entries of what the emulator's SES has sent: whole mails, or what ministack reads in them."""
    for mail in _listed(answer):
        yield _whole(mail) if "RawData" in mail else _parts(mail)


def _parts(mail: Mapping[str, Any]) -> Entry:
    """ministack keeps no headers: the id is taken from the text."""
    text = str(mail.get("BodyText") or "")
    own_id = _OWN_ID.search(text)
    return Entry(
        channel="email",
        id=str(mail.get("MessageId", "")),
        time=int(float(mail.get("Timestamp", 0)) * 1_000),
        to=", ".join(str(one) for one in mail.get("To") or []),
        subject=str(mail.get("Subject") or ""),
        text=shortened(text),
        html=shortened(str(mail.get("BodyHtml") or "")),
        event_id=own_id[1] if own_id else "",
        facts={"from": str(mail.get("Source") or "")},
    )


def _whole(mail: Mapping[str, Any]) -> Entry:
    """LocalStack keeps a mail as it was handed in, and when."""
    read = message_from_string(str(mail["RawData"]), policy=default)
    when = datetime.fromisoformat(str(mail.get("Timestamp") or _EPOCH)).replace(tzinfo=UTC)
    return Entry(
        channel="email",
        id=str(mail.get("Id", "")),
        time=int(when.timestamp() * 1_000),
        to=str(read["To"] or ""),
        subject=str(read["Subject"] or ""),
        text=shortened(_body(read, "plain")),
        html=shortened(_body(read, "html")),
        event_id=str(read["X-Event-Id"] or ""),
        facts={"from": str(mail.get("Source") or "")},
    )


def _body(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    return str(found.get_content()) if found else ""


def notification(body: bytes, now: int) -> Entry | None:
    """The entry of a topic's notification; None where the body is none."""
    told = _envelope(body)
    if told.get("Type") != "Notification":
        return None
    attributes = {name: one.get("Value") for name, one in (told.get("MessageAttributes") or {}).items()}
    return Entry(
        channel="sns",
        id=str(told.get("MessageId", "")),
        time=now,
        to=str(told.get("TopicArn", "")),
        subject=str(told.get("Subject") or ""),
        text=shortened(str(told.get("Message", ""))),
        event_id=str(attributes.get("event_id", "")),
        facts={"attributes": attributes},
    )


def confirmation(body: bytes, emulator: str) -> str:
    """Where a subscription is confirmed, if it is the emulator that asks for that; else an empty text."""
    told = _envelope(body)
    url = str(told.get("SubscribeURL", "")) if told.get("Type") == "SubscriptionConfirmation" else ""
    try:
        asked, port = urlsplit(url), urlsplit(url).port
    except ValueError:
        return ""
    # The emulator names itself by its own word for this machine: the question is put to the address that we know.
    is_own = asked.hostname in ("localhost", "127.0.0.1") and port == urlsplit(emulator).port
    return f"{emulator}/?{asked.query}" if asked.query and is_own else ""


def _listed(answer: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """The messages, whether they come grouped by account or not."""
    found = answer.get("messages", [])
    groups = found.values() if isinstance(found, Mapping) else [found]
    return (mail for group in groups for mail in group if isinstance(mail, Mapping))


def _envelope(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
