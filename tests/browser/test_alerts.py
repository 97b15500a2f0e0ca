"""The page Alerts, as its reader sees it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.open_page import OpenPage
from tests.browser.stub import NOON, Stub
from tests.browser.stub_alerts import MINUTE, series

pytestmark = pytest.mark.browser
START = (NOON + 25_000) / 1000


def ready(page: Page) -> None:
    page.wait_for_selector(".alerts-page:not(.is-empty)")


def fill(page: Page, **texts: str) -> None:
    for name, text in texts.items():
        page.locator(f".rule-editor [name={name}]").fill(text)


def give_token(page: Page, token: str) -> None:
    page.wait_for_selector("dialog[open]")
    page.get_by_role("textbox", name="Token").fill(token)
    page.get_by_role("button", name="Use it").click()


def problem(page: Page, name: str) -> str:
    return page.locator(f"[data-problem={name}]").inner_text()


def test_a_rule_is_made_with_a_token_that_stays_in_the_tab(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/alerts/?refresh=off", faulty=True, drawn=False) as page:
        ready(page)
        page.get_by_role("button", name="New rule").click()
        fill(page, name="BTC high", symbol="BTCUSDT", threshold="70,000", clear_threshold="69500")
        page.get_by_role("button", name="Add a channel").click()
        page.get_by_label("Kind of channel").select_option("webhook")
        page.get_by_label("Address, topic, chat or URL").fill("https://example.org/hook")
        page.get_by_role("button", name="Save").click()
        give_token(page, "wrong")
        expect(page.locator("dialog [data-part=reason]")).to_contain_text("not accepted")
        give_token(page, stub.alerts.token)
        expect(page.locator("[data-part=said]")).to_have_text("“BTC high” is saved.")
        method, path, body = stub.alerts.written[-1]
        assert (method, path) == ("POST", "/api/alerts/rules")
        assert body == {
            "name": "BTC high", "metric": "price", "symbol": "BTCUSDT", "exchange": "binance", "operator": ">",
            "threshold": 70000, "clear_threshold": 69500, "for_seconds": 0, "recover_seconds": 0,
            "cooldown_seconds": 900, "remind_seconds": 0, "severity": "warning", "enabled": True,
            "channels": [{"type": "webhook", "target": "https://example.org/hook"}], "notify": ["fired", "resolved"],
        }  # fmt: skip
        expect(page.locator(".rules-card tbody tr")).to_have_count(1)
        expect(page.locator(".rules-card .sentence")).to_have_text("Price of BTCUSDT is above 70,000")
        assert page.evaluate("[sessionStorage.length, JSON.stringify(localStorage).includes('sesame')]") == [1, False]
        page.evaluate("sessionStorage.clear()")


def test_without_a_token_nothing_is_sent(open_page: OpenPage, stub: Stub) -> None:
    stub.alerts.add_rule(name="old")
    with open_page("/alerts/?refresh=off", drawn=False) as page:
        ready(page)
        page.get_by_role("button", name="Silence 1 h: old").click()
        page.wait_for_selector("dialog[open]")
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog[open]", state="detached")
        assert stub.alerts.written == []


def test_the_form_says_what_the_contract_says(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/alerts/?new=1&refresh=off", faulty=True, drawn=False) as page:
        ready(page)
        page.locator(".rule-editor [name=metric]").select_option("volume")
        fill(page, name="", symbol="B!", threshold="high", for_seconds="90000", window="1.5")
        page.get_by_role("button", name="Add a channel").click()
        page.get_by_role("button", name="Save").click()
        assert "must be a number" in problem(page, "threshold")
        assert "must be given" in problem(page, "name")
        assert "must be at most 86400" in problem(page, "for_seconds")
        assert "whole number" in problem(page, "window")
        assert "must be given" in problem(page, "channels")
        assert problem(page, "symbol") != ""
        expect(page.locator("[name=name]")).to_be_focused()
        assert stub.alerts.written == []
        page.get_by_role("button", name="Remove this channel").click()
        # A price has no window: what was wrong with it is forgotten.
        page.locator(".rule-editor [name=metric]").select_option("price")
        expect(page.locator("[name=window]")).to_be_hidden()
        fill(page, name="x", symbol="BTCUSDT", threshold="-1", for_seconds="0")
        page.get_by_role("button", name="Save").click()
        give_token(page, stub.alerts.token)
        expect(page.locator("[data-problem=threshold]")).to_have_text("must not be negative")
        page.evaluate("sessionStorage.clear()")


def test_a_backtest_is_drawn_before_the_rule_is_saved(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/alerts/?new=1&refresh=off", drawn=False) as page:
        ready(page)
        fill(page, name="BTC high", symbol="BTCUSDT", threshold="61850.5")
        page.get_by_role("button", name="Backtest").click()
        page.wait_for_selector("[data-chart=backtest][data-points]")
        expect(page.locator("[data-part=backtest-said]")).to_have_text(
            "Over 1 d it would have fired 2 times, for 59 min in all,"
            " and sent 2 notifications (3 without the cooldown)."
        )
        drawn = page.evaluate("""() => {
            const plot = document.querySelector("[data-chart=backtest] [data-part=plot]");
            const of = (name) => plot.data.find((each) => each.name === name).x;
            const shapes = plot.layout.shapes;
            const metric = plot.data.find((each) => each.name === "Metric");
            return {
                time: metric.x, metric: metric.y, labels: plot.layout.annotations.map((each) => each.text),
                sent: of("Sent"), held: of("Held back"), resolved: of("Resolved"),
                shaded: shapes.filter((each) => each.type === "rect").map((each) => [each.x0, each.x1]),
                levels: shapes.filter((each) => each.type === "line").map((each) => each.y0),
            };
        }""")
        fired, curve = NOON - 60 * MINUTE, series(stub.now)
        assert drawn == {
            "time": curve["time"],
            "metric": curve["value"],
            "labels": ["Price of <b>BTCUSDT</b>", "threshold 61,850.5"],
            "sent": [fired],
            "held": [fired + 6 * MINUTE],
            "resolved": [fired + 5 * MINUTE],
            "shaded": [[fired, fired + 5 * MINUTE], [fired + 6 * MINUTE, stub.now]],
            "levels": [61850.5],
        }
        expect(page.locator(".backtest-legend")).to_be_visible()
        expect(page.locator("[data-part=readout]")).to_contain_text(f"{curve['value'][-1]:,.2f}")
        [(method, path, body)] = stub.alerts.written
        assert (method, path, body["rule"]["threshold"]) == ("POST", "/api/alerts/backtest", 61850.5)
        assert stub.alerts.rules == {}


def test_what_is_drawn_is_the_metric_and_the_price_beneath_it(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/alerts/?new=1&refresh=off", drawn=False) as page:
        ready(page)
        page.locator(".rule-editor [name=metric]").select_option("pair_zscore")
        page.locator(".rule-editor [name=operator]").select_option("outside")
        fill(page, name="z", symbol="BTCUSDT", x="ETHUSDT", threshold="61855", clear_threshold="1")
        page.get_by_role("button", name="Backtest").click()
        page.wait_for_selector("[data-chart=backtest][data-points]")
        drawn = page.evaluate("""() => {
            const plot = document.querySelector("[data-chart=backtest] [data-part=plot]");
            return [
                plot.data.map((each) => [each.name, each.yaxis ?? "y"]),
                plot.layout.annotations.map((each) => each.text),
                plot.layout.shapes.filter((each) => each.type === "line").map((each) => each.y0),
            ];
        }""")
        traces, labels, levels = drawn
        assert ["Metric", "y"] in traces
        assert ["Price", "y2"] in traces
        assert labels[:2] == ["Pair z-score of <b>BTCUSDT / ETHUSDT</b>", "Price of BTCUSDT"]
        # Those out of the metric's reach are told at the edge, and do not flatten it.
        assert labels[2:] == ["threshold 61,855", "↓ threshold \u221261,855, clears at 1, clears at \u22121"]
        assert levels == [61855]


def test_a_pair_of_the_pair_page_fills_the_form(open_page: OpenPage, stub: Stub) -> None:
    query = "new=1&name=BTC+z&metric=pair_zscore&symbol=BTCUSDT&x=ETHUSDT&interval=1m&window=120&operator=outside"
    with open_page(f"/alerts/?{query}&threshold=2.5&clear_threshold=0.5&refresh=off", drawn=False) as page:
        ready(page)
        values = {
            name: page.locator(f".rule-editor [name={name}]").input_value()
            for name in ("name", "metric", "symbol", "x", "interval", "window", "operator", "threshold")
        }
        assert values == {
            "name": "BTC z", "metric": "pair_zscore", "symbol": "BTCUSDT", "x": "ETHUSDT", "interval": "1m",
            "window": "120", "operator": "outside", "threshold": "2.5",
        }  # fmt: skip


def test_an_example_fills_the_form(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/alerts/?new=1&refresh=off", drawn=False) as page:
        ready(page)
        expect(page.locator("[name=x]")).to_be_hidden()
        page.get_by_label("Begin with an example").select_option("pair")
        expect(page.locator("[name=x]")).to_have_value("BTCUSDT")
        expect(page.locator("[name=metric]")).to_have_value("pair_zscore")


def test_a_rule_is_changed_silenced_tested_and_deleted(open_page: OpenPage, stub: Stub) -> None:
    stub.alerts.add_rule(name="old", threshold=50_000)
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept()

    with open_page("/alerts/?refresh=off", drawn=False) as page:
        page.on("dialog", agree)
        ready(page)
        page.evaluate("(token) => sessionStorage.setItem('write-token', token)", stub.alerts.token)
        page.get_by_role("button", name="Test: old").click()
        expect(page.locator("[data-part=said]")).to_contain_text("A test of “old” leaves with the next check")
        page.get_by_role("button", name="Silence 1 h: old").click()
        expect(page.locator("[data-part=said]")).to_have_text("“old” sends nothing for an hour.")
        expect(page.locator(".rules-card .reason")).to_contain_text("silenced until")
        page.get_by_role("button", name="End silence: old").click()
        expect(page.locator("[data-part=said]")).to_have_text("“old” sends again.")
        page.get_by_role("button", name="old", exact=True).click()
        expect(page.locator(".rule-editor h2")).to_have_text("Edit “old”")
        assert "rule=r1" in page.url
        fill(page, threshold="55000")
        page.get_by_label("The rule is on").uncheck()
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".rules-card .word")).to_have_text("Off")
        assert stub.alerts.rules["r1"]["threshold"] == 55_000
        page.get_by_role("button", name="old", exact=True).click()
        page.get_by_role("button", name="Delete").click()
        expect(page.locator("[data-part=rules-note]")).to_contain_text("No rule yet")
        assert asked == ["Delete the rule “old”? Its history stays."]
        page.evaluate("sessionStorage.clear()")


def test_a_rule_that_changed_meanwhile_is_not_overwritten(open_page: OpenPage, stub: Stub) -> None:
    stub.alerts.add_rule(name="old")
    with open_page("/alerts/?rule=r1&refresh=off", faulty=True, drawn=False) as page:
        ready(page)
        page.evaluate("(token) => sessionStorage.setItem('write-token', token)", stub.alerts.token)
        stub.alerts.rules["r1"]["version"] = 9
        page.get_by_role("button", name="Save").click()
        expect(page.locator("[data-part=said]")).to_contain_text("changed elsewhere")
        page.evaluate("sessionStorage.clear()")


def test_states_and_history_are_followed(open_page: OpenPage, stub: Stub) -> None:
    rule, other = stub.alerts.add_rule(name="BTC high"), stub.alerts.add_rule(name="other")
    with open_page("/alerts/", clock=START, drawn=False) as page:
        ready(page)
        expect(page.locator("[data-part=history-note]")).to_have_text("Nothing has happened yet.")
        rule["state"] |= {"phase": "firing", "since": stub.now, "value": 60_100.25}
        stub.alerts.add_event(other, "no_data", stub.now - 1000, "suppressed")
        stub.alerts.add_event(rule, "fired", stub.now)
        stub.now += 5000
        with page.expect_response(lambda response: "/history" in response.url):
            page.clock.run_for(5000)
        expect(page.locator(".rules-card tbody tr").first).to_contain_text("Firing")
        expect(page.locator("[data-part=rules-note]")).to_have_text("2 rules, 1 firing")
        rows = page.locator(".history-card tbody tr")
        expect(rows).to_have_count(2)
        expect(rows.first).to_contain_text("webhook: delivered after 2 tries")
        page.locator("[data-part=history-rule]").select_option(label="other")
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text("not sent")
        assert f"of={other['id']}" in page.url


def test_older_history_comes_page_by_page(open_page: OpenPage, stub: Stub) -> None:
    rule = stub.alerts.add_rule(name="BTC high")
    for minute in range(60):
        stub.alerts.add_event(rule, "fired", NOON - (60 - minute) * MINUTE)
    with open_page("/alerts/?refresh=off", drawn=False) as page:
        ready(page)
        rows = page.locator(".history-card tbody tr")
        expect(rows).to_have_count(25)
        page.get_by_role("button", name="Older").click()
        expect(rows).to_have_count(50)
        page.get_by_role("button", name="Older").click()
        expect(rows).to_have_count(60)
        expect(page.get_by_role("button", name="Older")).to_be_hidden()


def test_the_keyboard_alone_makes_a_rule(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/alerts/?refresh=off", drawn=False) as page:
        ready(page)
        page.evaluate("(token) => sessionStorage.setItem('write-token', token)", stub.alerts.token)
        page.get_by_role("button", name="New rule").focus()
        page.keyboard.press("Enter")
        expect(page.locator("[name=name]")).to_be_focused()
        page.keyboard.type("By hand")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.type("BTCUSDT")
        while page.evaluate("document.activeElement.name") != "threshold":
            page.keyboard.press("Tab")
        page.keyboard.type("70000")
        page.keyboard.press("Enter")
        expect(page.locator("[data-part=said]")).to_contain_text("“By hand” is saved.")
        expect(page.get_by_role("button", name="New rule")).to_be_focused()
        page.evaluate("sessionStorage.clear()")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_editor(open_page: OpenPage, axe: str, stub: Stub, theme: str) -> None:
    rule = stub.alerts.add_rule(name="BTC high")
    stub.alerts.add_event(rule, "fired", NOON)
    with open_page(f"/alerts/?rule=r1&theme={theme}&refresh=off", drawn=False) as page:
        ready(page)
        page.get_by_role("button", name="Backtest").click()
        page.wait_for_selector("[data-chart=backtest][data-points]")
        page.evaluate(axe)
        found = page.evaluate("async () => (await axe.run()).violations.map((each) => [each.id, each.nodes[0].html])")
        assert found == []
