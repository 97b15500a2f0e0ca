"""The layers that trades come through: data source, ingestion, storage."""

from __future__ import annotations

from infra.diagram.model import Colour, Component, Function, Kind, Layer, Part, Shape

EXCHANGE = Component(
    id="exchange",
    title="Binance WebSocket API",
    colour=Colour.EXTERNAL,
    shape=Shape.CLOUD,
    notes=("wss://stream.binance.com:9443", "Real-time Tick Data"),
)
EXCHANGE_REST = Component(
    id="exchange-rest",
    title="Binance REST API",
    colour=Colour.EXTERNAL,
    shape=Shape.CLOUD,
    notes=("https://api.binance.com", "Missing trades by id, klines"),
)
COINBASE = Component(
    id="coinbase",
    title="Coinbase Exchange API",
    colour=Colour.EXTERNAL,
    shape=Shape.CLOUD,
    notes=("wss://ws-feed.exchange.coinbase.com", "Real-time Tick Data"),
)
SIMULATOR = Component(
    id="simulator",
    title="Exchange Simulator",
    colour=Colour.EXTERNAL,
    path="infra/local/exchange/",
    aws="on the laptop",
    icon="gear",
    functions=(
        Function("Binance's protocol, seeded market", "infra/local/exchange/simulated.py::SimulatedMarket"),
        Function("Switchboard of faults", "infra/local/exchange/faults.py::Faults"),
    ),
)

HEALING = Component(
    id="healing",
    title="Healing",
    colour=Colour.INGESTION,
    path="ingestor/heal.py",
    functions=(
        Function("Missing trades fetched by id", "::Healer"),
        Function("Exchange's weight budget kept", "ingestor/budget.py::WeightBudget"),
        Function("Backfill of past ranges", "ingestor/backfill.py::Backfill"),
        Function("First day of bars", "ingestor/history.py::History"),
    ),
)
CLIENT = Component(
    id="client",
    title="WebSocket Client",
    colour=Colour.INGESTION,
    path="ingestor/connection.py",
    functions=(
        Function("Async client, many symbols", "::Feed"),
        Function("Reconnection, jittered back-off", "ingestor/backoff.py::Backoff"),
        Function("Overlapped handover", "::Feed._hand_over"),
        Function("Stale stream noticed", "ingestor/silence.py::Silence"),
    ),
)
ADAPTERS = Component(
    id="adapters",
    title="Exchange Adapters",
    colour=Colour.INGESTION,
    path="ingestor/exchanges/",
    functions=(
        Function("Bytes in, exact trades out", "ingestor/exchanges/base.py::Exchange"),
        Function("Binance", "ingestor/exchanges/binance.py::Binance"),
        Function("Coinbase", "ingestor/exchanges/coinbase.py::Coinbase"),
        Function("No I/O inside", "ingestor/exchanges/base.py::Exchange.parse"),
    ),
)
SEQUENCING = Component(
    id="sequencing",
    title="Validation, Sequencing",
    colour=Colour.INGESTION,
    path="ingestor/pipeline.py",
    functions=(
        Function("Data validation", "ingestor/validation.py::validate"),
        Function("Sequencing by trade id", "ingestor/sequencer.py::Sequencer"),
        Function("Quarantine of bad frames", "ingestor/quarantine.py::Quarantine"),
        Function("Batches per flush", "ingestor/batcher.py::Batcher"),
    ),
)
JOURNAL = Component(
    id="journal",
    title="Journal, Writer",
    colour=Colour.INGESTION,
    path="ingestor/writer.py",
    functions=(
        Function("Journal on disk, fsync", "ingestor/journal.py::Journal"),
        Function("Retries until stored", "::Writer._until_stored"),
        Function("Dirty marks before healing", "::Writer._write"),
        Function("Heartbeat every 10 s", "ingestor/heartbeat.py::Pulse.beat"),
    ),
)
ARCHIVER = Component(
    id="archiver",
    title="Archiver",
    colour=Colour.INGESTION,
    path="ingestor/archive.py",
    functions=(
        Function("Closed hours to Parquet", "::Archiver"),
        Function("Rewritten when healed", "functions/quant/storage/archive.py::TradeArchive.merge"),
        Function("Same trades, same bytes", "functions/quant/storage/parquet.py::to_parquet"),
        Function("Repair of chunks", "ingestor/repair.py::repair"),
    ),
)
INGESTION = Component(
    id="ingestion",
    title="WebSocket Ingestion Service",
    colour=Colour.INGESTION,
    path="ingestor/__main__.py",
    aws="ECS Fargate",
    icon="gear",
    functions=(
        Function("Error handling: every task watched", "ingestor/service.py::Ingestor._watch"),
        Function("Drains within 20 s", "ingestor/service.py::Ingestor._drain"),
        Function("Shards of symbols, or tasks that share them", "ingestor/membership.py::share"),
    ),
    inner=(HEALING, CLIENT, ADAPTERS, SEQUENCING, JOURNAL, ARCHIVER),
)

RESAMPLER = Component(
    id="resampler",
    title="OHLC Resampling Engine",
    colour=Colour.PROCESSING,
    path="functions/resample/service.py",
    aws="Lambda",
    icon="gear",
    logical_ids=("ResampleFunction",),
    schedule="rate(1 minute)",
    functions=(
        Function("1s, 1m, 5m resampling", "functions/quant/analytics/resample.py::coarser"),
        Function("VWAP calculation", "functions/quant/domain/decimals.py::vwap"),
        Function("Incremental updates by watermark", "::Resampler._catch_up"),
        Function("Healed trades: only their bars", "::Resampler.heal"),
        Function("Certificate of completeness", "functions/quant/analytics/resample.py::_certificates"),
        Function("Exact integers, no rounding", "functions/quant/analytics/resample.py::_volumes"),
    ),
)
TICKS = Component(
    id="ticks",
    title="Tick Data Repository",
    colour=Colour.STORAGE,
    path="functions/quant/storage/ticks.py",
    aws="DynamoDB",
    functions=(
        Function("Insert tick data as packed chunks", "::TickTable.write"),
        Function("Query recent ticks", "::TickTable.read"),
        Function("Time-range and id filters", "::_Wanted"),
    ),
)
BARS = Component(
    id="bars",
    title="OHLC Bar Repository",
    colour=Colour.STORAGE,
    path="functions/quant/storage/bars.py",
    aws="DynamoDB",
    functions=(
        Function("Merge bars, the better version stays", "::BarTable.merge"),
        Function("Query by interval and time", "::BarTable.read"),
        Function("Watermarks", "::BarTable.watermarks"),
    ),
)
DATABASE = Component(
    id="database",
    title="Database and Archive",
    colour=Colour.DATABASE,
    path="template.yaml",
    aws="DynamoDB · S3",
    icon="database",
    parts=(
        Part(Kind.TABLE, "tick_data", "tick_data", "packed trades"),
        Part(Kind.TABLE, "alert_history", "alert_history", "events, outbox"),
        Part(Kind.BUCKET, "ArchiveBucket", "S3 archive", "Parquet by hour"),
        Part(Kind.TABLE, "ohlc_data", "ohlc_data", "packed bars"),
        Part(Kind.TABLE, "analytics_cache", "analytics_cache", "results by run"),
        Part(Kind.TABLE, "alert_rules", "alert_rules", "rules, states"),
    ),
)

LAYERS = (
    Layer("source", "Data source", Colour.EXTERNAL, (EXCHANGE_REST, EXCHANGE, COINBASE, SIMULATOR)),
    Layer("ingesting", "Ingestion", Colour.INGESTION, (INGESTION,)),
    Layer("storage", "Storage", Colour.STORAGE, (RESAMPLER, TICKS, BARS, DATABASE)),
)
