"""The alert routes over a market in memory."""

from __future__ import annotations

from typing import Any

import pytest

from api.chalicelib.alert_service import Alerts
from api.chalicelib.routes import create_app
from api.chalicelib.service import MarketData
from quant.alert_link import rule_of, silence_token
from quant.alerting.examples import EXAMPLES
from quant.contract.alerts import RuleFields
from quant.contract.catalogue import LIGHT
from quant.domain.alert import Channel
from quant.domain.interval import DAY, HOUR, SECOND
from quant.errors import RequestError, ValidationError
from quant.http.gate import Gate
from quant.http.keys import KeyRing
from tests.functional.alerts.world import BTC, ETH, MAIL, START, AlertWorld
from tests.functional.api.client import Client, Reply

TOKEN = "a-token-of-the-tests"
RULE = {"name": "high", "metric": "price", "symbol": "BTCUSDT", "operator": ">", "threshold": 110, "channels": [MAIL]}
PAIR = {"name": "apart", "metric": "pair_zscore", "symbol": "ETHUSDT", "x": "BTCUSDT", "operator": ">", "threshold": 1}


class Platform:
    """The API with a token, over a world."""

    def __init__(self) -> None:
        self.world = AlertWorld()
        self.world.follow(BTC, ETH)
        self.keys = KeyRing(lambda: (TOKEN,))
        data = MarketData(self.world.storage, {}, 7 * DAY, "1.2.3")
        self.app = create_app(
            lambda: data,
            lambda: self.world.now,
            lambda: Gate(self.keys),
            lambda: Alerts(self.world.storage, self.verify),
        )
        self.client = Client(self.app, LIGHT, TOKEN)
        self.stranger = Client(self.app, LIGHT)

    def verify(self, channel: Channel, field: str) -> None:
        if channel.target == "unverified@example.org":
            raise ValidationError(field, "is not verified in SES: verify it")

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        return self.client.post(path, body, **headers)

    def make(self, **changes: Any) -> dict[str, Any]:
        reply = self.post("/alerts/rules", RULE | changes)
        assert reply.status == 201, reply.text
        made: dict[str, Any] = reply.plain
        return made


@pytest.fixture
def api() -> Platform:
    return Platform()


def test_a_rule_is_made_read_changed_and_deleted(api: Platform) -> None:
    made = api.make()
    assert (made["version"], made["revision"], made["interval"], made["window"]) == (1, 1, "1s", 1)
    assert made["state"]["phase"] == "ok"
    assert api.client.get(f"/alerts/rules/{made['id']}").plain == made
    path = f"/alerts/rules/{made['id']}"
    api.world.now += SECOND
    named = api.client.request("PUT", path, body=made | {"name": "higher"}).plain
    assert (named["name"], named["version"], named["revision"], named["revised_at"]) == ("higher", 2, 1, START)
    moved = api.client.request("PUT", path, body=named | {"threshold": 120}).plain
    assert (moved["version"], moved["revision"], moved["revised_at"]) == (3, 2, START + SECOND)
    listed = api.client.get("/alerts/rules").plain
    assert (listed["total"], listed["rules"], listed["next_cursor"]) == (1, [moved], None)
    assert api.client.request("DELETE", path, query={"version": 3}).plain == {"deleted": made["id"]}
    assert api.client.get(path).status == 404


def test_a_change_of_what_has_changed_is_a_conflict_that_names_the_version(api: Platform) -> None:
    made = api.make()
    path = f"/alerts/rules/{made['id']}"
    assert api.client.request("PUT", path, body=made | {"name": "one"}).status == 200
    for reply in (
        api.client.request("PUT", path, body=made | {"name": "two"}),
        api.client.request("DELETE", path, query={"version": 1}),
    ):
        assert (reply.status, reply.error["code"], reply.error["current"]) == (409, "conflict", 2)


def test_writes_need_a_token_and_reads_do_not(api: Platform) -> None:
    made = api.make()
    path = f"/alerts/rules/{made['id']}"
    refused = [
        api.stranger.post("/alerts/rules", RULE),
        api.stranger.request("PUT", path, body=made),
        api.stranger.request("DELETE", path, query={"version": 1}),
        api.stranger.post(f"{path}/test", None),
        api.stranger.post(f"{path}/silence", {"seconds": 60}),
        api.stranger.post("/alerts/rules/import", {"rules": [RULE]}),
    ]
    assert {reply.status for reply in refused} == {401}
    taken = [path, "/alerts/rules", "/alerts/history", "/alerts/monitor/status", "/alerts/examples"]
    assert {api.stranger.get(one).status for one in [*taken, "/alerts/rules/export"]} == {200}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metric": "mood"}, "metric"),
        ({"operator": "~"}, "operator"),
        ({"operator": "outside"}, "operator"),
        ({"symbol": "GONEUSDT"}, "symbol"),
        ({"symbol": "!"}, "symbol"),
        ({"name": ""}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"threshold": None}, "threshold"),
        ({"threshold": "high"}, "threshold"),
        ({"threshold": 1e20}, "threshold"),
        ({"clear_threshold": 120}, "clear_threshold"),
        ({"interval": "2m"}, "interval"),
        ({"window": 2}, "window"),
        ({"x": "ETHUSDT"}, "x"),
        ({"metric": "spread"}, "x"),
        ({"metric": "spread", "x": "BTCUSDT"}, "x"),
        ({"metric": "spread", "x": "GONEUSDT"}, "x"),
        ({"for_seconds": -1}, "for_seconds"),
        ({"remind_seconds": 30}, "remind_seconds"),
        ({"notify": ["everything"]}, "notify[0]"),
        ({"severity": "deadly"}, "severity"),
        ({"channels": [{"type": "pigeon", "target": "x"}]}, "channels[0].type"),
        ({"channels": [{"type": "email", "target": "nobody"}]}, "channels[0].target"),
        ({"channels": [MAIL, MAIL]}, "channels[1]"),
        ({"channels": [MAIL] * 11}, "channels"),
        ({"channels": [{"type": "email", "target": "unverified@example.org"}]}, "channels[0].target"),
        ({"message": "{{ mood }}"}, "message"),
        ({"message": "{% for i in range(9) %}{% endfor %}"}, "message"),
        ({"message": "{{ 'a' * 1000000000 }}"}, "message"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_a_rule_is_refused_with_its_field(api: Platform, change: dict[str, Any], field: str) -> None:
    reply = api.post("/alerts/rules", RULE | change)
    assert (reply.status, reply.error["code"]) == (422, "invalid_parameter"), reply.text
    assert reply.error["field"] == field, reply.text
    assert len(reply.error["message"]) > len(field) + 5
    assert api.client.get("/alerts/rules").plain["total"] == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"operator": "<", "threshold": -1}, "can never fire"),
        ({"operator": ">=", "threshold": 0}, "always holds"),
        ({"metric": "correlation", "x": "ETHUSDT", "threshold": 1}, "can never fire"),
        ({"metric": "pair_zscore", "x": "ETHUSDT", "operator": "outside", "threshold": 8}, "can never fire"),
        ({"metric": "cointegration_pvalue", "x": "ETHUSDT", "threshold": 1.5}, "can never fire"),
        ({"operator": ">", "threshold": 110}, "may flap"),
        ({"channels": []}, "nobody is told"),
        ({"remind_seconds": 60, "notify": []}, "none will come"),
    ],
)
def test_what_is_hardly_meant_is_made_with_a_warning(api: Platform, change: dict[str, Any], words: str) -> None:
    assert any(words in warning for warning in api.make(**change)["warnings"])


def test_a_calm_rule_has_no_warnings(api: Platform) -> None:
    assert api.make(clear_threshold=105)["warnings"] == []


def test_a_repeated_request_makes_one_rule(api: Platform) -> None:
    first = api.post("/alerts/rules", RULE, Idempotency_Key="abc")
    again = api.post("/alerts/rules", RULE, Idempotency_Key="abc")
    assert (again.status, again.plain, again.headers["Idempotent-Replayed"]) == (201, first.plain, "true")
    assert api.client.get("/alerts/rules").plain["total"] == 1
    other = api.post("/alerts/rules", RULE | {"name": "other"}, Idempotency_Key="abc")
    assert (other.status, other.error["field"]) == (409, "Idempotency-Key")


def test_a_rule_whose_answer_was_never_kept_is_found_again(api: Platform) -> None:
    alerts = Alerts(api.world.storage)
    given = RuleFields(name="high", metric="price", symbol="BTCUSDT", operator=">", threshold=1)
    first = alerts.make(given, "key", START)
    assert alerts.make(given, "key", START + SECOND) == first
    assert len(api.world.storage.rules.all()) == 1


def test_rules_come_in_pages(api: Platform) -> None:
    ids = sorted(api.make(name=f"rule {number}")["id"] for number in range(7))
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = api.client.get("/alerts/rules", **query).plain
        seen += [rule["id"] for rule in page["rules"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == ids


def test_what_is_exported_can_be_imported(api: Platform) -> None:
    for one in EXAMPLES:
        api.make(**one["rule"])
    exported = api.client.get("/alerts/rules/export", limit=1_000).plain["rules"]
    other = Platform()
    done = other.post("/alerts/rules/import", {"rules": exported})
    assert (done.status, done.plain["created"], done.plain["updated"]) == (200, len(EXAMPLES), 0), done.text
    again = other.post("/alerts/rules/import", {"rules": exported})
    assert (again.plain["created"], again.plain["updated"]) == (0, len(EXAMPLES))
    moving = {"created_at", "updated_at", "revised_at", "version"}
    plain = [{name: one[name] for name in one.keys() - moving} for one in exported]
    found = other.client.get("/alerts/rules/export", limit=1_000).plain["rules"]
    assert [{name: one[name] for name in one.keys() - moving} for one in found] == plain


def test_of_a_bad_import_nothing_is_stored(api: Platform) -> None:
    reply = api.post("/alerts/rules/import", {"rules": [RULE, RULE | {"threshold": None}]})
    assert (reply.status, reply.error["field"]) == (422, "rules[1].threshold")
    reply = api.post("/alerts/rules/import", {"rules": [RULE, RULE | {"clear_threshold": 200}]})
    assert (reply.status, reply.error["field"]) == (422, "rules[1].clear_threshold")
    assert api.client.get("/alerts/rules").plain["total"] == 0


def test_every_example_can_be_made(api: Platform) -> None:
    found = api.client.get("/alerts/examples").plain["examples"]
    assert {one["id"] for one in found} >= {
        "pair-entry", "pair-exit", "price-cross", "volume-spike", "volatility-regime", "correlation-break",
        "cointegration-lost", "stale-feed",
    }  # fmt: skip
    for one in found:
        warnings = api.make(**one["rule"])["warnings"]
        assert not [warning for warning in warnings if "never" in warning or "always" in warning], one["id"]


def test_a_silenced_rule_sends_nothing_until_then(api: Platform) -> None:
    made = api.make()
    silent = api.post(f"/alerts/rules/{made['id']}/silence", {"seconds": 3_600}).plain
    assert (silent["silenced_until"], silent["version"], silent["revision"]) == (START + HOUR, 2, 1)
    api.world.trade(BTC, [120] * 60)
    api.world.check(61)
    (event,) = api.client.get("/alerts/history").plain["events"]
    assert [(one["status"], one["error"]) for one in event["deliveries"]] == [("suppressed", "silenced")]
    loud = api.post(f"/alerts/rules/{made['id']}/silence", {"seconds": 0}).plain
    assert loud["silenced_until"] == 0


def test_a_mails_link_asks_first_and_then_silences(api: Platform) -> None:
    made = api.make(name="<b>high</b>")
    token = silence_token(api.keys, made["id"], api.world.now)
    page = api.stranger.get("/alerts/silence", token=token)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "&lt;b&gt;high&lt;/b&gt;" in page.text
    assert "<b>" not in page.text
    assert f'method="post" action="silence?token={token}&amp;hours=4"' in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert api.client.get(f"/alerts/rules/{made['id']}").plain["silenced_until"] == 0
    done = api.stranger.request("POST", "/alerts/silence", query={"token": token, "hours": 4}, body="hours=4")
    assert done.status == 200, done.text
    assert api.client.get(f"/alerts/rules/{made['id']}").plain["silenced_until"] == START + 4 * HOUR


def test_a_link_that_is_not_ours_or_too_old_silences_nothing(api: Platform) -> None:
    made = api.make()
    token = silence_token(api.keys, made["id"], api.world.now)
    forged = silence_token(KeyRing(lambda: ("other",)), made["id"], api.world.now)
    for bad in (forged, token[:-2] + "xx", "A" * 40):
        assert api.stranger.get("/alerts/silence", token=bad).error["field"] == "token"
    api.world.now += 9 * DAY
    assert api.stranger.get("/alerts/silence", token=token).status == 404


def test_an_api_without_a_token_gives_and_takes_no_links() -> None:
    none = KeyRing(lambda: ())
    assert silence_token(none, "r1", START) == ""
    with pytest.raises(RequestError):
        rule_of(none, "c2lnbmVkIHdvcmQ", START)


def test_a_test_is_in_the_outbox_with_the_values_of_now(api: Platform) -> None:
    made = api.make(cooldown_seconds=3_600, message="{{ symbol }} at {{ value|number }}")
    api.world.trade(BTC, [120] * 60)
    api.world.at(61)
    reply = api.post(f"/alerts/rules/{made['id']}/test", None)
    assert reply.status == 202, reply.text
    sent = reply.plain
    assert (sent["value"], sent["would_fire"], sent["message"]) == (120, True, "BTCUSDT at 120.00")
    assert sent["title"] == "test: high"
    (waiting,) = api.world.storage.alerts.due(api.world.now, 10)
    assert (waiting.event_id, waiting.channel.target) == (sent["event_id"], "me@example.org")
    assert api.world.storage.alerts.state(made["id"]) is None
    assert api.client.get("/alerts/history").plain["events"][0]["kind"] == "test"
    assert api.post("/alerts/rules/none/test", None).status == 404


def test_a_test_that_is_asked_for_twice_is_sent_once(api: Platform) -> None:
    made = api.make()
    first = api.post(f"/alerts/rules/{made['id']}/test", None, X_Request_Id="same-request")
    api.world.now += SECOND
    again = api.post(f"/alerts/rules/{made['id']}/test", None, X_Request_Id="same-request")
    assert first.plain["event_id"] == again.plain["event_id"]
    assert len(api.world.storage.alerts.due(api.world.now, 10)) == 1


def test_the_history_shows_each_delivery_and_comes_in_pages(api: Platform) -> None:
    made = api.make()
    api.make(name="other", threshold=115)
    api.world.trade(BTC, [100, 120] * 30)
    api.world.check(61)
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 7, "rule_id": made["id"]}
    while True:
        page = api.client.get("/alerts/history", **query).plain
        seen += [event["id"] for event in page["events"]]
        assert {event["rule_id"] for event in page["events"]} == {made["id"]}
        assert all(len(event["deliveries"]) == 1 for event in page["events"])
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert sorted(seen) == sorted(event.id for event in api.world.events(made["id"]))
    assert len(set(seen)) == 58
    assert api.client.get("/alerts/history", end=START).plain["events"] == []
    assert api.client.get("/alerts/history", start=START, end=START).status == 422


def test_the_monitors_status_is_that_of_the_last_run(api: Platform) -> None:
    before = api.client.get("/alerts/monitor/status").plain
    assert (before["healthy"], before["last_run"], before["next_run"]) == (False, None, None)
    api.make()
    api.world.trade(BTC, [120] * 60)
    api.world.check(61)
    told = api.client.get("/alerts/monitor/status").plain
    assert (told["healthy"], told["duration_ms"], told["fired"], told["rules"]) == (True, 40, 1, 1)
    assert told["next_run"] == told["last_run"] + 60_000
    assert told["evaluated_until"] == {"binance:BTCUSDT@1s": START + 59_000}
    api.world.now += 5 * 60_000
    late = api.client.get("/alerts/monitor/status").plain
    assert (late["healthy"], late["next_run"]) == (False, api.world.now)


def test_a_backtest_finds_what_the_check_recorded_event_for_event(api: Platform) -> None:
    made = api.make(for_seconds=2, clear_threshold=105, cooldown_seconds=60)
    prices = [100, 112, 113, 114, 108, 104, 111, 112, 101, 101] * 60
    for minute in range(10):
        api.world.trade(BTC, prices[60 * minute : 60 * minute + 60], first=60 * minute)
        api.world.check(60 * minute + 61)
    recorded = [(event.id, event.kind.value, event.time, event.value) for event in api.world.events()]
    reply = api.stranger.post("/alerts/backtest", {"rule_id": made["id"], "start": START})
    assert reply.status == 200, reply.text
    found = reply.plain
    assert [(one["id"], one["kind"], one["time"], one["value"]) for one in found["events"]] == recorded
    assert (found["fired"], found["resolved"]) == (60, 60)
    sent = [one for event in api.world.events() for one in api.world.storage.alerts.deliveries(event.id)]
    assert found["notifications"] == sum(one.status == "pending" for one in sent)
    assert found["notifications_without_cooldown"] == 120 > 10 * found["notifications"]
    assert found["firings"][0] == {"start": START + 3_000, "end": START + 5_000, "seconds": 2.0, "value": 114}
    assert found["firing_seconds"] == sum(one["seconds"] for one in found["firings"])
    assert (found["bars"], found["unknown_bars"]) == (599, 0)
    series = found["series"]
    assert (series["step"], series["time"]) == (1_000, [START + 1_000 * place for place in range(599)])
    assert series["value"] == series["low"] == series["high"] == prices[:599]


def test_a_backtest_brings_the_metric_along_not_the_price(api: Platform) -> None:
    api.world.trade(BTC, [100] * 120 + [110] * 60)
    api.world.at(240)
    rule = RULE | {"metric": "change", "interval": "1m", "window": 1, "operator": ">", "threshold": 5}
    series = api.stranger.post("/alerts/backtest", {"rule": rule, "start": START}).plain["series"]
    known = [(time, value) for time, value in zip(series["time"], series["value"], strict=True) if value is not None]
    # From 100 to 100, and from 100 to 110.
    assert series["step"] == 60_000
    assert (START + 60_000, 0) in known
    assert dict(known)[START + 120_000] == pytest.approx(10)


def test_a_rule_can_be_tried_before_it_is_made(api: Platform) -> None:
    api.world.trade(BTC, [100] * 30 + [120] * 30)
    api.world.at(61)
    found = api.stranger.post("/alerts/backtest", {"rule": RULE}).plain
    assert found["end"] - found["start"] > 13 * HOUR
    found = api.stranger.post("/alerts/backtest", {"rule": RULE, "start": START}).plain
    assert [(one["kind"], one["time"]) for one in found["events"]] == [("fired", START + 30_000)]
    assert found["firings"][0]["end"] is None
    assert api.client.get("/alerts/rules").plain["total"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "rule"),
        ({"rule": RULE | {"threshold": None}}, "rule.threshold"),
        ({"rule": RULE | {"clear_threshold": 200}}, "rule.clear_threshold"),
        ({"rule": RULE | {"metric": "staleness", "clear_threshold": None}}, "rule.metric"),
        ({"rule": PAIR | {"metric": "cointegration_pvalue"}}, "rule.metric"),
        ({"rule": RULE | {"symbol": "GONEUSDT"}}, "rule.symbol"),
        ({"rule": RULE, "start": START + DAY}, "start"),
        ({"rule": RULE, "start": 0}, "start"),
    ],
)
def test_a_backtest_that_cannot_be_made_is_refused(api: Platform, body: dict[str, Any], field: str) -> None:
    reply = api.stranger.post("/alerts/backtest", body)
    assert (reply.status, reply.error["field"]) == (422, field), reply.text


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"metric": "staleness", "operator": "crosses_above"}, "crosses_above needs the reading before"),
        (
            PAIR | {"metric": "cointegration_pvalue", "operator": "crosses_below"},
            "crosses_below needs the reading before",
        ),
        ({"operator": "outside"}, "outside is for metrics that have a sign"),
    ],
)
def test_an_operator_that_a_metric_cannot_have_is_refused_with_the_reason(
    api: Platform, changes: dict[str, Any], problem: str
) -> None:
    reply = api.post("/alerts/rules", RULE | changes)
    assert (reply.status, reply.error["field"]) == (422, "operator"), reply.text
    assert problem in reply.error["message"]


def test_a_stored_rule_without_a_past_is_refused_by_the_name_it_was_asked_by(api: Platform) -> None:
    made = api.make(metric="staleness", threshold=120)
    reply = api.stranger.post("/alerts/backtest", {"rule_id": made["id"]})
    assert (reply.status, reply.error["field"]) == (422, "rule_id"), reply.text
    assert "staleness is not kept" in reply.error["message"]
