"""A receiver of webhooks as one should be: it checks the signature over the time stamp and the body that came."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from infra.local.inbox.box import Entry, shortened

FRESH = 300_000


def received(path: str, headers: Mapping[str, str], body: bytes, secret: str, now: int, number: int) -> Entry | None:
    """The entry of a POST; None where its signature is wrong or its time stamp is minutes old.

    Written from docs/notifications.md alone, without the sender's code, so that the two check each other.
    """
    told = {name.lower(): value for name, value in headers.items()}
    timestamp, signed = told.get("x-timestamp", ""), told.get("x-signature", "")
    expected = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    is_fresh = timestamp.isascii() and timestamp.isdigit() and abs(now - int(timestamp) * 1_000) <= FRESH
    if not is_fresh or not hmac.compare_digest(f"sha256={expected}", signed):
        return None
    facts = _object(body)
    notifications = facts.get("notifications") or [{}]
    first = notifications[0] if isinstance(notifications, list) and isinstance(notifications[0], dict) else {}
    more = f" and {len(notifications) - 1} more" if len(notifications) > 1 else ""
    return Entry(
        channel="webhook",
        id=f"{now}-{number}",
        time=now,
        to=path,
        subject=f"{first.get('title', 'a notification')}{more}",
        text=shortened(json.dumps(facts, indent=2)),
        event_id=told.get("x-event-id", ""),
        facts={"timestamp": int(timestamp), "signature": "valid"},
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
