"""Alerts on a running stack: a rule is made, backtested, fires, and is told of."""

from __future__ import annotations

import re

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from infra.local.tokens import kept_token
from tests.browser.on_the_stack.hearing import Heard, asked, tab_to, trace
from tests.browser.open_page import OpenPage
from tests.integration.conftest import RunningStack

pytestmark = pytest.mark.browser
# A check runs once a minute; then come the flush, the page's refresh and a busy machine.
FIRED_WITHIN = 150_000
CHART = "[data-chart=backtest]"


@pytest.fixture
def token(stack: RunningStack) -> str:
    return kept_token(stack.state_dir)


def ready(page: Page) -> None:
    page.wait_for_selector(".alerts-page:not(.is-empty)")


def fill(page: Page, **texts: str) -> None:
    for name, text in texts.items():
        page.locator(f".rule-editor [name={name}]").fill(text)


def said(page: Page, text: str) -> None:
    expect(page.locator("[data-part=said]")).to_contain_text(text)


def row(page: Page, name: str) -> Locator:
    return page.locator(".rules-card tbody tr", has_text=name)


def test_an_alert_is_made_backtested_fired_and_in_the_history(visit: OpenPage, token: str) -> None:
    with visit("/alerts/?new=1&refresh=5", drawn=False) as page:
        ready(page)
        fill(page, name="BTC above one", symbol="BTCUSDT", threshold="1")
        page.get_by_role("button", name="Add a channel").click()
        page.get_by_label("Address, topic, chat or URL").fill("trader@example.org")
        backtest = page.get_by_role("button", name="Backtest").click
        found = asked(page, "/alerts/backtest", backtest)
        expect(page.locator("[data-part=backtest-said]")).to_contain_text("it would have fired")
        page.wait_for_selector(f"{CHART}[data-points]")
        assert trace(page, "Metric", CHART)["y"] == found["series"]["value"]
        assert trace(page, "Sent", CHART)["x"] == [one["time"] for one in found["events"] if one["kind"] == "fired"]
        page.get_by_role("button", name="Save").click()
        page.get_by_role("textbox", name="Token").fill(token)
        page.get_by_role("button", name="Use it").click()
        said(page, "“BTC above one” is saved.")
        history = page.locator(".history-card tbody")
        expect(history).to_contain_text("email: delivered", timeout=FIRED_WITHIN)
        expect(history.locator("tr").first).to_contain_text("Fired")
        expect(page.locator(".rules-card .word")).to_have_text("Firing")
        page.evaluate("sessionStorage.clear()")


def test_each_field_of_a_rule_reaches_the_api(visit: OpenPage, token: str) -> None:
    with visit("/alerts/?refresh=off", drawn=False) as page:
        ready(page)
        page.evaluate("(token) => sessionStorage.setItem('write-token', token)", token)
        page.get_by_role("button", name="New rule").click()
        page.get_by_label("Begin with an example").select_option(index=1)
        page.locator(".rule-editor [name=metric]").select_option("pair_zscore")
        page.locator(".rule-editor [name=operator]").select_option("outside")
        page.locator(".rule-editor [name=interval]").select_option("5m")
        page.locator(".rule-editor [name=severity]").select_option("critical")
        fill(
            page, name="BNB against BCH", symbol="BNBUSDT", x="BCHUSDT", window="30", threshold="2.5",
            clear_threshold="0.5", for_seconds="300", recover_seconds="600", cooldown_seconds="60",
            remind_seconds="3600", message="{{ name }} is at {{ value }}",
        )  # fmt: skip
        page.get_by_role("button", name="Add a channel").click()
        page.get_by_role("button", name="Add a channel").click()
        page.get_by_role("button", name="Remove this channel").last.click()
        page.get_by_label("Kind of channel").last.select_option("email")
        page.get_by_label("Address, topic, chat or URL").last.fill("trader@example.org")
        for kind in ("Fired", "Resolved", "No data", "Correction"):
            box = page.get_by_role("checkbox", name=kind)
            box.set_checked(not box.is_checked())
        page.get_by_label("The rule is on").uncheck()
        page.get_by_label("Backtest over").select_option("0.5")
        found = asked(page, "/alerts/backtest", page.get_by_role("button", name="Backtest").click)
        page.wait_for_selector(f"{CHART}[data-points]")
        assert trace(page, "Metric", CHART)["y"] == found["series"]["value"]
        page.locator(f"{CHART} [data-part=frame]").press("Home")
        expect(page.locator(f"{CHART} [data-part=readout]")).to_contain_text("Pair z-score")
        for name in ("Zoom in", "Zoom in", "Earlier", "Later", "Zoom out", "All"):
            page.get_by_role("button", name=name, exact=True).click()
        rule = asked(page, "/alerts/rules", page.get_by_role("button", name="Save").click)
        said(page, "“BNB against BCH” is saved.")
        kept = {
            "metric": "pair_zscore", "operator": "outside", "interval": "5m", "severity": "critical",
            "symbol": "BNBUSDT", "x": "BCHUSDT", "window": 30, "threshold": 2.5, "clear_threshold": 0.5,
            "for_seconds": 300, "recover_seconds": 600, "cooldown_seconds": 60, "remind_seconds": 3600,
            "message": "{{ name }} is at {{ value }}", "enabled": False, "notify": ["no_data", "correction"],
        }  # fmt: skip
        assert {name: rule[name] for name in kept} == kept
        expect(row(page, "BNB against BCH").locator(".word")).to_have_text("Off")
        page.evaluate("sessionStorage.clear()")


def test_a_rule_is_changed_silenced_tested_and_deleted(visit: OpenPage, stack: RunningStack, token: str) -> None:
    rule = make(stack, token, "steered")
    with visit("/alerts/?refresh=5", drawn=False) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        ready(page)
        page.get_by_role("button", name="Silence 1 h: steered").click()
        page.locator(".token-dialog").get_by_role("button", name="Cancel").click()
        expect(page.locator(".token-dialog")).to_be_hidden()
        page.evaluate("(token) => sessionStorage.setItem('write-token', token)", token)
        page.get_by_role("button", name="Silence 1 h: steered").click()
        said(page, "“steered” sends nothing for an hour.")
        page.get_by_role("button", name="End silence: steered").click()
        said(page, "“steered” sends again.")
        page.get_by_role("button", name="Test: steered").click()
        said(page, "A test of “steered” leaves with the next check, to 1 channel")
        send_tests(stack, token, rule, 26)
        page.locator("[data-part=history-rule]").select_option(rule)
        events = page.locator(".history-card tbody tr")
        expect(events).to_have_count(25)
        page.get_by_role("button", name="Older").click()
        expect(events).to_have_count(27)
        page.get_by_role("button", name="steered", exact=True).click()
        page.get_by_role("button", name="Cancel", exact=True).click()
        expect(page.locator(".rule-editor")).to_be_hidden()
        page.get_by_role("button", name="steered", exact=True).click()
        fill(page, threshold="2,000,000")
        page.get_by_role("button", name="Save").click()
        said(page, "“steered” is saved.")
        expect(row(page, "steered").locator(".sentence")).to_contain_text("is above 2,000,000")
        page.get_by_role("button", name="steered", exact=True).click()
        page.get_by_role("button", name="Delete").click()
        said(page, "“steered” is deleted.")
        page.select_option("[name=refresh]", "30")
        page.evaluate("sessionStorage.clear()")


def test_a_rule_is_made_by_keys_alone(visit: OpenPage, token: str) -> None:
    heard = Heard()
    with visit("/alerts/?refresh=off", before=heard, drawn=False) as page:
        ready(page)
        tab_to(page, page.get_by_role("button", name="New rule"))
        page.keyboard.press("Enter")
        expect(page.locator("[name=name]")).to_be_focused()
        page.keyboard.type("By keys")
        for name, text in (("symbol", "ETHUSDT"), ("threshold", "900000")):
            tab_to(page, page.locator(f".rule-editor [name={name}]"))
            page.keyboard.type(text)
        tab_to(page, page.get_by_role("button", name="Add a channel"))
        page.keyboard.press("Enter")
        page.keyboard.type("trader@example.org")
        page.keyboard.press("Enter")
        expect(page.get_by_role("textbox", name="Token")).to_be_focused()
        page.keyboard.type(token)
        page.keyboard.press("Enter")
        said(page, "“By keys” is saved.")
        page.evaluate("sessionStorage.clear()")
    assert heard.count["/alerts/rules"] >= 1


def test_what_the_api_refuses_is_said_beside_its_field(visit: OpenPage, token: str) -> None:
    with visit("/alerts/?new=1&refresh=off", drawn=False, faulty=True) as page:
        ready(page)
        page.evaluate("(token) => sessionStorage.setItem('write-token', token)", token)
        fill(page, name="gone", symbol="GONEUSDT", threshold="1")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("[data-problem=symbol]")).to_contain_text(re.compile("is not followed"))
        page.evaluate("sessionStorage.clear()")


def make(stack: RunningStack, token: str, name: str) -> str:
    body = {"name": name, "metric": "price", "symbol": "ETHUSDT", "operator": ">", "threshold": 1_000_000,
            "channels": [{"type": "email", "target": "trader@example.org"}]}  # fmt: skip
    reply = requests.post(f"{stack.url}/api/alerts/rules", json=body, headers=bearer(token), timeout=20)
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


def send_tests(stack: RunningStack, token: str, rule: str, count: int) -> None:
    for _ in range(count):
        url = f"{stack.url}/api/alerts/rules/{rule}/test"
        assert requests.post(url, headers=bearer(token), timeout=20).status_code == 202


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
