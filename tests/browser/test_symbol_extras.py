"""Overlays, statistics and the CSV of the page Single Symbol."""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.open_page import OpenPage
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser


def trace(page: Page, name: str) -> Any:
    return page.evaluate(
        "(name) => document.querySelector('[data-part=plot]').data.find((each) => each.name === name)?.y ?? null", name
    )


def closes(page: Page) -> list[float]:
    found: list[float] = page.evaluate(
        "() => document.querySelector('[data-part=plot]').data.find((each) => each.name === 'Price').close"
    )
    return found


def test_overlays_are_chosen_drawn_and_in_the_url(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/?refresh=off") as page:
        assert trace(page, "VWAP")
        page.get_by_text("Overlays").click()
        page.get_by_label("VWAP of each bar").uncheck()
        page.get_by_label("Moving average").check()
        page.get_by_label("Bollinger bands").check()
        page.select_option("[name=period]", "50")
        page.wait_for_function(
            "() => document.querySelector('[data-part=plot]').data.some((each) => each.name === 'MA 50')"
        )
        assert trace(page, "VWAP") is None
        window = closes(page)[-50:]
        assert trace(page, "MA 50")[:49] == [None] * 49
        assert trace(page, "MA 50")[-1] == pytest.approx(fmean(window))
        assert trace(page, "Bollinger high")[-1] == pytest.approx(fmean(window) + 2 * pstdev(window))
        assert trace(page, "Bollinger low")[-1] == pytest.approx(fmean(window) - 2 * pstdev(window))
        given = parse_qs(urlsplit(page.url).query)
        assert (given["overlays"], given["period"]) == (["ma,bollinger"], ["50"])
        path = page.url.removeprefix(open_page.base_url)
    with open_page(path) as page:
        assert trace(page, "MA 50")
        assert trace(page, "VWAP") is None


def test_statistics_are_told_and_explained(open_page: OpenPage, stub: Stub) -> None:
    summary = stub.stats(stub.instruments[0], "24h")["summary"]
    with open_page("/?refresh=off") as page:
        panel = page.locator(".statistics-panel")
        expect(panel).to_contain_text(f"{summary['price']['high']:,.2f}")
        expect(panel).to_contain_text(f"{summary['volume']['trades']:,}")
        term = panel.get_by_role("button", name="Drawdown")
        tip = panel.get_by_text("The largest fall from a high to a later low.")
        expect(tip).to_be_hidden()
        page.keyboard.press("Tab")
        term.focus()
        expect(tip).to_be_visible()
        page.keyboard.press("Escape")
        expect(tip).to_be_hidden()
        with page.expect_response(lambda response: "window=4h" in response.url):
            page.select_option("[name=stats]", "4h")
        assert parse_qs(urlsplit(page.url).query)["stats"] == ["4h"]


def test_the_csv_holds_what_is_shown(open_page: OpenPage, stub: Stub, tmp_path: Path) -> None:
    with open_page("/?symbol=DOGEUSDT&refresh=off") as page:
        with page.expect_download() as started:
            page.get_by_role("button", name="CSV").click()
        assert started.value.suggested_filename.startswith("DOGEUSDT-1m-")
        started.value.save_as(tmp_path / "bars.csv")
        with open(tmp_path / "bars.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        drawn = closes(page)
        assert [float(row["close"]) for row in rows] == drawn
        assert rows[-1]["close"] == f"{drawn[-1]:.5f}"
        assert {"time", "volume", "vwap", "first_id", "complete", "source"} <= rows[0].keys()
