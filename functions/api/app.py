"""The light Chalice app: wiring. /pairs/* lives in the analyse function."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

from api.chalicelib.alert_service import Alerts
from api.chalicelib.routes import TELEMETRY, create_app
from api.chalicelib.service import MarketData
from quant import __version__
from quant.domain.alert import Channel
from quant.domain.interval import SECOND
from quant.http.deployed import open_gate
from quant.settings import Settings
from quant.storage.bucket import check_bucket
from quant.storage.storage import open_storage


def _clock() -> int:
    return time.time_ns() // 1_000_000


@cache
def _market_data() -> MarketData:
    """Made at the first request and kept for the life of the process."""
    settings = Settings.load()
    TELEMETRY.logger.setLevel(settings.log_level)
    storage = open_storage(settings, _clock)
    checks: dict[str, Callable[[], object]] = {}
    if settings.archive_bucket:
        checks["archive"] = lambda: check_bucket(settings.archive_bucket)
    return MarketData(
        storage, checks, settings.tick_ttl_seconds * SECOND, __version__, settings.heal_max_seconds * SECOND
    )


@cache
def _alerts() -> Alerts:
    return Alerts(_market_data().storage, _verify, Settings.load().local_channels)


def _verify(channel: Channel, field: str) -> None:
    """Ask SES and the resolver; boto3 is imported when a rule first names a channel."""
    from quant.notify.senders import open_verification

    open_verification(Settings.load()).check(channel, field)


# Half of the shortest flush: a page that asks each second never sees the difference, fifty at once cost one read.
BRIEF_FOR = 500

_api = create_app(_market_data, _clock, open_gate, _alerts, BRIEF_FOR)
app = _api.app
handler = TELEMETRY.serving(_api)
"""What Lambda calls."""
