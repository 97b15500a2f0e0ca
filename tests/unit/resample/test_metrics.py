"""What a run tells CloudWatch."""

from dataclasses import asdict

from resample.handler import embedded_metrics
from resample.service import Report


def test_every_figure_of_a_run_is_a_metric_without_dimensions() -> None:
    report = asdict(Report(markets=12, bars=700, damaged=1)) | {"differing_bars": 2, "duration_ms": 340}
    line = embedded_metrics(report, 1_723_158_000_000)
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert described["Dimensions"] == [[]]
    assert {metric["Name"] for metric in described["Metrics"]} == set(report)
    assert (line["damaged"], line["differing_bars"], line["_aws"]["Timestamp"]) == (1, 2, 1_723_158_000_000)
