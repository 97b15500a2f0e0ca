"""The heartbeat's figures as CloudWatch metrics: one line in the embedded metric format, which the log turns into them.

No dimension: a metric costs $0.30 a month for each of its values, so a symbol or shard never is one. Counters are told
as what was added since the line before; what speaks of a moment is told as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TextIO

from quant.domain.ports import Heartbeat

NAMESPACE = "QuantIngestor"
_COUNTERS = {
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
_MOMENTS = {"holes_open": "HolesOpen", "journal_bytes": "JournalBytes", "queue_depth": "QueueDepth"}
_UNITS = {"JournalBytes": "Bytes", "LagMilliseconds": "Milliseconds"}


class EmbeddedMetrics:
    """Writes a line per heartbeat."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._before: Mapping[str, object] = {}

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
        for name, metric in _COUNTERS.items():
            values[metric] = _number(figures.get(name)) - _number(self._before.get(name))
        for name, metric in _MOMENTS.items():
            values[metric] = _number(figures.get(name))
        lags = [pulse.lag_ms for pulse in beat.pulses if pulse.lag_ms is not None]
        if lags:
            values["LagMilliseconds"] = max(lags)
        self._before = dict(figures)
        described = [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in values]
        directive = {"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": described}
        return {
            "_aws": {"Timestamp": beat.time, "CloudWatchMetrics": [directive]},
            "shard": beat.shard,
            "source": beat.source,
            "quarantined_by_reason": figures.get("quarantined_by_reason", {}),
            **values,
        }


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0
