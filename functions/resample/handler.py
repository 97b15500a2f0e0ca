"""The resample function: wiring. EventBridge calls it every minute."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from functools import cache
from typing import Any

from quant.domain.interval import SECOND
from quant.settings import Settings
from quant.storage.storage import open_storage
from resample.service import Resampler

# What is left of the function's time when a run begins no further step.
_RESERVE_MS = 5_000
_UNITS = {"duration_ms": "Milliseconds"}


@cache
def _resampler() -> Resampler:
    settings = Settings.load()
    storage = open_storage(settings, _clock)
    return Resampler(storage.ticks, storage.bars, storage.heartbeats, settings.tick_ttl_seconds * SECOND)


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Bring all bars up to date; the report is also the function's answer."""
    now = _clock()
    resampler = _resampler()
    report = asdict(resampler.run(now, lambda: context.get_remaining_time_in_millis() > _RESERVE_MS))
    report["differing_bars"] = len(resampler.bars.differences())
    # The root logger of Lambda may be set to warnings; metrics are lines of their own on stdout.
    sys.stdout.write(json.dumps(embedded_metrics(report | {"duration_ms": _clock() - now}, now)) + "\n")
    return report


def embedded_metrics(report: dict[str, int], now: int) -> dict[str, Any]:
    """One line in CloudWatch's embedded metric format, without dimensions: each symbol's would be paid for."""
    metrics = [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in report]
    described = {"Namespace": "Quant/Resample", "Dimensions": [[]], "Metrics": metrics}
    return {"_aws": {"Timestamp": now, "CloudWatchMetrics": [described]}, "event": "resampled", **report}


def _clock() -> int:
    return time.time_ns() // 1_000_000
