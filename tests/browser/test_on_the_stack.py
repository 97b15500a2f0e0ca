"""The pages on a running stack: real answers, real refreshes, a real API that goes away and comes back."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from infra.local.tokens import kept_token
from tests.browser.open_page import OpenPage
from tests.integration.conftest import RunningStack, started_stack

pytestmark = pytest.mark.browser
# A check runs once a minute; then come the flush, the page's refresh and a busy machine.
FIRED_WITHIN = 150_000
BACK_WITHIN = 120_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    symbols = "BTCUSDT,ETHUSDT,BNBUSDT,BCHUSDT"
    with started_stack(tmp_path_factory.mktemp("site-stack"), SYMBOLS=symbols) as running:
        yield running
        assert running.stop() == 0


@pytest.fixture
def visit(
    stack: RunningStack, browser: Browser, shared_context: BrowserContext, clocked_context: BrowserContext
) -> OpenPage:
    return OpenPage(browser, shared_context, clocked_context, stack.url)


class Heard:
    """The answers of the API to a page, by their path."""

    def __init__(self, page: Page) -> None:
        self.answers: dict[str, list[Any]] = {}
        page.on("response", self._hear)

    def _hear(self, response: Response) -> None:
        path = response.url.partition("/api/")[2].partition("?")[0]
        if path and response.status == 200:
            text = response.text()
            # An answer that has not changed comes out of the browser's cache, and is not given here again.
            self.answers.setdefault(f"/{path}", []).append(json.loads(text) if text else None)


def wait_for(page: Page, wanted: Callable[[], bool], patience: float = 60.0) -> None:
    """Waits without stopping the page's events."""
    deadline = time.monotonic() + patience
    while not wanted():
        assert time.monotonic() < deadline
        page.wait_for_timeout(200)


def test_the_candles_are_the_bars_of_the_api(visit: OpenPage) -> None:
    heard: list[Heard] = []
    with visit("/?symbol=BTCUSDT&refresh=off", before=lambda page: heard.append(Heard(page))) as page:
        wait_for(page, lambda: "/stats/BTCUSDT" in heard[0].answers)
        bars = heard[0].answers["/ohlc/BTCUSDT"][-1]["bars"]
        drawn = page.evaluate(
            """() => {
                const price = document.querySelector("[data-part=plot]").data.find((each) => each.name === "Price");
                return [price.x, price.open, price.high, price.low, price.close];
            }"""
        )
        assert drawn == [[bar[name] for bar in bars] for name in ("time", "open", "high", "low", "close")]
        high = heard[0].answers["/stats/BTCUSDT"][-1]["summary"]["price"]["high"]
        expect(page.locator(".statistics-panel")).to_contain_text(f"{high:,.2f}")


def test_the_pair_is_the_analysis_of_the_api(visit: OpenPage) -> None:
    heard: list[Heard] = []
    path = "/pairs/?y=BNBUSDT&x=BCHUSDT&lookback=360&refresh=off"
    with visit(path, before=lambda page: heard.append(Heard(page)), drawn=False) as page:
        page.wait_for_selector(".pane-chart[data-points]", timeout=60_000)
        answer = heard[0].answers["/pairs/analyze"][-1]
        drawn = page.evaluate(
            """() => {
                const data = document.querySelector("[data-chart=pair] [data-part=plot]").data;
                const of = (name) => data.find((each) => each.name === name);
                return [of("Spread").x, of("Spread").y, of("z-score").y, of("Correlation").y, of("Hedge ratio").y];
            }"""
        )
        names = ("time", "spread", "rolling_zscore", "rolling_correlation", "rolling_hedge_ratio")
        assert drawn == [answer["series"][name] for name in names]
        expect(page.locator("[data-part=verdict]")).to_have_text(answer["engle_granger"]["verdict"])


def test_the_tables_are_those_of_the_api(visit: OpenPage) -> None:
    heard: list[Heard] = []
    with visit("/symbols/?refresh=off", before=lambda page: heard.append(Heard(page)), drawn=False) as page:
        page.wait_for_selector(".multi-page:not(.is-empty)")
        wait_for(page, lambda: "/pairs/scan" in heard[0].answers)
        rows = page.locator(".symbol-table tbody tr")
        expect(rows).to_have_count(len(heard[0].answers["/symbols"][-1]["symbols"]))
        pairs = heard[0].answers["/pairs/scan"][-1]["pairs"]
        expect(page.locator(".scan-table tbody tr")).to_have_count(len(pairs))


def test_the_bill_and_the_feeds_are_those_of_the_api(visit: OpenPage) -> None:
    heard: list[Heard] = []
    with visit("/system/?refresh=5", before=lambda page: heard.append(Heard(page)), drawn=False) as page:
        page.wait_for_selector(".hours-card tbody tr", timeout=60_000)
        expect(page.locator("[data-part=total]")).not_to_have_text("\u2013", timeout=60_000)
        expect(page.locator("[data-part=total]")).to_have_text(f"${heard[0].answers['/costs'][-1]['total']:.2f}")
        expect(page.locator("[data-part=symbols] tr")).to_have_count(4)
        expect(page.locator("[data-part=symbols] [data-cell=rate]").first).not_to_have_text("…", timeout=30_000)


def test_the_zoom_survives_five_refreshes_and_the_url_restores_it(visit: OpenPage) -> None:
    heard: list[Heard] = []
    range_of = "() => document.querySelector('[data-part=plot]')._fullLayout.xaxis.range"
    with visit("/?symbol=BTCUSDT&refresh=5", before=lambda page: heard.append(Heard(page))) as page:
        page.get_by_role("button", name="Zoom in").click()
        page.get_by_role("button", name="Earlier").click()
        page.wait_for_url(lambda url: "from=" in url)
        zoomed = page.evaluate(range_of)
        asked = len(heard[0].answers["/ohlc/BTCUSDT"])
        wait_for(page, lambda: len(heard[0].answers["/ohlc/BTCUSDT"]) >= asked + 5)
        assert page.evaluate(range_of) == zoomed
        path = page.url.removeprefix(visit.base_url)
    with visit(path) as page:
        assert page.evaluate(range_of) == zoomed


def test_an_alert_is_made_backtested_fired_and_in_the_history(visit: OpenPage, stack: RunningStack) -> None:
    with visit("/alerts/?new=1&refresh=5", drawn=False) as page:
        page.wait_for_selector(".alerts-page:not(.is-empty)")
        for name, text in (("name", "BTC above one"), ("symbol", "BTCUSDT"), ("threshold", "1")):
            page.locator(f".rule-editor [name={name}]").fill(text)
        page.get_by_role("button", name="Add a channel").click()
        page.get_by_label("Address, topic, chat or URL").fill("trader@example.org")
        page.get_by_role("button", name="Backtest").click()
        expect(page.locator("[data-part=backtest-said]")).to_contain_text("it would have fired", timeout=30_000)
        page.wait_for_selector("[data-chart=backtest][data-points]")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("textbox", name="Token").fill(kept_token(stack.state_dir))
        page.get_by_role("button", name="Use it").click()
        expect(page.locator("[data-part=said]")).to_contain_text("“BTC above one” is saved.", timeout=20_000)
        history = page.locator(".history-card tbody")
        expect(history).to_contain_text("email: delivered", timeout=FIRED_WITHIN)
        expect(history.locator("tr").first).to_contain_text("Fired")
        expect(page.locator(".rules-card .word")).to_have_text("Firing", timeout=20_000)
        page.evaluate("sessionStorage.clear()")


@pytest.mark.parametrize("path", ["/", "/pairs/", "/symbols/", "/alerts/", "/system/"])
def test_no_page_logs_anything_through_two_refreshes(visit: OpenPage, path: str) -> None:
    heard: list[Heard] = []
    with visit(f"{path}?refresh=5", before=lambda page: heard.append(Heard(page)), drawn=False) as page:
        # Health is asked for at every second refresh.
        wait_for(page, lambda: len(heard[0].answers.get("/health", [])) >= 2)


def test_an_api_that_is_killed_is_said_and_recovers(visit: OpenPage, stack: RunningStack) -> None:
    with visit("/?symbol=BTCUSDT&refresh=5", faulty=True) as page:
        os.kill(emulator_of(stack), signal.SIGKILL)
        expect(page.locator(".api-notice")).to_be_visible(timeout=30_000)
        expect(page.locator(".status-line")).to_contain_text("Offline")
        expect(page.locator("[data-part=price]")).to_contain_text(".")
        expect(page.locator(".api-notice")).to_be_hidden(timeout=BACK_WITHIN)
        expect(page.locator(".status-line")).not_to_contain_text("Offline")


def emulator_of(stack: RunningStack) -> int:
    """The process that listens on the emulator's port, of this very run."""
    port = int(stack.emulator_url.rpartition(":")[2])
    for child in psutil.Process(stack.process.pid).children(recursive=True):
        if any(one.laddr.port == port and one.status == psutil.CONN_LISTEN for one in child.net_connections()):
            return child.pid
    raise AssertionError(f"nothing of the run listens on {port}")
