"""What holds of every page. How they look, and that keys reach everything: on_the_stack/test_every_page.py."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from frontend_static.build import PAGES
from tests.browser.looks import settle
from tests.browser.open_page import OpenPage
from tests.browser.stub import NOON, Stub

pytestmark = pytest.mark.browser
START = (NOON + 25_000) / 1000
HREFS = [page.href for page in PAGES]


@pytest.mark.parametrize("href", HREFS)
def test_a_lost_api_is_said_and_recovers(open_page: OpenPage, href: str) -> None:
    with open_page(f"{href}?y=BTCUSDT&x=ETHUSDT", faulty=True, clock=time.time(), drawn=False) as page:
        settle(page)
        page.route("**/api/**", lambda route: route.abort())
        page.clock.run_for(6000)
        expect(page.locator(".api-notice")).to_be_visible()
        expect(page.locator(".status-line")).to_contain_text("Offline")
        page.unroute("**/api/**")
        page.clock.run_for(3000)
        expect(page.locator(".api-notice")).to_be_hidden()
        expect(page.locator(".status-line")).not_to_contain_text("Offline")


@pytest.mark.parametrize("href", HREFS)
def test_a_hidden_tab_asks_nothing(open_page: OpenPage, stub: Stub, href: str) -> None:
    hide = """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    with open_page(f"{href}?y=BTCUSDT&x=ETHUSDT", clock=START, drawn=False) as page:
        settle(page)
        open_page.at_rest(page)
        page.evaluate(hide, True)
        stub.asked.clear()
        page.clock.run_for(60_000)
        assert stub.asked == []
        with page.expect_response(lambda response: "/api/" in response.url):
            page.evaluate(hide, False)


@pytest.mark.parametrize("href", HREFS)
def test_a_market_that_is_not_real_says_so(open_page: OpenPage, stub: Stub, href: str) -> None:
    stub.market = "simulated"
    with open_page(f"{href}?y=BTCUSDT&x=ETHUSDT&refresh=off", drawn=False) as page:
        expect(page.locator(".market-banner")).to_contain_text("Simulated market")
        expect(page.locator(".market-banner")).to_be_in_viewport()
