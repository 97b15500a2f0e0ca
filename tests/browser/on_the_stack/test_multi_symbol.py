"""Multi-Symbol on a running stack."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.on_the_stack.hearing import Heard, tab_to, wait_for
from tests.browser.open_page import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
# The pairs are scanned once a minute, first when a run's bars are there.
SCANNED_WITHIN = 180.0


def ready(page: Page, heard: Heard) -> None:
    page.wait_for_selector(".multi-page:not(.is-empty)")
    wait_for(page, lambda: any(answer["pairs"] for answer in heard.answers.get("/pairs/scan", [])), SCANNED_WITHIN)
    page.wait_for_selector(".scan-table tbody tr")
    page.wait_for_selector("polyline[points]:not([points=''])")


def column(page: Page, place: int) -> list[str]:
    return page.locator(f".symbol-table tbody tr > :nth-child({place})").all_inner_texts()


def test_the_tables_are_those_of_the_api(visit: OpenPage) -> None:
    heard = Heard()
    with visit("/symbols/?refresh=5", before=heard, drawn=False) as page:
        ready(page, heard)
        heard.end_refreshes(page)
        symbols = {f"{row['base']}/{row['quote']}": row for row in heard.last("/symbols")["symbols"]}
        shown = dict(zip(column(page, 1), column(page, 2), strict=True))
        assert shown == {name: f"{row['last_price']:,.{row['price_decimals']}f}" for name, row in symbols.items()}
        pairs = heard.last("/pairs/scan")["pairs"]
        expect(page.locator(".scan-table tbody tr")).to_have_count(len(pairs))
        found = heard.last("/pairs/correlation")
        for row, values in enumerate(found["matrix"]):
            for place, value in enumerate(values):
                if row != place:
                    cell = page.locator(f"a[data-row='{row}'][data-column='{place}']")
                    expect(cell).to_have_text(f"{value:+.2f}".replace("-", "\u2212"))
        closes = [bar["close"] for bar in heard.answers["/ohlc/BTCUSDT"][-1]["bars"]]
        row = page.locator(".symbol-table tr", has_text="BTC/USDT")
        points = row.locator("polyline").get_attribute("points") or ""
        assert len(points.split()) == len(closes)


def test_each_heading_sorts_and_the_search_filters(visit: OpenPage) -> None:
    heard = Heard()
    with visit("/symbols/?refresh=5", before=heard, drawn=False) as page:
        ready(page, heard)
        heard.end_refreshes(page)
        rows = heard.last("/symbols")["symbols"]
        for name in ("24 h", "Turnover", "Volatility, a year", "Drawdown", "Complete", "Last trade", "Last", "Symbol"):
            heading = page.locator(".symbol-table th", has=page.get_by_role("button", name=name, exact=True))
            heading.get_by_role("button").click()
            expect(heading).to_have_attribute("aria-sort", "ascending" if name == "Symbol" else "descending")
            if name == "Last":
                assert column(page, 1) == names(rows, "last_price")
        assert column(page, 1) == sorted(column(page, 1))
        page.locator("[name=find]").fill("btc")
        expect(page.locator(".symbol-table tbody tr")).to_have_count(1)
        page.get_by_role("link", name="BTC/USDT").click()
        page.wait_for_selector(".price-chart[data-bars]")


def names(rows: list[dict[str, Any]], by: str) -> list[str]:
    return [f"{row['base']}/{row['quote']}" for row in sorted(rows, key=lambda row: row[by], reverse=True)]


def test_the_scan_is_filtered_and_leads_to_its_pairs(visit: OpenPage) -> None:
    heard = Heard()
    with visit("/symbols/?refresh=5", before=heard, drawn=False) as page:
        ready(page, heard)
        heard.end_refreshes(page)
        pairs = heard.last("/pairs/scan")["pairs"]
        rows = page.locator(".scan-table tbody tr")
        page.get_by_label("Admitted only").check()
        expect(rows).to_have_count(len([card for card in pairs if card["admitted"]]))
        page.get_by_label("Admitted only").uncheck()
        page.get_by_label("q at most").fill("0.5")
        expect(rows).to_have_count(
            len([card for card in pairs if card["q_value"] is not None and card["q_value"] <= 0.5])
        )
        page.get_by_label("q at most").fill("")
        page.get_by_label("Half-life at most").fill("30")
        kept = [card for card in pairs if card["half_life"] is not None and card["half_life"] <= 30]
        expect(rows).to_have_count(len(kept))
        page.get_by_label("Half-life at most").fill("")
        page.locator("[name=pair]").fill("BNB")
        expect(rows).to_have_count(len([card for card in pairs if "BNBUSDT" in (card["y"], card["x"])]))
        rows.first.get_by_role("link").click()
        page.wait_for_selector(".pane-chart[data-points]")
        expect(page.locator(".pair-title")).to_contain_text("BNBUSDT")


def test_the_map_is_walked_by_keys_alone(visit: OpenPage) -> None:
    heard = Heard()
    with visit("/symbols/?refresh=off", before=heard, drawn=False) as page:
        ready(page, heard)
        tab_to(page, page.get_by_role("button", name="Last", exact=True))
        page.keyboard.press("Enter")
        expect(page.locator("[data-column=last]")).to_have_attribute("aria-sort", "descending")
        tab_to(page, page.locator(".correlation-map a[tabindex='0']"))
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        label = page.evaluate("document.activeElement.getAttribute('aria-label')")
        symbols = [each["symbol"] for each in heard.last("/pairs/correlation")["symbols"]]
        assert any(label.startswith(f"{one} and ") for one in symbols)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/pairs/" in url)
