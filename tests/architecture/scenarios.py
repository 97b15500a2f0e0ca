"""What each function does in a life: played on any account, so that its policy can be held to it.

A scenario lays out its data unguarded and calls the handler guarded. A function that learns to do something new has
to do it here too, else test_iam says that its new permission is one too many.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import numpy as np
import pytest

from quant.alerting.rules import rule_from
from quant.domain.bar import FROM_EXCHANGE
from quant.domain.interval import HOUR, MINUTE, floor
from quant.domain.market import Instrument, Market
from quant.domain.ports import DirtyMark, Heartbeat, MarketPulse, Watermark
from quant.domain.results import Result
from quant.domain.trade import Trades
from quant.settings import Settings
from quant.storage import codec
from quant.storage.dynamo import DynamoTable
from quant.storage.storage import Storage, open_storage
from quant.storage.table import Item
from tests.architecture.permissions import ACCOUNT, PREFIX, REGION, Guard
from tests.functional.analyse.market import minute_bars, walks
from tests.functional.world import random_trades

MARKET = Market("binance", "BTCUSDT")
# Of a caller who says who he is: then the tokens are read.
WITH_TOKEN = {"headers": {"authorization": "Bearer wrong"}}
SYMBOLS = ("BTCUSDT", "ETHUSDT", "LTCUSDT")
# So many that their scan is more than a page of the cache.
MANY = (*SYMBOLS, *(f"S{number}USDT" for number in range(45)))


class Context:
    """Of an invocation."""

    function_name, memory_limit_in_mb = "quant-test", 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:quant-test"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 45_000


class Refusing:
    """Turns the guard on while a handler runs. What it refuses may end the handler: that has been noted."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @contextmanager
    def on(self) -> Iterator[None]:
        self._guard.on = True
        try:
            yield
        except Exception:
            if not self._guard.refused:
                raise
        finally:
            self._guard.on = False


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def storage() -> Storage:
    return open_storage(Settings.load(), now_ms)


def request(path: str, method: str = "GET", body: Any = None, query: dict[str, str] | None = None,
            **parameters: str) -> dict[str, Any]:  # fmt: skip
    """An event of a REST API."""
    return {
        "resource": path,
        "path": path.format(**parameters),
        "requestContext": {
            "resourcePath": path,
            "httpMethod": method,
            "path": path,
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "httpMethod": method,
        "pathParameters": parameters or None,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "headers": {"accept": "application/json", "content-type": "application/json"},
        "multiValueHeaders": {},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
        "stageVariables": None,
    }


def lay_out_market() -> Trades:
    """A symbol that an ingestor follows, with a quarter of an hour of trades."""
    kept, now = storage(), now_ms()
    trades = random_trades(900, start=now - 15 * MINUTE, mean_ms=900)
    kept.instruments.put([Instrument(MARKET, "BTC", "USDT", 2, 5)])
    kept.ticks.write(
        [chunk for part in np.array_split(np.arange(900), 9) for chunk in codec.pack(MARKET, trades.take(part))]
    )
    last, end = trades.last_id, int(trades.times[-1])
    pulse = MarketPulse(MARKET, last, end, last, end, end, 5, "60000.00")
    kept.heartbeats.put(Heartbeat("1/1", "test", now, "simulated", (pulse,), {"trades": len(trades)}))
    return trades


def lay_out_bars(symbols: Sequence[str] = SYMBOLS) -> None:
    """300 bars of one minute of each symbol."""
    kept, end = storage(), floor(now_ms(), MINUTE)
    for symbol, closes in zip(symbols, walks(len(symbols), 300), strict=True):
        market = Market("binance", symbol)
        kept.instruments.put([Instrument(market, symbol.removesuffix("USDT"), "USDT", 4, 2)])
        bars = minute_bars(closes, end)
        kept.bars.merge(market, bars)
        last = int(bars.last_id[-1])
        kept.bars.advance(Watermark(market, end, last + 1, last, end - 1, True, end))


def play_resample(refusing: Refusing) -> None:
    from resample.handler import handler

    trades = lay_out_market()
    kept = storage()
    chunks = stored_chunks()
    damage(chunks[3])
    # Bars of the exchange that say something else: differences are noted.
    first = floor(int(trades.times[0]), MINUTE)
    other = replace(minute_bars(np.full(15, 1.0), first + 15 * MINUTE, decimals=2), source=np.full(15, FROM_EXCHANGE))
    kept.bars.merge(MARKET, other)
    with refusing.on():
        handler({}, Context())
    damage(chunks[4])
    healed = trades.take(slice(300, 310))
    for chunk in codec.pack(MARKET, healed):
        kept.ticks.mark_dirty(DirtyMark(MARKET, chunk.hour, chunk.first_id, chunk.last_id, chunk.count))
    kept.bars.note_incomplete(MARKET, floor(int(trades.times[600]), MINUTE))
    with refusing.on():
        handler({}, Context())


def stored_chunks() -> list[Item]:
    now = now_ms()
    hours = [f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%dT%H}" for time in (now - HOUR, now)]
    return [item for hour in hours for item in table().query(f"{MARKET.key}#{hour}")]


def damage(chunk: Item) -> None:
    """Bytes that are no chunk, where one was."""
    table().put(replace(chunk, payload=b"\xff" * 20))


def table() -> DynamoTable:
    return DynamoTable(Settings.load().table("tick_data"))


def answered(answer: dict[str, Any]) -> None:
    """A scenario that is refused for its own faults would prove nothing."""
    if answer["statusCode"] not in (200, 201, 202, 503):
        raise ValueError(answer["body"])


def play_analyse(refusing: Refusing) -> None:
    from analyse.handler import handler

    lay_out_market()
    lay_out_bars(MANY)
    with refusing.on():
        handler({}, Context())
        handler(request("/pairs/analyze", query={"y": "ETHUSDT", "x": "BTCUSDT", "lookback": "120"}), Context())
        handler(request("/pairs/analyze") | WITH_TOKEN, Context())


def play_api(refusing: Refusing) -> None:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in alert_environment().items():
            environment.setenv(name, value)
        play_reads(refusing)
        play_rules(refusing)


def play_reads(refusing: Refusing) -> None:
    from analyse.handler import handler as analyse
    from api.app import handler

    lay_out_market()
    lay_out_bars()
    analyse({}, Context())
    with refusing.on():
        for path in ("/health", "/symbols", "/stats", "/pairs/scan", "/pairs/correlation", "/costs"):
            answered(handler(request(path), Context()))
        handler(request("/symbols") | WITH_TOKEN, Context())
        for path in ("/ticks/{symbol}", "/ohlc/{symbol}", "/stats/{symbol}"):
            answered(handler(request(path, symbol="BTCUSDT"), Context()))


def play_rules(refusing: Refusing) -> None:
    """A rule's life as the routes lead it."""
    from api.app import handler

    rule = {"name": "up", "metric": "price", "symbol": "BTCUSDT", "operator": ">", "threshold": 1}
    rule["channels"] = [{"type": "email", "target": "alerts@example.org"}]  # type: ignore[assignment]
    one, bearer = "/alerts/rules/{id}", {"authorization": "Bearer 1:secret", "idempotency-key": "k1"}

    def call(path: str, method: str = "GET", body: Any = None, **more: Any) -> Any:
        event = request(path, method, body, **more)
        event["headers"] |= bearer
        answered(answer := handler(event, Context()))
        return json.loads(answer["body"])

    with refusing.on():
        made = call("/alerts/rules", "POST", rule)["id"]
        for path in ("/alerts/rules", "/alerts/history", "/alerts/monitor/status", "/alerts/examples"):
            call(path)
        # The answer to the first one got lost, and with it what would have told that it was given.
        for key in ("k2", "k3"):
            bearer |= {"idempotency-key": key, "x-request-id": "the-same-request"}
            call("/alerts/rules/{id}/test", "POST", id=made)
        call("/alerts/history")
        call(one, "PUT", rule | {"version": 1, "name": "higher"}, id=made)
        bearer["idempotency-key"] = "k4"
        call("/alerts/rules/{id}/silence", "POST", {"seconds": 60}, id=made)
        call("/alerts/backtest", "POST", {"rule_id": made, "start": now_ms() - 10 * MINUTE})
        call(one, "DELETE", query={"version": "3"}, id=made)


def play_check_alerts(refusing: Refusing) -> None:
    """A rule that fires on every kind of channel, and one whose topic is gone; the second run looks at them again."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in alert_environment().items():
            environment.setenv(name, value)
        from check_alerts.handler import handler

        lay_out_market()
        lay_out_rules()
        with refusing.on():
            handler({}, Context())
            handler({}, Context())


def alert_environment() -> dict[str, str]:
    """Receivers of the account, and peers that refuse every connection."""
    boto3.client("ses").verify_email_identity(EmailAddress="alerts@example.org")
    for name in ("api-tokens", "telegram-token", "webhook-secret"):
        boto3.client("ssm").put_parameter(Name=f"/{PREFIX}/{name}", Value="1:secret", Type="SecureString")
    queue = boto3.client("sqs").create_queue(QueueName=f"{PREFIX}-dead-letters")["QueueUrl"]
    return {
        "SITE_URL": "https://example.org",
        "SES_SENDER": "alerts@example.org",
        "TELEGRAM_URL": "http://127.0.0.1:9",
        "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1:9",
        "ALERT_DEAD_LETTERS": queue,
        "LOCAL_CHANNELS": "email,sns,telegram,webhook",
    }


def lay_out_rules() -> None:
    """A price that is above, a topic that is gone, a p-value that no scan knows."""
    kept, now = storage(), now_ms()
    kept.instruments.put([Instrument(Market("binance", "ETHUSDT"), "ETH", "USDT", 2, 5)])
    topic = boto3.client("sns").create_topic(Name="quant-alerts")["TopicArn"]
    targets = {"email": "me@example.org", "sns": topic, "telegram": "42", "webhook": "http://127.0.0.1:9/hook"}
    channels = [{"type": kind, "target": target} for kind, target in targets.items()]
    gone = [{"type": "sns", "target": f"arn:aws:sns:{REGION}:{ACCOUNT}:gone"}]
    price = {"name": "up", "metric": "price", "symbol": MARKET.symbol, "operator": ">", "threshold": 1}
    rules = [
        price | {"channels": channels},
        price | {"channels": gone},
        {"name": "tied", "metric": "cointegration_pvalue", "symbol": MARKET.symbol, "x": "ETHUSDT", "operator": ">",
         "threshold": 0.5, "notify": ["no_data"], "channels": channels},
    ]  # fmt: skip
    for number, rule in enumerate(rules):
        kept.rules.put(rule_from(rule, f"r{number}", now - 10 * MINUTE), expected=0)
    # A result that an earlier run of analyse has left.
    kept.cache.publish(Result("scan", "1", now, b'{"pairs": []}'))


SCENARIOS: dict[str, Callable[[Refusing], None]] = {
    "ApiFunction": play_api,
    "ResampleFunction": play_resample,
    "AnalyseFunction": play_analyse,
    "CheckAlertsFunction": play_check_alerts,
}
