"""Where a person can go on from an alert: its chart, and the page that asks whether its rule is to be silenced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote, urlencode

from check_alerts.letters import Link
from quant.domain.alert import AlertEvent


def links_of(site: str, event: AlertEvent, token_for: Callable[[str], str]) -> Sequence[Link]:
    """None where the deployment has no site; no silence where there is no token to sign a link with.

    Args:
        site: base of the dashboard, which serves the API under ``/api``.
        token_for: a signed word for a rule's id, or "".
    """
    if not site:
        return ()
    found = [Link("Chart", f"{site}{_chart(event)}")]
    token = token_for(event.rule_id)
    if token:
        found.append(Link("Silence this rule", f"{site}/api/alerts/silence?token={quote(token)}"))
    return found


def _chart(event: AlertEvent) -> str:
    if event.x is not None:
        return f"/pairs/?{urlencode({'y': str(event.market), 'x': str(event.x)}, safe=':')}"
    return f"/?{urlencode({'exchange': event.market.exchange, 'symbol': event.market.symbol})}"
