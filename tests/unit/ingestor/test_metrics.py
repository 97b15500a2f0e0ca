from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from ingestor.metrics import EmbeddedMetrics
from quant.domain.ports import Heartbeat, MarketPulse
from tests.unit.ingestor.trades import BTC


def beat(lag: int | None = 70, **figures: Any) -> Heartbeat:
    last_time = 0 if lag is None else 1_000
    pulse = MarketPulse(BTC, 5, last_time, 5, last_time, last_time, lag_ms=lag)
    return Heartbeat("1/2", "here", 1_700_000_000_000, "live", (pulse,), figures)


def test_counters_are_told_as_what_was_added() -> None:
    metrics = EmbeddedMetrics(io.StringIO())
    assert metrics.line(beat(trades=100, quarantined=2))["Trades"] == 100
    second = metrics.line(beat(trades=130, quarantined=2, journal_bytes=77))
    assert (second["Trades"], second["QuarantinedFrames"], second["JournalBytes"]) == (30, 0, 77)


def test_every_metric_has_a_value_and_none_a_symbol() -> None:
    stream = io.StringIO()
    EmbeddedMetrics(stream)(beat(trades=1, quarantined_by_reason={"json": 3}))
    line = json.loads(stream.getvalue())
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [[]]
    assert all(isinstance(line[metric["Name"]], int | float) for metric in directive["Metrics"])
    assert line["LagMilliseconds"] == 70
    assert line["quarantined_by_reason"] == {"json": 3}
    assert "BTCUSDT" not in stream.getvalue()


def test_frames_in_quarantine_are_told_by_reason_when_there_are_any() -> None:
    metrics = EmbeddedMetrics(io.StringIO())
    first = metrics.line(beat(quarantined_by_reason={"json": 3, "price": 1}))
    second = metrics.line(beat(quarantined_by_reason={"json": 5, "price": 1}))
    assert (first["Quarantined_json"], first["Quarantined_price"], second["Quarantined_json"]) == (3, 1, 2)
    assert "Quarantined_price" not in second


def test_a_silence_shows_in_the_time_since_the_last_trade() -> None:
    line = EmbeddedMetrics(io.StringIO()).line(beat(trades_per_second=12.5))
    assert (line["SinceLastTradeMilliseconds"], line["TradesPerSecond"]) == (1_700_000_000_000 - 1_000, 12.5)


def test_every_metric_is_in_the_document() -> None:
    text = (Path(__file__).parents[3] / "docs/operations.md").read_text()
    line = EmbeddedMetrics(io.StringIO()).line(beat())
    assert [name for name in line if name[0].isupper() and f"`{name}`" not in text] == []


def test_a_stream_that_is_closed_does_no_harm() -> None:
    stream = io.StringIO()
    stream.close()
    EmbeddedMetrics(stream)(beat())


def test_without_a_trade_there_is_no_lag() -> None:
    line = EmbeddedMetrics(io.StringIO()).line(beat(lag=None))
    assert not {"LagMilliseconds", "SinceLastTradeMilliseconds"} & line.keys()
