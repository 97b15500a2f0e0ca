"""The layers that answer: analytics, API, presentation, alerts, and what lies outside behind them."""

from __future__ import annotations

from infra.diagram.model import Colour, Component, Function, Kind, Layer, Part, Shape

STATISTICS = Component(
    id="statistics",
    title="Basic Stats Calculator",
    colour=Colour.ANALYTICS,
    path="functions/quant/analytics/summary.py",
    aws="Lambda",
    icon="chart",
    functions=(
        Function("Price statistics, drawdown", "::price_statistics"),
        Function("Volume metrics, minute profile", "::volume_statistics"),
        Function("Volatility, four estimators", "::volatility_statistics"),
        Function("VWAP of the window", "::_vwap"),
        Function("Completeness of the data", "::Completeness"),
    ),
)
PAIRS = Component(
    id="pairs",
    title="Pair Trading Analyzer",
    colour=Colour.ANALYTICS,
    path="functions/quant/analytics/pair.py",
    aws="Lambda",
    icon="chart",
    functions=(
        Function("Correlation: Pearson", "functions/quant/analytics/econometrics.py::pearson"),
        Function("Correlation: Spearman", "functions/quant/analytics/econometrics.py::spearman"),
        Function("Cointegration: Engle-Granger", "functions/quant/analytics/econometrics.py::engle_granger"),
        Function("Cointegration: Johansen", "functions/quant/analytics/econometrics.py::johansen"),
        Function("ADF test of the spread", "functions/quant/analytics/econometrics.py::adf"),
        Function("Hedge ratio: OLS, TLS, Huber", "functions/quant/analytics/hedge.py::total_least_squares"),
        Function("Hedge ratio: Kalman filter", "functions/quant/analytics/hedge.py::kalman"),
        Function("Spread calculation", "::_spread"),
        Function("Z-score analysis", "functions/quant/analytics/spread.py::zscore"),
        Function("Half-life of reversion", "functions/quant/analytics/spread.py::half_life"),
        Function("Rolling metrics", "functions/quant/analytics/rolling.py::rolling_pair"),
        Function("Backtest with costs", "functions/quant/analytics/backtest.py::backtest"),
    ),
)
SCAN = Component(
    id="scan",
    title="Scan of All Pairs",
    colour=Colour.ANALYTICS,
    path="functions/analyse/service.py",
    aws="Lambda",
    icon="chart",
    logical_ids=("AnalyseFunction",),
    schedule="rate(1 minute)",
    functions=(
        Function("Cointegration of all pairs", "functions/quant/analytics/scan.py::scan"),
        Function("False-discovery rate", "functions/quant/analytics/multiple_testing.py::benjamini_hochberg"),
        Function("Admission card per pair", "functions/analyse/cards.py::scan_rows"),
        Function("Correlation matrix", "functions/quant/analytics/scan.py::standardised_returns"),
        Function("Statistics of every symbol", "::Analyst"),
    ),
)

API = Component(
    id="api",
    title="Chalice REST API",
    colour=Colour.API,
    path="functions/api/app.py",
    aws="API Gateway · Lambda",
    icon="server",
    logical_ids=("ApiFunction",),
    notes=("Port: 8000 (laptop)",),
    functions=(
        Function("One declaration per operation", "functions/quant/contract/operation.py::Operation"),
        Function("Bars up to the last flush", "functions/quant/live_bars.py::LiveBars"),
    ),
    parts=(
        Part(Kind.ROUTE, "GET /health", "/api/health", "Health check"),
        Part(Kind.ROUTE, "GET /symbols", "/api/symbols", "Symbol list"),
        Part(Kind.ROUTE, "GET /ticks/{symbol}", "/api/ticks/{symbol}", "Tick data"),
        Part(Kind.ROUTE, "GET /ohlc/{symbol}", "/api/ohlc/{symbol}", "OHLC bars"),
        Part(Kind.ROUTE, "GET /stats", "/api/stats", "Statistics of all symbols"),
        Part(Kind.ROUTE, "GET /stats/{symbol}", "/api/stats/{symbol}", "Basic stats"),
        Part(Kind.ROUTE, "GET,POST /pairs/analyze", "/api/pairs/analyze", "Pair analytics"),
        Part(Kind.ROUTE, "GET /pairs/scan", "/api/pairs/scan", "All pairs, ranked"),
        Part(Kind.ROUTE, "GET /pairs/correlation", "/api/pairs/correlation", "Correlation matrix"),
        Part(Kind.ROUTE, "GET /costs", "/api/costs", "Measured load, monthly price"),
        Part(Kind.ROUTE, "GET /openapi.json", "/api/openapi.json", "The contract"),
        Part(Kind.ROUTE, "GET,POST /alerts/rules", "/api/alerts/rules", "Alert CRUD: list, create"),
        Part(Kind.ROUTE, "GET,PUT,DELETE /alerts/rules/{id}", "/api/alerts/rules/{id}", "One rule"),
        Part(Kind.ROUTE, "POST /alerts/rules/{id}/test", "/api/alerts/rules/{id}/test", "Send a test"),
        Part(Kind.ROUTE, "POST /alerts/rules/{id}/silence", "/api/alerts/rules/{id}/silence", "Silence"),
        Part(Kind.ROUTE, "GET,POST /alerts/silence", "/api/alerts/silence", "From a mail's link"),
        Part(Kind.ROUTE, "GET /alerts/rules/export", "/api/alerts/rules/export", "Rules as JSON"),
        Part(Kind.ROUTE, "POST /alerts/rules/import", "/api/alerts/rules/import", "Rules from JSON"),
        Part(Kind.ROUTE, "GET /alerts/examples", "/api/alerts/examples", "Library of rules"),
        Part(Kind.ROUTE, "POST /alerts/backtest", "/api/alerts/backtest", "When would it have fired"),
        Part(Kind.ROUTE, "GET /alerts/history", "/api/alerts/history", "Alert history"),
        Part(Kind.ROUTE, "GET /alerts/monitor/status", "/api/alerts/monitor/status", "Monitor status"),
    ),
)

DASHBOARD = Component(
    id="dashboard",
    title="Static Dashboard",
    colour=Colour.INTERFACE,
    path="frontend_static/build.py",
    aws="S3 · CloudFront",
    icon="monitor",
    notes=("Port: 8000 (laptop)",),
    functions=(
        Function("Interactive Plotly charts", "frontend_static/scripts/plotly-loader.js::plotlyReady"),
        Function("Real-time updates", "frontend_static/scripts/bar-feed.js::createBarFeed"),
        Function("User controls, state in the URL", "frontend_static/scripts/view-state.js::parseView"),
        Function("Auto-refresh: off, 5, 10, 30 s", "frontend_static/scripts/view-state.js::REFRESH_SECONDS"),
    ),
    parts=(
        Part(Kind.PAGE, "single-symbol", "Single Symbol", "/"),
        Part(Kind.PAGE, "pair-trading", "Pair Trading", "/pairs/"),
        Part(Kind.PAGE, "multi-symbol", "Multi-Symbol", "/symbols/"),
        Part(Kind.PAGE, "alerts", "Alerts", "/alerts/"),
        Part(Kind.PAGE, "system", "System", "/system/"),
        Part(Kind.PAGE, "docs", "API Reference", "/docs/"),
    ),
)
BROWSER = Component(
    id="browser",
    title="User Browser",
    colour=Colour.EXTERNAL,
    icon="globe",
    notes=("ES modules, no bundler, no third-party host",),
)

MONITOR = Component(
    id="monitor",
    title="Background Monitor",
    colour=Colour.ALERTS,
    path="functions/check_alerts/handler.py",
    aws="Lambda · EventBridge",
    icon="clock",
    logical_ids=("CheckAlertsFunction",),
    schedule="rate(1 minute)",
    notes=("Check Interval: 60s · rate(1 minute)",),
    functions=(
        Function("Continuous monitoring", "::handler"),
        Function("Scheduled checks, caught up", "functions/check_alerts/service.py::CATCH_UP"),
        Function("Report of every run", "functions/quant/domain/alert.py::CheckReport"),
    ),
)
MANAGER = Component(
    id="manager",
    title="Alert Manager",
    colour=Colour.ALERTS,
    path="functions/check_alerts/service.py",
    aws="Lambda",
    icon="bell",
    functions=(
        Function("Check alert rules", "::Monitor.check"),
        Function("Calculate Z-scores", "functions/quant/readings/figures.py::_zscore"),
        Function("Trigger detection, every 1s bar", "functions/quant/alerting/machine.py::advance"),
        Function("Cooldown management", "functions/quant/domain/alert.py::Rule.cooldown_seconds"),
    ),
)
ALERT_STORAGE = Component(
    id="alert-storage",
    title="Alert Storage",
    colour=Colour.ALERTS,
    path="functions/quant/storage/alerts.py",
    aws="DynamoDB",
    icon="database",
    functions=(
        Function("Rule persistence, CRUD", "functions/quant/storage/rules.py::RuleTable"),
        Function("History tracking", "::AlertTable.events"),
        Function("Outbox with leases", "::AlertTable.lease"),
        Function("One transaction per event", "::AlertTable.commit"),
    ),
)
NOTIFIER = Component(
    id="notifier",
    title="Notification Service",
    colour=Colour.ALERTS,
    path="functions/check_alerts/delivery.py",
    aws="Lambda · SES · SNS",
    icon="bell",
    functions=(
        Function("One notification per event, retries", "::Courier.deliver_due"),
        Function("One channel delays no other", "::THREADS"),
    ),
    parts=(
        Part(Kind.CHANNEL, "email", "Email", "SES"),
        Part(Kind.CHANNEL, "sns", "SNS", "topic"),
        Part(Kind.CHANNEL, "telegram", "Telegram", "Bot API"),
        Part(Kind.CHANNEL, "webhook", "Webhooks", "HTTP POST"),
    ),
)

EMAIL = Component(id="email-servers", title="Email Servers", colour=Colour.EXTERNAL, shape=Shape.CLOUD)
TOPIC = Component(id="topic", title="SNS Subscribers", colour=Colour.EXTERNAL, shape=Shape.CLOUD)
TELEGRAM = Component(id="telegram", title="Telegram API", colour=Colour.EXTERNAL, shape=Shape.CLOUD)
WEBHOOKS = Component(id="webhooks", title="Webhook Endpoints", colour=Colour.EXTERNAL, shape=Shape.CLOUD)

LAYERS = (
    Layer("analytics", "Analytics", Colour.ANALYTICS, (STATISTICS, PAIRS, SCAN)),
    Layer("serving", "API", Colour.API, (API,)),
    Layer("presentation", "Presentation", Colour.INTERFACE, (DASHBOARD, BROWSER)),
    Layer("alerts", "Alerts", Colour.ALERTS, (MONITOR, MANAGER, ALERT_STORAGE, NOTIFIER)),
    Layer("outside", "External services", Colour.EXTERNAL, (EMAIL, TOPIC, TELEGRAM, WEBHOOKS)),
)
