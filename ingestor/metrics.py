"""The heartbeat's figures as CloudWatch metrics: one line in the embedded metric format, which the log turns into them.

No dimension: a metric costs $0.30 a month for each of its values, so a symbol or shard never is one. Counters are told
as what was added since the line before; what speaks of a moment is told as it is. Frames in quarantine are told by
reason too. What is zero is in the line, but is no metric: one costs something only in the hours in which it is told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TextIO

from quant.domain.ports import Heartbeat

NAMESPACE = "QuantIngestor"
COUNTERS = {
    "trades": "Trades",
    "stored_trades": "StoredTrades",
    "reconnects": "Reconnects",
    "holes_healed": "HolesHealed",
    "gaps": "Gaps",
    "halts": "Halts",
    "quarantined": "QuarantinedFrames",
    "storage_retries": "StorageRetries",
    "dropped_chunks": "DroppedChunks",
}
MOMENTS = {
    "trades_per_second": "TradesPerSecond",
    "holes_open": "HolesOpen",
    "journal_bytes": "JournalBytes",
    "queue_depth": "QueueDepth",
}
_BY_REASON = "quarantined_by_reason"
METRICS = dict.fromkeys(("Heartbeats", *COUNTERS.values(), *MOMENTS.values()), "Count") | {
    "TradesPerSecond": "Count/Second",
    "JournalBytes": "Bytes",
    "LagMilliseconds": "Milliseconds",
    "SinceLastTradeMilliseconds": "Milliseconds",
}


class EmbeddedMetrics:
    """Writes a line per heartbeat."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._before: Mapping[str, Any] = {}

    def __call__(self, beat: Heartbeat) -> None:
        try:
            self._stream.write(json.dumps(self.line(beat)) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            # A reader that went away must not stop the ingestor.
            return

    def line(self, beat: Heartbeat) -> dict[str, object]:
        """The line as a value; names and reasons beside the metrics can be searched for, and cost nothing."""
        figures = beat.figures
        values: dict[str, float] = {"Heartbeats": 1}
        for name, metric in COUNTERS.items():
            values[metric] = _number(figures.get(name)) - _number(self._before.get(name))
        for name, metric in MOMENTS.items():
            values[metric] = _number(figures.get(name))
        values |= _of_trades(beat) | self._quarantined(figures)
        self._before = dict(figures)
        described = [{"Name": name, "Unit": METRICS.get(name, "Count")} for name, value in values.items() if value]
        directive = {"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": described}
        return {
            "_aws": {"Timestamp": beat.time, "CloudWatchMetrics": [directive]},
            "shard": beat.shard,
            "source": beat.source,
            _BY_REASON: figures.get(_BY_REASON, {}),
            **values,
        }

    def _quarantined(self, figures: Mapping[str, Any]) -> dict[str, float]:
        before = self._before.get(_BY_REASON, {})
        added = {reason: count - before.get(reason, 0) for reason, count in figures.get(_BY_REASON, {}).items()}
        return {f"Quarantined_{reason}": count for reason, count in added.items() if count}


def _of_trades(beat: Heartbeat) -> dict[str, float]:
    """How late the latest is, and how long ago the last one was traded; nothing where none came."""
    lags = [pulse.lag_ms for pulse in beat.pulses if pulse.lag_ms is not None]
    values: dict[str, float] = {"LagMilliseconds": max(lags)} if lags else {}
    last = max((pulse.last_time for pulse in beat.pulses), default=0)
    return values | ({"SinceLastTradeMilliseconds": max(beat.time - last, 0)} if last else {})


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0
