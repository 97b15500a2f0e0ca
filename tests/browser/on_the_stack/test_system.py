"""System on a running stack."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.on_the_stack.hearing import Heard, tab_to, wait_for
from tests.browser.open_page import OpenPage

pytestmark = pytest.mark.browser


def test_the_bill_and_the_feeds_are_those_of_the_api(visit: OpenPage) -> None:
    heard = Heard()
    with visit("/system/?refresh=5", before=heard, drawn=False) as page:
        page.wait_for_selector(".hours-card tbody tr")
        expect(page.locator("[data-part=total]")).not_to_have_text("\u2013")
        expect(page.locator("[data-part=symbols] tr")).to_have_count(4)
        expect(page.locator("[data-part=symbols] [data-cell=rate]").first).not_to_have_text("…")
        heard.end_refreshes(page)
        expect(page.locator("[data-part=total]")).to_have_text(f"${heard.last('/costs')['total']:.2f}")
        health, monitor = heard.last("/health"), heard.last("/alerts/monitor/status")
        words = {"ok": "All is well", "degraded": "Degraded", "down": "Down"}
        expect(page.locator("[data-part=status]")).to_have_text(words[health["status"]])
        expect(page.locator("[data-part=checks] li")).to_have_count(len(health["checks"]))
        for feed in health["symbols"]:
            row = page.locator("[data-part=symbols] tr", has_text=feed["symbol"])
            expect(row.locator("[data-cell=holes]")).to_have_text(str(feed["holes_open"]))
            expect(row.locator("[data-cell=missing]")).to_have_text(str(feed["missing_ids"]))
        expect(page.locator("[data-part=monitor]")).to_contain_text(f"{monitor['rules']}")


def test_each_hour_is_as_complete_as_its_bar(visit: OpenPage) -> None:
    heard = Heard()
    with visit("/system/?refresh=5", before=heard, drawn=False) as page:
        page.wait_for_selector(".hours-card tbody tr:nth-child(4)")
        wait_for(page, lambda: "/ohlc/BTCUSDT" in heard.answers)
        heard.end_refreshes(page)
        bars = {bar["time"]: bar for bar in heard.last("/ohlc/BTCUSDT")["bars"]}
        row = page.locator(".hours-card tbody tr", has_text="BTCUSDT")
        states = row.locator("td").evaluate_all("(cells) => cells.map((cell) => cell.dataset.state)")
        newest = max(bars)
        wanted = [state_of(bars.get(newest - 3_600_000 * ago)) for ago in reversed(range(24))]
        assert states == wanted


def state_of(bar: dict[str, Any] | None) -> str:
    if bar is None:
        return "none"
    if bar["complete"] is None:
        return "exchange"
    if not bar["complete"]:
        return "incomplete"
    return "complete" if bar["closed"] else "forming"


def test_a_feed_is_reached_by_keys_alone(visit: OpenPage) -> None:
    with visit("/system/?refresh=off", drawn=False) as page:
        page.wait_for_selector("[data-part=symbols] tr")
        tab_to(page, page.locator("[name=refresh]"))
        page.keyboard.press("ArrowDown")
        expect(page.locator(".status-line")).to_contain_text("every 5 s")
        tab_to(page, page.get_by_role("link", name="ETHUSDT"))
        page.keyboard.press("Enter")
        page.wait_for_selector(".price-chart[data-bars]")
        expect(page.get_by_role("heading", level=1)).to_contain_text("ETH/USDT")
