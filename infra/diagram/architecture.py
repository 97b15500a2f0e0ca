"""The architecture of this repository, declared. A new route, table, page or channel is added in feeding.py or
serving.py; `make diagram` then draws it, and tests/architecture/test_diagram.py says what is still missing."""

from __future__ import annotations

from infra.diagram import feeding, serving
from infra.diagram.figures import MEDIAN_TO_BAR, PER_TRADE, SCAN, SLOWEST_TO_BAR
from infra.diagram.model import Architecture, Arrow, InfoBox, Remark

ARROWS = (
    Arrow("exchange", "ingestion", "Tick stream (price, qty, timestamp)"),
    Arrow("coinbase", "ingestion", "Tick stream"),
    Arrow("exchange-rest", "ingestion", "missing trades, klines", background=True),
    Arrow("simulator", "ingestion", "in the exchange's place", background=True),
    Arrow("client", "adapters", "frames"),
    Arrow("adapters", "sequencing", "trades"),
    Arrow("sequencing", "journal", "chunks"),
    Arrow("healing", "sequencing", "healed trades", background=True),
    Arrow("journal", "archiver", "stored", background=True),
    Arrow("journal", "ticks", "Validated tick data"),
    Arrow("archiver", "database:ArchiveBucket", "closed hours", background=True),
    Arrow("ticks", "database:tick_data", "chunks", both=True),
    Arrow("bars", "database:ohlc_data", "bars", both=True),
    Arrow("ticks", "resampler", "trades"),
    Arrow("resampler", "bars", "bars", both=True),
    Arrow("resampler", "statistics", "OHLC bars"),
    Arrow("resampler", "pairs", "OHLC bars"),
    Arrow("bars", "scan", "OHLC bars"),
    Arrow("database", "api", "ticks, bars, results"),
    Arrow("scan", "database:analytics_cache", "results", background=True),
    Arrow("statistics", "api", "Analytics results"),
    Arrow("pairs", "api", "Analytics results"),
    Arrow("scan", "api", "Analytics results"),
    Arrow("api", "dashboard", "JSON/REST API"),
    Arrow("dashboard", "browser", "HTTP/REST", both=True),
    Arrow("api", "alert-storage", "rules, history", both=True),
    Arrow("alert-storage", "database", "rules, states, events, outbox", both=True),
    Arrow("database", "manager", "bars, analytics results", background=True),
    Arrow("monitor", "manager", "triggers\nchecks", background=True),
    Arrow("manager", "alert-storage", "events", both=True),
    Arrow("manager", "notifier", "alerts", background=True),
    Arrow("notifier", "email-servers", "alert e-mail", background=True),
    Arrow("notifier", "topic", "alert to topic", background=True),
    Arrow("notifier", "telegram", "alert message", background=True),
    Arrow("notifier", "webhooks", "alert POST", background=True),
)

STACK = InfoBox(
    "stack",
    "Technology stack",
    (
        Remark("Backend", "Python 3.11+, Chalice, pynamodb, boto3, msgspec"),
        Remark("Frontend", "Jinja2, ES modules, Plotly"),
        Remark("Database", "DynamoDB; S3 with Parquet (pyarrow)"),
        Remark("WebSocket", "websockets"),
        Remark("Analytics", "NumPy, pandas, SciPy, statsmodels"),
        Remark("Notifications", "SES, SNS, Telegram Bot API, HTTP webhooks"),
        Remark("Cloud", "AWS SAM: one template.yaml"),
        Remark("Operations", "CloudWatch, SQS, SSM, Budgets, Glue for Athena, Application Auto Scaling"),
        Remark("Laptop", "the same template on ministack or LocalStack"),
    ),
)
MODULARITY = InfoBox(
    "modularity",
    "Key features: modularity",
    (
        Remark("Layers", "talk through ports; a test reads every import and refuses a wrong arrow"),
        Remark("Storage", "behind ports: on DynamoDB and in memory, under the same contract tests"),
        Remark("Data sources", "a new exchange is one file"),
    ),
)
SCALING = InfoBox(
    "scaling",
    "Key features: scale points",
    (
        Remark("Ingestion", "more WebSocket clients by shard; two for the same symbols are harmless"),
        Remark("Cache", "results wait in analytics_cache, answers carry an ETag"),
        Remark("API", "API Gateway starts as many Lambdas as there are requests at once"),
        Remark("Queue", "the journal holds what storage, the outbox what a channel has not confirmed yet"),
    ),
)
REAL_TIME = InfoBox(
    "real-time",
    "Key features: real time, measured",
    (
        Remark("Trade to bar at the API", f"{MEDIAN_TO_BAR.text} (p50), {SLOWEST_TO_BAR.text} (p95)"),
        Remark("One stored trade", PER_TRADE.text),
        Remark("Scan of 200 symbols", f"19,900 pairs in {SCAN.text} on one core"),
        Remark("Resampling", "incremental, every minute; the API adds the trades since"),
        Remark("Alerts", "checked every 60 s, over each 1s bar"),
        Remark("Dashboard", "refreshes every 5, 10 or 30 s"),
    ),
)

ARCHITECTURE = Architecture(
    title="Crypto Quantitative Analytics Platform - System Architecture",
    layers=(*feeding.LAYERS, *serving.LAYERS),
    arrows=ARROWS,
    boxes=(STACK, MODULARITY, SCALING, REAL_TIME),
)
