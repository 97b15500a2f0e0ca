"""The page System, as its reader sees it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.open_page import OpenPage
from tests.browser.stub import NOON, Stub

pytestmark = pytest.mark.browser
START = (NOON + 25_000) / 1000


def test_what_is_well_is_said(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/system/?refresh=off", drawn=False) as page:
        expect(page.locator("[data-part=status]")).to_have_text("All is well")
        expect(page.locator("[data-part=checks] li")).to_have_count(2)
        expect(page.locator("[data-part=ingestor]")).to_contain_text("Holes healed")
        expect(page.locator("[data-part=quarantine]")).to_contain_text("bad price")
        expect(page.locator("[data-part=data]")).to_contain_text("Incomplete minutes")
        expect(page.locator("[data-part=symbols] tr")).to_have_count(3)


def test_what_is_not_well_is_said_with_its_reason(open_page: OpenPage, stub: Stub) -> None:
    stub.status, stub.reasons = "down", ("archive",)
    stub.gaps = [{"exchange": "binance", "symbol": "BTCUSDT", "first_id": 10, "last_id": 20}]
    with open_page("/system/?refresh=off", faulty=True, drawn=False) as page:
        expect(page.locator("[data-part=status]")).to_have_text("Down")
        expect(page.locator("[data-part=reasons]")).to_have_text("archive")
        expect(page.locator("[data-part=checks]")).to_contain_text("ThrottledError")
        expect(page.locator("[data-part=gaps]")).to_contain_text("BTCUSDT: ids 10 to 20")


def test_trades_a_second_are_counted_by_their_ids(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/system/", clock=START, drawn=False) as page:
        expect(page.locator("[data-part=status]")).to_have_text("All is well")
        stub.now += 10_000
        with page.expect_response(lambda response: "/api/health" in response.url):
            page.clock.run_for(10_000)
        # The stub's ids rise by 10, 20 and 30 a second.
        expect(page.locator("[data-part=symbols] [data-cell=rate]")).to_have_text(["10.0", "20.0", "30.0"])


def test_each_hour_tells_whether_it_is_complete(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/system/?refresh=off", drawn=False) as page:
        row = page.locator(".hours-card tbody tr").first
        expect(row.locator("td")).to_have_count(24)
        states = row.locator("td").evaluate_all("(cells) => cells.map((cell) => cell.dataset.state)")
        assert states[-1] == "forming"
        assert set(states[:-1]) == {"complete"}
        expect(row.locator("td").nth(22)).to_have_attribute("title", "BTCUSDT, 2026-11-22 11:00: every trade present")


def test_the_bill_is_that_of_the_api(open_page: OpenPage, stub: Stub) -> None:
    costs = stub.costs()
    with open_page("/system/?refresh=off", drawn=False) as page:
        expect(page.locator("[data-part=total]")).to_have_text(f"${costs['total']:.2f}")
        groups = {line["group"] for line in costs["lines"]}
        expect(page.locator("[data-part=bill] tr")).to_have_count(len(groups))
        shown = page.locator("[data-part=bill] .number").all_inner_texts()
        assert sum(float(text.removeprefix("$")) for text in shown) == pytest.approx(costs["total"], abs=0.06)


def test_the_monitor_tells_of_its_last_run(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/system/?refresh=off", drawn=False) as page:
        expect(page.locator("[data-part=monitor]")).to_contain_text("Looked at")
        expect(page.locator("[data-part=monitor-note]")).to_contain_text("Last run 25 s ago")
