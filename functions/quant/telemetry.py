"""Log lines and metrics of the Lambda functions: Powertools' Logger and Metrics, wired in one place.

The Logger writes JSON, each line with the invocation that it belongs to and a correlation id: of a request the id that
its caller is told, of a schedule that of its event. Metrics are a line in CloudWatch's embedded format.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from aws_lambda_powertools.logging import Logger, correlation_paths
from aws_lambda_powertools.metrics import Metrics

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """
    Attributes:
        units: of what is a metric, by its name. A metric costs $0.30 a month, and so would each value of a dimension;
            what else a report says can be searched for and costs nothing, and so does a metric while it is zero.
    """

    logger: Logger
    metrics: Metrics
    units: Mapping[str, str]

    @classmethod
    def of(cls, service: str, namespace: str, **units: str) -> Self:
        """Telemetry of one function. Two of the same service share their Logger.

        Its level is that of the settings once they are read: it would look into the environment by itself.
        """
        logger = Logger(service=service, level="INFO", utc=True, use_rfc3339=True)
        return cls(logger, Metrics(namespace=namespace), units)

    def serving(self, handler: Handler) -> Handler:
        """The handler as Lambda calls it: with the invocation in each of its log lines."""
        by_event = correlation_paths.EVENT_BRIDGE
        return self.logger.inject_lambda_context(handler, correlation_id_path=by_event, clear_state=True)

    def report(self, event: str, **figures: object) -> None:
        """One line about what was done."""
        counted = {name: cast(float, figures[name]) for name in self.units if figures[name]}
        if not counted:
            self.logger.info(event, extra={"event": event, **figures})
            return
        for name, value in counted.items():
            self.metrics.add_metric(name, self.units[name], value)
        told = {"event": event, "correlation_id": self.logger.get_correlation_id(), **figures}
        for name in told.keys() - counted.keys():
            self.metrics.add_metadata(name, told[name])
        self.metrics.flush_metrics()
