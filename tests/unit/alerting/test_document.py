"""docs/alerts.md says what the code does."""

from __future__ import annotations

from pathlib import Path

from quant.alerting.conditions import OPERATORS
from quant.alerting.messages import sample_values
from quant.alerting.metrics import METRICS
from quant.alerting.templates import FILTERS
from quant.domain.alert import EventKind, Phase
from tests.unit.alerting.samples import START, rule

PAGE = (Path(__file__).parents[3] / "docs/alerts.md").read_text()


def test_every_metric_has_its_row() -> None:
    for name, one in METRICS.items():
        low, usual, high = one.window
        window = "-" if high == 1 else f"{low} to {high}, usually {usual}"
        row = f"| `{name}` | {one.unit or '-'} | {one.help} | {', '.join(one.intervals)} | {window} |"
        assert row in PAGE, row


def test_every_operator_phase_value_and_filter_is_named() -> None:
    for word in (*OPERATORS, *sample_values(rule(), EventKind.FIRED, START)):
        assert f"`{word}`" in PAGE, word
    for name in FILTERS:
        assert f"`{name}`" in PAGE or f"`{name}(" in PAGE, name
    for phase in Phase:
        assert phase.value in PAGE
