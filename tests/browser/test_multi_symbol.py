"""The page Multi-Symbol, as its reader sees it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.open_page import OpenPage
from tests.browser.stub import NOON, Stub

pytestmark = pytest.mark.browser
START = (NOON + 25_000) / 1000


def ready(page: Page) -> None:
    page.wait_for_selector(".multi-page:not(.is-empty)")
    page.wait_for_selector(".scan-table tbody tr")
    page.wait_for_selector("polyline[points]:not([points=''])")


def column(page: Page, place: int) -> list[str]:
    return page.locator(f".symbol-table tbody tr > :nth-child({place})").all_inner_texts()


def test_the_table_holds_what_the_api_says(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/symbols/?refresh=off", drawn=False) as page:
        ready(page)
        rows = {row["base"] + "/" + row["quote"]: row for row in stub.symbols()["symbols"]}
        assert set(column(page, 1)) == set(rows)
        for name, last in zip(column(page, 1), column(page, 2), strict=True):
            assert last.replace(",", "") == f"{rows[name]['last_price']:.{rows[name]['price_decimals']}f}"


def test_a_heading_sorts_and_turns_round(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/symbols/?refresh=off", drawn=False) as page:
        ready(page)
        page.get_by_role("button", name="Symbol", exact=True).click()
        assert column(page, 1) == ["BTC/USDT", "DOGE/USDT", "ETH/USDT"]
        page.get_by_role("button", name="Symbol", exact=True).click()
        assert column(page, 1) == ["ETH/USDT", "DOGE/USDT", "BTC/USDT"]
        page.get_by_role("button", name="Last", exact=True).click()
        assert column(page, 1) == ["BTC/USDT", "ETH/USDT", "DOGE/USDT"]
        expect(page.locator("[data-column=last]")).to_have_attribute("aria-sort", "descending")
        assert parse_qs(urlsplit(page.url).query) == {"refresh": ["off"], "sort": ["last"]}
        path = page.url.partition("/symbols/")[2]
    with open_page(f"/symbols/{path}", drawn=False) as page:
        ready(page)
        assert column(page, 1) == ["BTC/USDT", "ETH/USDT", "DOGE/USDT"]


def test_symbols_are_found_and_lead_to_their_page(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/symbols/?refresh=off", drawn=False) as page:
        ready(page)
        page.locator("[name=find]").fill("eth")
        expect(page.locator(".symbol-table tbody tr")).to_have_count(1)
        expect(page.locator("[data-part=symbols-count]")).to_have_text("1 of 3 symbols")
        page.get_by_role("link", name="ETH/USDT").click()
        page.wait_for_selector(".price-chart[data-bars]")
        expect(page.get_by_role("heading", level=1)).to_contain_text("ETH/USDT")


def test_the_small_charts_are_the_closes_of_a_day(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/symbols/?refresh=off", drawn=False) as page:
        ready(page)
        points = page.locator("polyline").first.get_attribute("points")
        assert points
        assert len(points.split()) == 96
        assert {parse_qs(urlsplit(path).query)["interval"][0] for path in stub.asked if "/ohlc/" in path} == {"15m"}


def test_the_map_is_the_matrix_and_is_walked_by_arrows(open_page: OpenPage, stub: Stub) -> None:
    matrix, symbols = stub.correlation()["matrix"], [each["symbol"] for each in stub.correlation()["symbols"]]
    with open_page("/symbols/?refresh=off", drawn=False) as page:
        ready(page)
        cell = page.locator("a[data-row='0'][data-column='1']")
        expect(cell).to_have_text(f"{matrix[0][1]:+.2f}".replace("-", "\u2212"))
        cell.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        label = page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert label.startswith(f"{symbols[1]} and {symbols[2]}: ")
        href = page.evaluate("document.activeElement.getAttribute('href')")
        assert href == f"/pairs/?y={symbols[1]}&x={symbols[2]}"


def test_the_scan_is_filtered(open_page: OpenPage, stub: Stub) -> None:
    pairs = stub.scan()["pairs"]
    with open_page("/symbols/?refresh=off", drawn=False) as page:
        ready(page)
        rows = page.locator(".scan-table tbody tr")
        expect(rows).to_have_count(len(pairs))
        page.get_by_label("Admitted only").check()
        expect(rows).to_have_count(len([card for card in pairs if card["admitted"]]))
        page.get_by_label("Admitted only").uncheck()
        page.get_by_label("q at most").fill("0.2")
        expect(rows).to_have_count(len([card for card in pairs if card["q_value"] <= 0.2]))
        page.get_by_label("q at most").fill("2")
        expect(page.get_by_label("q at most")).to_have_attribute("aria-invalid", "true")
        page.get_by_label("q at most").fill("")
        page.locator("[name=pair]").fill(pairs[0]["y"])
        expect(rows).to_have_count(len([card for card in pairs if pairs[0]["y"] in (card["y"], card["x"])]))
        page.get_by_label("Half-life at most").fill("1")
        expect(rows).to_have_count(0)
        expect(page.locator("[data-part=scan-note]")).to_contain_text("0 of 66 pairs tested")


def test_prices_move_and_what_has_not_changed_is_not_asked_for(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/symbols/", clock=START, drawn=False) as page:
        ready(page)
        before = column(page, 2)
        open_page.at_rest(page)
        stub.asked.clear()
        stub.now += 60_000
        with page.expect_response(lambda response: response.url.endswith("/api/symbols")):
            page.clock.run_for(5000)
        expect(page.locator(".symbol-table tbody tr > :nth-child(2)").first).not_to_have_text(before[0])
        assert {urlsplit(path).path for path in stub.asked} == {"/api/symbols"}


def test_nothing_computed_yet_is_told(open_page: OpenPage, stub: Stub) -> None:
    stub.is_scanned = False
    with open_page("/symbols/?refresh=off", drawn=False) as page:
        page.wait_for_selector(".multi-page:not(.is-empty)")
        expect(page.locator("[data-part=scan-note]")).to_have_text("Not computed yet.")
        expect(page.locator("[data-part=correlation-note]")).to_have_text("Not computed yet.")
    stub.instruments = ()
    with open_page("/symbols/?refresh=off", drawn=False) as page:
        expect(page.locator(".empty-state")).to_contain_text("No data yet")
