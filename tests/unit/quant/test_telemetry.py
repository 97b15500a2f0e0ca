"""What a Lambda function writes of itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from quant.telemetry import Telemetry
from tests.architecture.scenarios import Context

SCHEDULED = {"id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "source": "aws.events"}


def _telemetry(service: str) -> Telemetry:
    """A Logger is one for each name, and writes to what is stdout when it is made."""
    return Telemetry.of(service, "Quant/Tests", duration_ms="Milliseconds", errors="Count")


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_what_is_no_metric_stands_beside_them(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry = _telemetry("beside")
    telemetry.report("done", bars=700, errors=1, duration_ms=340, symbol="BTCUSDT")
    telemetry.report("done", bars=1, errors=2, duration_ms=1.5)
    first, second = _lines(capsys)
    assert (first["event"], first["bars"], first["symbol"]) == ("done", 700, "BTCUSDT")
    assert first["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Quant/Tests",
            "Dimensions": [[]],
            "Metrics": [{"Name": "duration_ms", "Unit": "Milliseconds"}, {"Name": "errors", "Unit": "Count"}],
        }
    ]
    assert (first["errors"], first["duration_ms"]) == ([1], [340])
    assert (second["errors"], second["duration_ms"], "symbol" in second) == ([2], [1.5], False)


def test_a_zero_is_told_and_is_no_metric(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry = _telemetry("zero")
    telemetry.report("done", errors=0, duration_ms=7)
    telemetry.report("done", errors=0, duration_ms=0, symbol="BTCUSDT")
    some, none = _lines(capsys)
    [written] = some["_aws"]["CloudWatchMetrics"]
    assert ([one["Name"] for one in written["Metrics"]], some["errors"]) == (["duration_ms"], 0)
    assert (none["event"], none["errors"], none["symbol"], "_aws" in none) == ("done", 0, "BTCUSDT", False)


def test_a_figure_that_is_missing_is_no_metric_of_zero(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry = _telemetry("missing")
    with pytest.raises(KeyError):
        telemetry.report("done", duration_ms=7)
    telemetry.report("done", errors=0, duration_ms=1)
    [line] = _lines(capsys)
    assert line["duration_ms"] == [1], "nothing is left of the report that was none"


def test_every_line_names_its_invocation_and_what_began_it(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry = _telemetry("invoked")

    @telemetry.serving
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        telemetry.logger.warning("problem", reason="none")
        telemetry.report("done", errors=0, duration_ms=1)
        return {}

    handler(SCHEDULED, Context())
    handler({}, Context())
    problem, done, other, _ = _lines(capsys)
    assert (problem["message"], problem["reason"], problem["level"]) == ("problem", "none", "WARNING")
    assert problem["function_request_id"] == Context.aws_request_id
    assert problem["correlation_id"] == done["correlation_id"] == SCHEDULED["id"]
    assert "correlation_id" not in other, "it was another invocation's"
