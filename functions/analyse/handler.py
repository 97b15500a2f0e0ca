"""The analyse function: wiring. EventBridge calls it every minute, API Gateway with /pairs/analyze.

Both in one function, so that the schedule keeps it warm: loading statsmodels takes longer than an analysis.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from functools import cache
from typing import Any

from analyse.pair_service import PairService
from analyse.routes import create_app
from analyse.service import Analyst
from quant.http.answers import to_json
from quant.http.deployed import open_gate
from quant.live_bars import LiveBars
from quant.settings import Settings
from quant.storage.storage import Storage, open_storage
from quant.telemetry import Telemetry

# What is left of the function's time when a run begins no further step.
_RESERVE_MS = 10_000
TELEMETRY = Telemetry.of("analyse", "Quant/Analyse", duration_ms="Milliseconds")


def _clock() -> int:
    return time.time_ns() // 1_000_000


@cache
def _storage() -> Storage:
    settings = Settings.load()
    TELEMETRY.logger.setLevel(settings.log_level)
    return open_storage(settings, _clock)


@cache
def _pairs() -> PairService:
    storage = _storage()
    return PairService(LiveBars(storage.ticks, storage.bars), storage.instruments)


@cache
def _analyst() -> Analyst:
    storage = _storage()
    return Analyst(storage.bars, storage.instruments, storage.cache, to_json, _clock)


api = create_app(_pairs, _clock, open_gate)
app = api.app


@TELEMETRY.serving
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A request of the API gets its answer; anything else is the schedule and gets the run's report."""
    if "requestContext" in event:
        return api(event, context)
    now = _clock()
    report = asdict(_analyst().run(now, lambda: context.get_remaining_time_in_millis() > _RESERVE_MS))
    TELEMETRY.report("analysed", **report, duration_ms=_clock() - now)
    return report
