"""What holds of every page."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from frontend_static.build import PAGES
from tests.browser.open_page import OpenPage
from tests.browser.stub import NOON, Stub

pytestmark = pytest.mark.browser
START = (NOON + 25_000) / 1000
HREFS = [page.href for page in PAGES]
FOCUSED = """() => {
    const element = document.activeElement;
    return [element.tagName, element.name, element.dataset.part, element.textContent.trim().slice(0, 20)].join(" ");
}"""
OVERFLOWING = """() => {
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const clipped = [...document.querySelectorAll("main h1, main h2, main p, main dd, main dt, main button")]
        .filter((each) => each.offsetParent && !each.closest(".visually-hidden, .table-scroll, ul, .tip, details"))
        .filter((each) => { const box = each.getBoundingClientRect(); return box.width && box.right > innerWidth + 1; })
        .map((each) => each.textContent.slice(0, 30));
    return [wide, clipped];
}"""


def settle(page: Page) -> None:
    """Waits until the first data are shown and the charts are drawn."""
    page.wait_for_function("() => document.querySelector('.status-line [data-part=updated]').textContent.includes(':')")
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-part=plot]')].every((plot) => plot.offsetParent === null"
        " || plot.data || plot.closest('.is-empty'))"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("href", HREFS)
def test_axe_finds_nothing(open_page: OpenPage, axe: str, stub: Stub, href: str, theme: str) -> None:
    stub.market = "simulated"
    with open_page(f"{href}?theme={theme}&y=BTCUSDT&x=ETHUSDT", clock=START, drawn=False) as page:
        settle(page)
        page.evaluate(axe)
        page.get_by_text("Display", exact=True).click()
        assert violations(page) == []


@pytest.mark.parametrize("href", HREFS)
def test_nothing_overflows(open_page: OpenPage, stub: Stub, href: str) -> None:
    stub.market = "simulated"
    with open_page(f"{href}?y=BTCUSDT&x=ETHUSDT&refresh=off", drawn=False) as page:
        settle(page)
        for width in (1440, 768, 360):
            page.set_viewport_size({"width": width, "height": 800})
            for theme in ("Light", "Dark"):
                page.get_by_text("Display", exact=True).click()
                page.get_by_role("radio", name=theme).check()
                page.keyboard.press("Escape")
                assert page.evaluate(OVERFLOWING) == [0, []], f"{width} {theme}"


@pytest.mark.parametrize("href", HREFS)
def test_the_keyboard_reaches_every_control(open_page: OpenPage, stub: Stub, href: str) -> None:
    with open_page(f"{href}?y=BTCUSDT&x=ETHUSDT&refresh=off", drawn=False) as page:
        settle(page)
        wanted: list[str] = page.evaluate(
            """() => [...document.querySelectorAll("select, input, button, a[href], summary, [tabindex='0']")]
                .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled
                    && each.tabIndex >= 0 && !(each.type === "radio" && !each.checked))
                .map((each) => [each.tagName, each.name, each.dataset.part,
                    each.textContent.trim().slice(0, 20)].join(" "))"""
        )
        reached: set[str] = set()
        for _ in range(len(wanted) + 5):
            page.keyboard.press("Tab")
            reached.add(page.evaluate(FOCUSED))
        assert set(wanted) <= reached


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


def violations(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """async () => {
            const running = axe.run(document, { resultTypes: ["violations"] });
            return (await running).violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`);
        }"""
    )
    return found
