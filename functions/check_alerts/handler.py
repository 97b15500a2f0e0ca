"""The check_alerts function: wiring. EventBridge calls it every minute."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from functools import cache, partial
from typing import Any

from check_alerts.delivery import Courier, DeliveryReport
from check_alerts.letters import Letters
from check_alerts.links import links_of
from check_alerts.service import Monitor
from quant.alert_link import silence_token
from quant.domain.alert import AlertEvent, CheckReport
from quant.http.keys import KeyRing, parse_tokens
from quant.notify.senders import open_dead_letters, open_senders
from quant.settings import Settings
from quant.storage.secret import read_secret
from quant.storage.storage import open_storage
from quant.telemetry import Telemetry

# What is left of the function's time when the check stops, and when no further message is begun.
_KEPT_FOR_DELIVERY, _LONGEST_SEND = 20_000, 14_000
TELEMETRY = Telemetry.of("check_alerts", "Quant/Alerts", rule_errors="Count", messages_failed="Count")


@dataclass(frozen=True, slots=True)
class _Alerts:
    monitor: Monitor
    courier: Courier


@cache
def _alerts() -> _Alerts:
    settings = Settings.load()
    TELEMETRY.logger.setLevel(settings.log_level)
    kept = open_storage(settings, _clock)
    monitor = Monitor(
        rules=kept.rules,
        alerts=kept.alerts,
        ticks=kept.ticks,
        bars=kept.bars,
        heartbeats=kept.heartbeats,
        instruments=kept.instruments,
        cache=kept.cache,
        clock=_clock,
        local_channels=settings.local_channels,
    )
    keys = KeyRing(lambda: parse_tokens(read_secret(settings.api_tokens)))
    courier = Courier(
        kept.alerts,
        Letters(lambda event: _links(settings, keys, event)),
        cache(partial(open_senders, settings, _clock)),
        cache(partial(open_dead_letters, settings)),
        _clock,
    )
    return _Alerts(monitor, courier)


def _links(settings: Settings, keys: KeyRing, event: AlertEvent) -> Any:
    return links_of(settings.site_url, event, lambda rule_id: silence_token(keys, rule_id, event.recorded_at))


@TELEMETRY.serving
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Check all rules, then send what is due; the figures are also the function's answer.

    What was found before is sent even where this check fails.
    """
    now, alerts = _clock(), _alerts()
    left = context.get_remaining_time_in_millis
    try:
        checked = alerts.monitor.check(now, lambda: left() > _KEPT_FOR_DELIVERY)
    finally:
        sent = alerts.courier.deliver_due(lambda: left() > _LONGEST_SEND)
    report = figures(checked, sent) | {"duration_ms": _clock() - now}
    for reason in (*checked.errors.values(), *sent.errors):
        TELEMETRY.logger.warning("alert problem", reason=reason)
    TELEMETRY.report("checked", **report)
    return report


def figures(checked: CheckReport, sent: DeliveryReport) -> dict[str, int]:
    """Both reports as numbers."""
    counts = {name: value for name, value in asdict(checked).items() if isinstance(value, int)}
    counts = {name: value for name, value in counts.items() if not name.endswith("_at")}
    told = {f"messages_{name}": value for name, value in asdict(sent).items() if isinstance(value, int)}
    return counts | {"rule_errors": len(checked.errors)} | told


def _clock() -> int:
    return time.time_ns() // 1_000_000
