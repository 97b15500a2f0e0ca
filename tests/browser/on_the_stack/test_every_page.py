"""What holds of every page, on a running stack."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from frontend_static.build import PAGES
from tests.browser.looks import OVERFLOWING, WIDTHS, reached_by_tab, settle, violations
from tests.browser.on_the_stack.hearing import Heard, wait_for
from tests.browser.open_page import OpenPage

pytestmark = pytest.mark.browser
HREFS = [page.href for page in PAGES]


@pytest.mark.parametrize("href", HREFS)
def test_a_page_is_whole_in_both_themes_at_all_widths_and_logs_nothing(visit: OpenPage, axe: str, href: str) -> None:
    heard = Heard()
    query = "y=BNBUSDT&x=BCHUSDT&new=1&refresh=5"
    with visit(f"{href}?{query}", before=heard, drawn=False) as page:
        settle(page)
        page.evaluate(axe)
        for theme in ("Light", "Dark"):
            page.get_by_text("Display", exact=True).click()
            page.get_by_role("radio", name=theme).check()
            assert violations(page) == [], theme
            page.keyboard.press("Escape")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate(OVERFLOWING) == [0, []], f"{width} {theme}"
        page.set_viewport_size({"width": 1440, "height": 900})
        page.get_by_text("Display", exact=True).click()
        page.get_by_role("radio", name="System").check()
        page.keyboard.press("Escape")
        # Through two refreshes: health is asked for at every second one.
        so_far = heard.count["/health"]
        wait_for(page, lambda: heard.count["/health"] > so_far)


@pytest.mark.parametrize("href", HREFS)
def test_the_keyboard_reaches_every_control(visit: OpenPage, href: str) -> None:
    with visit(f"{href}?y=BNBUSDT&x=BCHUSDT&new=1&refresh=off", drawn=False) as page:
        settle(page)
        wanted, reached = reached_by_tab(page)
        assert wanted <= reached


def test_each_page_leads_to_each_other(visit: OpenPage) -> None:
    with visit("/symbols/?refresh=off", drawn=False) as page:
        page.get_by_text("Display", exact=True).click()
        page.get_by_role("radio", name="Dark").check()
        page.keyboard.press("Escape")
        for each in PAGES:
            page.get_by_role("navigation", name="Pages").get_by_role("link", name=each.title).click()
            expect(page.get_by_role("link", name=each.title)).to_have_attribute("aria-current", "page")
            settle(page)
            assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.locator(".docs-link a").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("API")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/?symbol=ETHUSDT&interval=5m&bars=120&refresh=off&overlays=ma&period=50&stats=4h",
         {"[name=symbol]": "binance:ETHUSDT", "[name=bars]": "120", "[name=period]": "50", "[name=stats]": "4h"}),
        ("/pairs/?y=ETHUSDT&x=BTCUSDT&lookback=360&window=120&method=huber&entry=1.5&refresh=30",
         {"[name=y]": "ETHUSDT", "[name=lookback]": "360", "[name=method]": "huber", "[name=entry]": "1.5"}),
        ("/symbols/?sort=last&order=asc&find=b&maxq=0.5&pair=BNB&refresh=10",
         {"[name=find]": "b", "[name=maxq]": "0.5", "[name=pair]": "BNB", "[name=refresh]": "10"}),
        ("/alerts/?new=1&name=Mine&metric=volume&symbol=ETHUSDT&threshold=5&refresh=10",
         {"[name=name]": "Mine", "[name=metric]": "volume", "[name=symbol]": "ETHUSDT", "[name=refresh]": "10"}),
        ("/system/?refresh=30", {"[name=refresh]": "30"}),
    ],
)  # fmt: skip
def test_a_url_restores_its_view(visit: OpenPage, path: str, shown: dict[str, str]) -> None:
    with visit(path, drawn=False) as page:
        settle(page)
        for control, value in shown.items():
            expect(page.locator(control)).to_have_value(value)
