"""Alerts: rules, what has become of them, and how they are checked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from quant.contract.market import Milliseconds, NextCursor
from quant.contract.operation import REQUEST, Auth, Cache, Operation
from quant.contract.types import Cursor, End, Exchange, MarketName, Nothing, Start

MAX_RULES_PER_PAGE, MAX_EVENTS_PER_PAGE, MAX_IMPORTED = 1_000, 100, 500
MAX_RULE_BODY, MAX_IMPORT_BODY = 30_000, 2_000_000
MAX_BACKTEST_POINTS = 1_000

MetricName = Literal[
    "price", "change", "volume", "volume_ratio", "volatility", "vwap_deviation", "pair_zscore", "spread", "correlation",
    "cointegration_pvalue", "staleness",
]  # fmt: skip
OperatorName = Literal[">", ">=", "<", "<=", "crosses_above", "crosses_below", "outside", "inside"]
Severity = Literal["info", "warning", "critical"]
Notice = Literal["fired", "resolved", "no_data", "correction"]
PhaseName = Literal["ok", "pending", "firing", "recovering", "no_data"]
RuleId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="The rule.",
        examples=["r1"],
        extra={"remedy": "must be 1 to 64 letters, digits, dashes or underscores"},
    ),
]
Level = Annotated[float, Meta(ge=-1e15, le=1e15)]
Token = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{10,400}$",
        description="As the link says it.",
        examples=["c2lnbmVkIHdvcmQ"],
        extra={"remedy": "must be given"},
    ),
]


class ChannelFields(Struct, **REQUEST):
    type: Literal["email", "sns", "telegram", "webhook"]
    target: Annotated[
        str, Meta(min_length=1, max_length=1_000, description="An address, a topic's ARN, a chat's id or a URL.")
    ]


class RuleFields(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a rule watches and who is told."""

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    metric: MetricName
    symbol: Annotated[MarketName, Meta(description="Of a pair: y.", examples=["BTCUSDT"])]
    operator: OperatorName
    threshold: Annotated[Level, Meta(description="In the metric's unit.")]
    exchange: Exchange = "binance"
    x: Annotated[MarketName, Meta(description="Only for metrics of a pair: what y is measured against.")] | None = None
    x_exchange: Exchange | None = None
    interval: (
        Annotated[str, Meta(max_length=10, description="Of the bars: 1s, 1m or 5m; the metric's own without it.")]
        | None
    ) = None
    window: Annotated[int, Meta(ge=1, le=1_440, description="How many bars the metric looks at.")] | None = None
    clear_threshold: (
        Annotated[Level, Meta(description="Where it begins to be over; the threshold itself without it.")] | None
    ) = None
    for_seconds: Annotated[int, Meta(ge=0, le=86_400, description="How long it must hold before it fires.")] = 0
    recover_seconds: Annotated[int, Meta(ge=0, le=86_400, description="How long it must be over.")] = 0
    cooldown_seconds: Annotated[
        int, Meta(ge=0, le=604_800, description="After a notification, none for so long; all is recorded.")
    ] = 0
    remind_seconds: Annotated[
        int, Meta(ge=0, le=604_800, description="While it fires, say so again each time; 0 never.")
    ] = 0
    severity: Severity = "warning"
    channels: Annotated[tuple[ChannelFields, ...], Meta(max_length=10)] = ()
    notify: Annotated[tuple[Notice, ...], Meta(max_length=4, description="What is sent; all is recorded.")] = (
        "fired",
        "resolved",
    )
    message: Annotated[str, Meta(max_length=2_000, description="A Jinja2 template; the usual sentence without it.")] = (
        ""
    )
    enabled: bool = True
    silenced_until: Annotated[int, Meta(ge=0, le=4_102_444_800_000, description="ms; nothing is sent until then.")] = 0


class GivenRule(RuleFields, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A rule as it was answered may be sent back: what only the server says is not read."""

    id: RuleId | None = None
    version: int | None = None
    revision: int | None = None
    created_at: int | None = None
    updated_at: int | None = None
    revised_at: int | None = None
    warnings: list[str] | None = None
    state: dict[str, Any] | None = None


class RuleChange(GivenRule, kw_only=True, frozen=True, forbid_unknown_fields=True):
    version: Annotated[int, Meta(ge=1, le=2**53, description="Of the rule that was read; 409 if it has changed since.")]


class ChannelAnswer(Struct, kw_only=True):
    type: str
    target: str


class StateAnswer(Struct, kw_only=True):
    phase: PhaseName
    since: Annotated[int | None, Meta(description="Time of the bar that brought it there, ms.")]
    value: float | None
    reason: str
    fired_at: int | None
    event_id: str | None
    notified_at: int | None


class RuleAnswer(Struct, kw_only=True):
    id: str
    version: Annotated[int, Meta(description="Counts the changes; a change must name it.")]
    revision: Annotated[int, Meta(description="Counts the changes of what is watched; each begins with a new state.")]
    name: str
    metric: MetricName
    exchange: str
    symbol: str
    x_exchange: str | None
    x: str | None
    interval: str
    window: int
    operator: OperatorName
    threshold: float
    clear_threshold: float | None
    for_seconds: int
    recover_seconds: int
    cooldown_seconds: int
    remind_seconds: int
    severity: Severity
    channels: list[ChannelAnswer]
    notify: list[Notice]
    message: str
    enabled: bool
    silenced_until: int
    created_at: Milliseconds
    updated_at: Milliseconds
    revised_at: Milliseconds
    warnings: list[str]
    state: StateAnswer


class RulesAnswer(Struct, kw_only=True):
    rules: list[RuleAnswer]
    total: int
    next_cursor: NextCursor


class RulePath(Struct, **REQUEST):
    id: RuleId


class RulesParameters(Struct, **REQUEST):
    limit: Annotated[int, Meta(ge=1, le=MAX_RULES_PER_PAGE, description="Rules per page.")] = 100
    cursor: Cursor | None = None


class DeleteParameters(Struct, **REQUEST):
    id: RuleId
    version: Annotated[int, Meta(ge=1, le=2**53, description="Of the rule that was read.", examples=[1])]


class DeletedAnswer(Struct, kw_only=True):
    deleted: str


class Imported(Struct, **REQUEST):
    rules: Annotated[list[GivenRule], Meta(min_length=1, max_length=MAX_IMPORTED)]


class ImportedRule(Struct, kw_only=True):
    id: str
    created: bool
    warnings: list[str]


class ImportAnswer(Struct, kw_only=True):
    created: int
    updated: int
    rules: list[ImportedRule]


class SilenceBody(Struct, **REQUEST):
    seconds: Annotated[int, Meta(ge=0, le=2_592_000, description="From now on; 0 ends a silence.")]


class DeliveryAnswer(Struct, kw_only=True):
    channel: ChannelAnswer
    status: Literal["pending", "retrying", "delivered", "failed", "suppressed"]
    attempts: int
    error: str
    next_try: int | None
    settled_at: int | None


class EventAnswer(Struct, kw_only=True):
    id: str
    kind: Literal["fired", "reminder", "resolved", "no_data", "correction", "test"]
    rule_id: str
    revision: int
    rule_name: str
    severity: str
    metric: str
    exchange: str
    symbol: str
    x_exchange: str | None
    x: str | None
    time: Annotated[int, Meta(description="Its bar's, ms.")]
    recorded_at: Annotated[int, Meta(description="When it was found, ms.")]
    value: float | None
    threshold: float
    readings: dict[str, Any]
    market: Literal["live", "simulated", "replay"]
    title: str
    message: str
    corrects: str | None
    deliveries: list[DeliveryAnswer]


class HistoryParameters(Struct, **REQUEST):
    rule_id: RuleId | None = None
    start: Start | None = None
    end: End | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_EVENTS_PER_PAGE, description="Events per page.")] = 50
    cursor: Cursor | None = None


class HistoryAnswer(Struct, kw_only=True):
    events: list[EventAnswer]
    next_cursor: NextCursor


class BacktestBody(Struct, **REQUEST):
    rule: GivenRule | None = None
    rule_id: RuleId | None = None
    start: Start | None = None
    end: End | None = None


class BacktestEvent(Struct, kw_only=True):
    id: str
    kind: str
    time: Milliseconds
    value: float | None
    notified: Annotated[bool, Meta(description="Whether it would have been sent.")]
    held: Annotated[str, Meta(description="Why not.")]


class Firing(Struct, kw_only=True):
    start: Milliseconds
    end: Annotated[int | None, Meta(description="Null where it still fires at the end.")]
    seconds: float
    value: float | None


class MetricSeries(Struct, kw_only=True):
    """The metric itself, to be drawn: one entry a point in each list."""

    step: Annotated[int, Meta(description="Milliseconds from one point to the next: as many bars as it takes.")]
    time: Annotated[list[int], Meta(description="Start of each point, ms.", max_length=MAX_BACKTEST_POINTS)]
    value: Annotated[list[float | None], Meta(description="At the point's last bar; null where trades are missing.")]
    low: Annotated[list[float | None], Meta(description="The least within it; of a price with its wicks.")]
    high: Annotated[list[float | None], Meta(description="The most within it.")]


class BacktestAnswer(Struct, kw_only=True):
    start: Milliseconds
    end: Milliseconds
    interval: str
    bars: int
    unknown_bars: Annotated[int, Meta(description="Of which trades are missing: nothing fires there.")]
    fired: int
    resolved: int
    no_data: int
    notifications: Annotated[int, Meta(description="As the rule is.")]
    notifications_without_cooldown: int
    firing_seconds: float
    firings: list[Firing]
    events: list[BacktestEvent]
    events_left_out: Annotated[int, Meta(description="Beyond the first thousand.")]
    series: MetricSeries
    warnings: list[str]


class SentTestAnswer(Struct, kw_only=True):
    event_id: str
    title: str
    message: str
    value: float | None
    known_until: int | None
    would_fire: bool | None
    deliveries: Annotated[list[DeliveryAnswer], Meta(description="They leave with the next check, within a minute.")]


class MonitorAnswer(Struct, kw_only=True):
    healthy: Annotated[bool, Meta(description="Whether a check has ended within the last three minutes.")]
    last_run: int | None
    next_run: Annotated[int | None, Meta(description="When the next one is expected, ms.")]
    duration_ms: int | None
    age_ms: int | None
    rules: int
    evaluated: int
    events: int
    fired: int
    deliveries: int
    unfinished: int
    reads: int
    errors: dict[str, str]
    skipped: dict[str, int]
    evaluated_until: dict[str, int]


class Example(Struct, kw_only=True):
    id: str
    title: str
    why: str
    rule: dict[str, Any]


class ExamplesAnswer(Struct, kw_only=True):
    examples: list[Example]


class LinkParameters(Struct, **REQUEST):
    token: Token


class SilenceByLinkParameters(Struct, **REQUEST):
    token: Token
    hours: Annotated[int, Meta(ge=1, le=168)] = 1


_SAMPLE = RuleFields(
    name="BTC above 70,000",
    metric="price",
    symbol="BTCUSDT",
    operator=">",
    threshold=70_000,
    clear_threshold=69_500,
    cooldown_seconds=900,
)

LIST_RULES = Operation(
    id="listRules", method="GET", path="/alerts/rules", tag="alerts", summary="Every rule with its state, by id",
    parameters=RulesParameters, body=Nothing, answer=RulesAnswer,
)  # fmt: skip
MAKE_RULE = Operation(
    id="makeRule", method="POST", path="/alerts/rules", tag="alerts", summary="Make a rule",
    description="A rule that can never fire, or always does, is made and answered with a warning.",
    parameters=Nothing, body=RuleFields, answer=RuleAnswer, status=201, auth=Auth.WRITE, idempotent=True,
    errors=(409,), example=_SAMPLE, max_body=MAX_RULE_BODY,
)  # fmt: skip
GET_RULE = Operation(
    id="getRule", method="GET", path="/alerts/rules/{id}", tag="alerts", summary="One rule with its state",
    parameters=RulePath, body=Nothing, answer=RuleAnswer,
)  # fmt: skip
CHANGE_RULE = Operation(
    id="changeRule", method="PUT", path="/alerts/rules/{id}", tag="alerts", summary="Change a rule",
    description="The body is the whole rule; where it has changed since `version`, 409 says the current one.",
    parameters=RulePath, body=RuleChange, answer=RuleAnswer, auth=Auth.WRITE, errors=(404, 409),
    example=RuleChange(**{name: getattr(_SAMPLE, name) for name in RuleFields.__struct_fields__}, version=1),
    max_body=MAX_RULE_BODY,
)  # fmt: skip
DELETE_RULE = Operation(
    id="deleteRule", method="DELETE", path="/alerts/rules/{id}", tag="alerts", summary="Delete a rule",
    description="Its history stays.", parameters=DeleteParameters, body=Nothing, answer=DeletedAnswer,
    auth=Auth.WRITE, errors=(404, 409),
)  # fmt: skip
EXPORT_RULES = Operation(
    id="exportRules", method="GET", path="/alerts/rules/export", tag="alerts", summary="Rules as they can be imported",
    parameters=RulesParameters, body=Nothing, answer=RulesAnswer,
)  # fmt: skip
IMPORT_RULES = Operation(
    id="importRules", method="POST", path="/alerts/rules/import", tag="alerts", summary="Make or change many rules",
    description="A rule whose id is known is changed, whatever its version; all are checked before one is stored.",
    parameters=Nothing, body=Imported, answer=ImportAnswer, auth=Auth.WRITE, idempotent=True, errors=(409,),
    example=Imported(rules=[GivenRule(name="high", metric="price", symbol="BTCUSDT", operator=">", threshold=70_000)]),
    max_body=MAX_IMPORT_BODY,
)  # fmt: skip
SILENCE_RULE = Operation(
    id="silenceRule", method="POST", path="/alerts/rules/{id}/silence", tag="alerts",
    summary="Send nothing for a while",
    parameters=RulePath, body=SilenceBody, answer=RuleAnswer, auth=Auth.WRITE, errors=(404, 409), idempotent=True,
    example=SilenceBody(seconds=3_600),
)  # fmt: skip
TEST_RULE = Operation(
    id="testRule", method="POST", path="/alerts/rules/{id}/test", tag="alerts", summary="Send a test to its channels",
    description="With the values of now, whatever cooldown and silence say. It leaves with the next check.",
    parameters=RulePath, body=Nothing, answer=SentTestAnswer, status=202, auth=Auth.WRITE, idempotent=True,
)  # fmt: skip
BACKTEST = Operation(
    id="backtestRule", method="POST", path="/alerts/backtest", tag="alerts", summary="When would this rule have fired",
    description="The very state machine of the check over stored bars, at most 50,000. Without a start: a day. "
    "The metric comes along in at most 1,000 points, with the extremes of the bars that each stands for.",
    parameters=Nothing, body=BacktestBody, answer=BacktestAnswer, auth=Auth.READ, errors=(404,),
    example=BacktestBody(rule_id="r1"), max_body=MAX_RULE_BODY,
)  # fmt: skip
HISTORY = Operation(
    id="listEvents", method="GET", path="/alerts/history", tag="alerts", summary="What happened, and each delivery",
    description="The newest first.", parameters=HistoryParameters, body=Nothing, answer=HistoryAnswer,
)  # fmt: skip
MONITOR = Operation(
    id="getMonitor", method="GET", path="/alerts/monitor/status", tag="alerts", summary="How the last check went",
    parameters=Nothing, body=Nothing, answer=MonitorAnswer,
)  # fmt: skip
EXAMPLES = Operation(
    id="listExamples", method="GET", path="/alerts/examples", tag="alerts", summary="Rules to begin with",
    parameters=Nothing, body=Nothing, answer=ExamplesAnswer,
)  # fmt: skip
SILENCE_PAGE = Operation(
    id="askSilence", method="GET", path="/alerts/silence", tag="alerts", summary="The page that a mail's link opens",
    description="It asks; reading it changes nothing, since scanners follow links.",
    parameters=LinkParameters, body=Nothing, answer=str, auth=Auth.NONE, cache=Cache.NEVER, media=("text/html",),
    errors=(404,),
)  # fmt: skip
SILENCE_BY_LINK = Operation(
    id="silenceByLink", method="POST", path="/alerts/silence", tag="alerts", summary="What that page's button does",
    parameters=SilenceByLinkParameters, body=Nothing, answer=str, auth=Auth.NONE, media=("text/html",),
    errors=(404, 409),
)  # fmt: skip
OPERATIONS = (
    LIST_RULES, MAKE_RULE, GET_RULE, CHANGE_RULE, DELETE_RULE, EXPORT_RULES, IMPORT_RULES, SILENCE_RULE, TEST_RULE,
    BACKTEST, HISTORY, MONITOR, EXAMPLES, SILENCE_PAGE, SILENCE_BY_LINK,
)  # fmt: skip
