"""What the function reports, and where its messages lead."""

from __future__ import annotations

import json

import pytest

from check_alerts.delivery import DeliveryReport
from check_alerts.handler import TELEMETRY, figures
from check_alerts.links import links_of
from quant.alert_link import VALID_FOR, rule_of, silence_token
from quant.domain.alert import AlertEvent, CheckReport, EventKind
from quant.domain.interval import DAY, MINUTE
from quant.domain.market import Market
from quant.http.keys import KeyRing
from tests.functional.alerts.world import BTC, ETH, START


def event(market: Market = BTC, x: Market | None = None) -> AlertEvent:
    return AlertEvent(
        id="e1", kind=EventKind.FIRED, rule_id="r1", revision=1, rule_name="high", severity="warning", metric="price",
        market=market, x=x, time=START, recorded_at=START, value=1.0, threshold=1.0, readings={}, market_kind="live",
        title="high", message="high",
    )  # fmt: skip


def test_a_check_is_one_line_with_its_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    report = figures(
        CheckReport(START, START + 40, rules=7, fired=2, errors={"r1": "gone"}, evaluated_until={"a": 1}),
        DeliveryReport(due=3, delivered=2, failed=1),
    )
    assert report["rules"] == 7
    assert (report["rule_errors"], report["messages_delivered"], report["messages_failed"]) == (1, 2, 1)
    capsys.readouterr()
    TELEMETRY.report("checked", **report)
    line = json.loads(capsys.readouterr().out)
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert (described["Namespace"], described["Dimensions"]) == ("Quant/Alerts", [[]])
    assert {one["Name"]: line[one["Name"]] for one in described["Metrics"]} == {
        "rule_errors": [1], "messages_failed": [1],
    }  # fmt: skip
    assert (line["event"], line["rules"], line["fired"]) == ("checked", 7, 2)


def test_a_message_leads_to_its_chart_and_to_the_page_that_asks() -> None:
    site = "https://example.org"
    found = links_of(site, event(), lambda rule_id: f"word-for-{rule_id}")
    assert [one.url for one in found] == [
        f"{site}/?exchange=binance&symbol=BTCUSDT",
        f"{site}/api/alerts/silence?token=word-for-r1",
    ]
    pair = links_of(site, event(ETH, BTC), lambda rule_id: "")
    assert [one.url for one in pair] == [f"{site}/pairs/?y=binance:ETHUSDT&x=binance:BTCUSDT"]
    assert links_of("", event(), lambda rule_id: "word") == ()


def test_the_link_of_a_repeated_message_is_the_same_and_ends() -> None:
    keys = KeyRing(lambda: ("token",))
    word = silence_token(keys, "r1", START)
    assert silence_token(keys, "r1", START + MINUTE) == word
    assert rule_of(keys, word, START + VALID_FOR) == "r1"
    assert silence_token(keys, "r1", START + DAY) != word
    assert silence_token(keys, "r2", START) != word
