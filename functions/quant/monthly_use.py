"""What a load uses in a month, line by line, before any price."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from quant.usage import (
    ANALYSE,
    BAR_ITEM,
    CHECK,
    CHUNKS_READ,
    HEALTH,
    HEALTH_EVERY,
    HEARTBEAT,
    INDEX_OVERHEAD,
    ITEM_OVERHEAD,
    KB,
    LOGGED,
    OHLC,
    REPORT_BYTES,
    RESAMPLE,
    RULE_BYTES,
    SYMBOLS,
    SYMBOLS_EVERY,
    Work,
)

HOURS = 730
MINUTES = HOURS * 60
SECONDS = MINUTES * 60
GB = 1e9
MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of the platform. The defaults are the reference load.

    Attributes:
        trades_per_second: of all symbols together.
        chunks_per_second: of all symbols together, by one of the copies; None for one per symbol and flush, and one
            more per 48.
        bytes_per_trade: of a packed chunk.
        copies: how many ingestors hear the same trades; each of them writes.
        archive_bytes_per_trade: in Parquet.
        archive_months: how many are stored at the end of the month that is billed.
        archive_warm_months: after which an object becomes cold.
        metrics: ten that are sent all the time, and three months' worth of those that count what is rare, since each is
            paid for by the hour in which it counts something.
        alarms, alarms_each: of the platform, and of each ingestor.
    """

    symbols: int = 20
    trades_per_second: float = 1_000.0
    flush_seconds: float = 5.0
    chunks_per_second: float | None = None
    bytes_per_trade: float = 2.7
    tick_days: float = 7.0
    bar_1s_days: float = 30.0
    bar_months: float = 12.0
    archive_bytes_per_trade: float = 5.05
    archive_months: float = 12.0
    archive_warm_months: float = 3.0
    ingestors: int = 1
    copies: float = 1.0
    vcpu: float = 0.25
    memory_gb: float = 0.5
    rules: int = 100
    messages: int = 1_000
    dashboards: float = 1.0
    refresh_seconds: float = 5.0
    response_bytes: float = 3_000.0
    metrics: int = 13
    alarms: int = 10
    alarms_each: int = 1

    @property
    def chunks(self) -> float:
        """A second, by all copies. A flush meets the edge of a minute or of a block of ids once in 48."""
        own = self.chunks_per_second
        if own is None:
            own = min(self.symbols / self.flush_seconds * (1 + 1 / 48), self.trades_per_second)
        return own * self.copies

    @property
    def chunk_bytes(self) -> float:
        """Payload of a chunk."""
        each = self.trades_per_second * self.copies / self.chunks if self.chunks else 0.0
        return each * self.bytes_per_trade

    @property
    def requests_per_second(self) -> float:
        """Of all dashboards."""
        return sum(often for _, often in _served(self))


@dataclass(frozen=True, slots=True)
class Use:
    group: str
    name: str
    price: str
    quantity: float
    unit: str
    free: float = 0.0


def uses(load: Load) -> tuple[Use, ...]:
    """Everything that is billed."""
    return (*_tables(load), *_compute(load), *_archive(load), *_surroundings(load))


def units_per_chunk(payload: float) -> float:
    """Write units of a chunk of that many bytes on average.

    Trades come in bursts: sizes are taken to follow Erlang's distribution of two stages, which asks for a little more
    than the recorded ones (1.26 against 1.19 units at 250 trades a chunk).
    """
    units, limit = 1.0, KB - ITEM_OVERHEAD
    while payload > 0 and limit < 20 * payload:
        stages = 2 * limit / payload
        units += math.exp(-stages) * (1 + stages)
        limit += KB
    return units


def minutely(load: Load) -> dict[str, Work]:
    """What each run of the functions of every minute asks for."""
    resample = RESAMPLE.for_markets(load.symbols)
    chunks = load.chunks * 60 * (load.chunk_bytes + ITEM_OVERHEAD) * CHUNKS_READ / (4 * KB)
    check = CHECK.for_markets(load.symbols)
    return {
        "resample": replace(resample, reads=resample.reads + chunks),
        "analyse": ANALYSE.for_markets(load.symbols),
        "check alerts": replace(
            check,
            reads=check.reads + load.rules * RULE_BYTES / (4 * KB),
            writes=check.writes + load.rules * REPORT_BYTES / KB,
        ),
    }


def _served(load: Load) -> list[tuple[Work, float]]:
    """Each route that a dashboard asks, and how often a second."""
    if not load.refresh_seconds:
        return []
    often = load.dashboards / load.refresh_seconds
    return [
        (OHLC, often),
        (HEALTH.for_markets(load.symbols), load.dashboards / max(load.refresh_seconds, HEALTH_EVERY)),
        (SYMBOLS.for_markets(load.symbols), load.dashboards / SYMBOLS_EVERY),
    ]


def _tables(load: Load) -> list[Use]:
    def writes(name: str, units: float) -> Use:
        return Use("DynamoDB", f"writes: {name}", "dynamodb_write", units / MILLION, "M units")

    def reads(name: str, units: float) -> Use:
        return Use("DynamoDB", f"reads: {name}", "dynamodb_read", units / MILLION, "M units")

    beats = SECONDS / 10 * load.ingestors
    beat = math.ceil((HEARTBEAT[0] + HEARTBEAT[1] * load.symbols * load.copies / load.ingestors) / KB)
    runs = minutely(load)
    archived = load.chunks * SECONDS * (load.chunk_bytes + ITEM_OVERHEAD) / (4 * KB)
    stored = _stored_gb(load)
    return [
        writes("chunks of trades", load.chunks * SECONDS * units_per_chunk(load.chunk_bytes)),
        writes("heartbeats", beats * beat),
        *(writes(name, work.writes * MINUTES) for name, work in runs.items()),
        *(reads(name, work.reads * MINUTES) for name, work in runs.items()),
        reads("API", sum(work.reads * often for work, often in _served(load)) * SECONDS),
        reads("archive", archived),
        Use("DynamoDB", "storage", "dynamodb_storage", stored, "GB"),
        Use("DynamoDB", "point-in-time recovery", "dynamodb_recovery", stored, "GB"),
    ]


def _stored_gb(load: Load) -> float:
    chunks = load.chunks * 86_400 * load.tick_days * (load.chunk_bytes + ITEM_OVERHEAD + INDEX_OVERHEAD)
    days = load.bar_months * HOURS / 24
    bars = load.symbols * (
        load.bar_1s_days * 1_440 * BAR_ITEM["1s"] + days * 24 * BAR_ITEM["1m"] + days * BAR_ITEM["5m"]
    )
    return (chunks + bars) / GB


def _compute(load: Load) -> list[Use]:
    runs, served = minutely(load), _served(load)
    calls = len(runs) * MINUTES + load.requests_per_second * SECONDS
    serving = sum(work.gb_seconds * often for work, often in served) * SECONDS
    hours = HOURS * load.ingestors
    return [
        Use("Lambda", "requests", "lambda_requests", calls / MILLION, "M"),
        *(
            Use("Lambda", name, "lambda_gb_seconds", work.gb_seconds * MINUTES / MILLION, "M GB-s")
            for name, work in runs.items()
        ),
        Use("Lambda", "API", "lambda_gb_seconds", serving / MILLION, "M GB-s"),
        Use("EventBridge", "schedules", "eventbridge", len(runs) * MINUTES / MILLION, "M"),
        Use("API Gateway", "REST requests", "rest_api", load.requests_per_second * SECONDS / MILLION, "M"),
        Use("Fargate", "vCPU", "fargate_vcpu", hours * load.vcpu, "vCPU-h"),
        Use("Fargate", "memory", "fargate_memory", hours * load.memory_gb, "GB-h"),
        Use("Fargate", "public IPv4 address", "public_ipv4", hours, "h"),
        Use("Fargate", "image", "ecr", 0.15, "GB"),
    ]


def _archive(load: Load) -> list[Use]:
    monthly = load.trades_per_second * SECONDS * load.archive_bytes_per_trade / GB
    warm = min(load.archive_months, load.archive_warm_months)
    objects = load.symbols * HOURS
    return [
        Use("S3", "puts of the archive", "s3_put", objects * 1.1 / MILLION, "M"),
        Use("S3", "transitions to cold", "s3_transition", objects / MILLION, "M"),
        Use("S3", "archive, warm", "s3_storage", monthly * warm, "GB"),
        Use("S3", "archive, cold", "s3_cold", monthly * (load.archive_months - warm), "GB"),
        Use("S3", "site", "s3_storage", 0.01, "GB"),
    ]


def _surroundings(load: Load) -> list[Use]:
    minutes, calls, beats = 3 * MINUTES, load.requests_per_second * SECONDS, SECONDS / 10 * load.ingestors
    logged = LOGGED["run"] * minutes + LOGGED["request"] * calls + LOGGED["heartbeat"] * beats
    sent = load.requests_per_second * SECONDS * load.response_bytes
    return [
        Use("CloudWatch", "logs", "logs", logged / GB, "GB"),
        Use("CloudWatch", "metrics", "metrics", load.metrics, "metrics"),
        Use("CloudWatch", "alarms", "alarms", load.alarms + load.alarms_each * load.ingestors, "alarms"),
        Use("messages", "SES", "ses", load.messages / MILLION, "M"),
        Use("messages", "SNS", "sns", load.messages / MILLION, "M"),
        Use("CloudFront", "requests of the dashboard", "cloudfront_requests", calls / MILLION, "M"),
        Use("CloudFront", "to the dashboard", "transfer_out", sent / GB, "GB"),
    ]
