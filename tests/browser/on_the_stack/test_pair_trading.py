"""Pair Trading on a running stack."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.on_the_stack.hearing import RANGE, Heard, asked, path_of, tab_to, trace, wait_for_trace
from tests.browser.open_page import OpenPage

pytestmark = pytest.mark.browser
PAIR = "/pairs/?y=BNBUSDT&x=BCHUSDT&lookback=360&refresh=off"
CHART = "[data-chart=pair]"


def drawn(page: Page) -> None:
    page.wait_for_selector(".pane-chart[data-points]")


def test_the_pair_is_the_analysis_of_the_api(visit: OpenPage) -> None:
    heard = Heard()
    with visit(PAIR, before=heard, drawn=False) as page:
        drawn(page)
        answer = heard.last("/pairs/analyze")
        series = answer["series"]
        assert trace(page, "Spread", CHART)["x"] == series["time"]
        for name, column in (
            ("Spread", "spread"), ("z-score", "rolling_zscore"), ("Correlation", "rolling_correlation"),
            ("Hedge ratio", "rolling_hedge_ratio"),
        ):  # fmt: skip
            assert trace(page, name, CHART)["y"] == series[column], name
        points = trace(page, "Bars", ".pair-scatter")
        assert [points["x"], points["y"]] == [series["x"], series["y"]]
        expect(page.locator("[data-part=verdict]")).to_have_text(answer["engle_granger"]["verdict"])


def test_each_choice_is_a_question_and_its_answer_is_drawn(visit: OpenPage) -> None:
    with visit(PAIR, drawn=False) as page:
        drawn(page)
        form = page.locator(".pair-controls")

        def answered(name: str, value: str, text: str = "") -> None:
            field = form.locator(f"[name={name}]")
            is_choice = field.evaluate("(node) => node.tagName === 'SELECT'")
            act = (lambda: field.select_option(value)) if is_choice else (lambda: type_in(value))

            def type_in(text: str) -> None:
                field.fill(text)
                field.press("Enter")

            answer = asked(page, "/pairs/analyze", act, **{name: text or value})
            wait_for_trace(page, "z-score", "y", answer["series"]["rolling_zscore"], CHART)

        for interval in ("5m", "15m", "1m"):
            choose = page.get_by_role("radio", name=interval, exact=True).check
            answer = asked(page, "/pairs/analyze", choose, interval=interval)
            wait_for_trace(page, "Spread", "x", answer["series"]["time"], CHART)
        answered("lookback", "720")
        answered("window", "120")
        page.get_by_text("Rule and method").click()
        for method in ("tls", "huber", "kalman", "ols"):
            answered("method", method)
        answered("transform", "log")
        answered("fill", "previous")
        answered("entry", "1.5")
        answered("exit", "0.2")
        answered("stop", "3.5")
        answered("cost", "0.05", "0.0005")
        assert parse_qs(urlsplit(page.url).query)["transform"] == ["log"]
        page.select_option("[name=refresh]", "30")
        expect(page.locator(".status-line")).to_contain_text("every 30 s")


def test_too_few_bars_are_said(visit: OpenPage) -> None:
    with visit(PAIR, drawn=False, faulty=True) as page:
        drawn(page)
        # Of a day there are 24 hours, and 30 are needed.
        page.get_by_role("radio", name="1h", exact=True).check()
        expect(page.locator(".empty-state")).to_contain_text("Too few bars for this pair")


def test_pairs_are_searched_swapped_and_suggested(visit: OpenPage) -> None:
    with visit(PAIR, drawn=False) as page:
        drawn(page)
        for name, text, symbol in (("y", "eth", "ETHUSDT"), ("x", "btc", "BTCUSDT")):
            field = page.locator(f"[name={name}]")
            field.fill(text)
            asked(page, "/pairs/analyze", lambda field=field: field.press("Enter"), **{name: f"binance:{symbol}"})
        swap = page.get_by_role("button", name="Swap the two symbols").click
        asked(page, "/pairs/analyze", swap, y="binance:BTCUSDT", x="binance:ETHUSDT")
        expect(page.locator(".pair-title")).to_have_text("BTCUSDT / ETHUSDT")
        other = page.locator(".pair-suggestions button[aria-pressed=false]").first
        expect(other).to_be_visible(timeout=30_000)
        title = other.locator("strong").inner_text().removeprefix("✓ ")
        other.click()
        expect(page.locator(".pair-title")).to_have_text(title)
        expect(page.locator("[data-part=admission] li")).to_have_count(4)


def test_a_pair_becomes_an_alert_and_its_zoom_a_url(visit: OpenPage) -> None:
    with visit(PAIR, drawn=False) as page:
        drawn(page)
        for name in ("Zoom in", "Zoom in", "Earlier", "Later", "Zoom out"):
            page.get_by_role("button", name=name).click()
        page.wait_for_url(lambda url: "from=" in url)
        zoomed, path = page.evaluate(RANGE), path_of(page, visit)
        page.get_by_role("button", name="All").click()
        page.wait_for_url(lambda url: "from=" not in url)
        page.get_by_role("link", name="Make an alert of this").click()
        page.wait_for_selector(".alerts-page.is-editing")
        values = {
            name: page.locator(f".rule-editor [name={name}]").input_value()
            for name in ("metric", "symbol", "x", "window")
        }
        assert values == {"metric": "pair_zscore", "symbol": "BNBUSDT", "x": "BCHUSDT", "window": "60"}
    with visit(path, drawn=False) as page:
        drawn(page)
        assert page.evaluate(RANGE) == zoomed


def test_a_pair_is_analysed_by_keys_alone(visit: OpenPage) -> None:
    with visit(PAIR, drawn=False) as page:
        drawn(page)
        tab_to(page, page.locator("[name=y]"))
        page.keyboard.type("ethusdt")
        asked(page, "/pairs/analyze", lambda: page.keyboard.press("Enter"), y="binance:ETHUSDT")
        tab_to(page, page.get_by_text("Rule and method"))
        page.keyboard.press("Enter")
        tab_to(page, page.locator("[name=method]"))
        asked(page, "/pairs/analyze", lambda: page.keyboard.type("Hub"), method="huber")
        tab_to(page, page.locator(f"{CHART} [data-part=frame]"))
        page.keyboard.press("+")
        page.wait_for_url(lambda url: "from=" in url)
