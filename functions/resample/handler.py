"""The resample function: wiring. EventBridge calls it every minute."""

from __future__ import annotations

import time
from dataclasses import asdict
from functools import cache
from typing import Any

from quant.domain.interval import SECOND
from quant.settings import Settings
from quant.storage.storage import open_storage
from quant.telemetry import Telemetry
from resample.service import Resampler

# What is left of the function's time when a run begins no further step.
_RESERVE_MS = 5_000
TELEMETRY = Telemetry.of("resample", "Quant/Resample", duration_ms="Milliseconds", differing_bars="Count")


@cache
def _resampler() -> Resampler:
    settings = Settings.load()
    TELEMETRY.logger.setLevel(settings.log_level)
    storage = open_storage(settings, _clock)
    return Resampler(storage.ticks, storage.bars, storage.heartbeats, settings.tick_ttl_seconds * SECOND)


@TELEMETRY.serving
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Bring all bars up to date; the report is also the function's answer."""
    now = _clock()
    resampler = _resampler()
    report = asdict(resampler.run(now, lambda: context.get_remaining_time_in_millis() > _RESERVE_MS))
    report["differing_bars"] = len(resampler.bars.differences())
    TELEMETRY.report("resampled", **report, duration_ms=_clock() - now)
    return report


def _clock() -> int:
    return time.time_ns() // 1_000_000
