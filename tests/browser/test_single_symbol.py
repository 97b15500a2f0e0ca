"""The page Single Symbol, as its reader sees it."""

from __future__ import annotations

import json
import threading
import time
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.open_page import OpenPage
from tests.browser.stub import INSTRUMENTS, NOON, Stub

FOCUSED = """() => {
    const element = document.activeElement;
    return element.name || element.dataset.part || element.className || element.tagName;
}"""
START = (NOON + 25_000) / 1000
pytestmark = pytest.mark.browser

FIELDS = ("open", "high", "low", "close", "vwap", "volume")
FIGURE = """() => {
    const plot = document.querySelector("[data-part=plot]");
    const trace = (name) => plot.data.find((each) => each.name === name);
    const price = trace("Price");
    return {
        time: price.x, open: price.open, high: price.high, low: price.low, close: price.close,
        vwap: trace("VWAP").y, volume: trace("Volume").y, marked: trace("Incomplete").x,
        range: plot._fullLayout.xaxis.range, prices: plot._fullLayout.yaxis.range,
        paper: plot._fullLayout.paper_bgcolor, revision: plot.layout.uirevision,
    };
}"""


def figure(page: Page) -> dict[str, Any]:
    result: dict[str, Any] = page.evaluate(FIGURE)
    return result


def tick(page: Page, stub: Stub, seconds: int = 5) -> dict[str, Any]:
    """Lets time go on for the page and for the market, and returns the bars that the page then asked for."""
    stub.now += seconds * 1000
    with page.expect_response(lambda response: "/api/ohlc/" in response.url) as answered:
        page.clock.run_for(seconds * 1000)
    _, answer = stub.answer("/" + answered.value.url.removeprefix("http://").partition("/")[2])
    page.wait_for_function(
        "([time, close]) => document.querySelector('[data-part=plot]').data[0].x.at(-1) === time"
        " && document.querySelector('[data-part=plot]').data[0].close.at(-1) === close",
        arg=[answer["bars"][-1]["time"], answer["bars"][-1]["close"]],
    )
    return answer


def wait_for_range(page: Page, wanted: list[str]) -> None:
    page.wait_for_function(
        "(range) => String(document.querySelector('[data-part=plot]')._fullLayout.xaxis.range) === String(range)",
        arg=wanted,
    )


def drag(page: Page, share: float) -> None:
    box = page.locator("[data-part=frame]").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] * share / 2, y, steps=3)
    page.mouse.move(x + box["width"] * share, y, steps=3)
    page.mouse.up()


def wait_for_query(page: Page, *names: str) -> dict[str, str]:
    page.wait_for_url(lambda url: all(name in parse_qs(urlsplit(url).query) for name in names))
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


@pytest.mark.parametrize("interval", ["1m", "1h"])
def test_the_candles_drawn_are_those_of_the_api(open_page: OpenPage, interval: str) -> None:
    answers: list[Any] = []

    def hear(route: Route) -> None:
        response = route.fetch()
        answers.append(response.json())
        route.fulfill(response=response)

    with open_page(
        f"/?interval={interval}&refresh=off", before=lambda page: page.route("**/api/ohlc/**", hear)
    ) as page:
        bars = answers[0]["bars"]
        drawn = figure(page)
        assert len(bars) > 1
        assert drawn["time"] == [bar["time"] for bar in bars]
        for field in FIELDS:
            assert drawn[field] == [bar[field] for bar in bars], field
        assert drawn["marked"] == [bar["time"] for bar in bars if bar["complete"] is False]


def test_two_thousand_bars_come_in_two_pages(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/?bars=2000&refresh=off") as page:
        times = figure(page)["time"]
        assert len(times) == 2000
        assert {later - earlier for earlier, later in pairwise(times)} == {60_000}
        assert len([path for path in stub.asked if "/ohlc/" in path]) == 2


def test_a_refresh_asks_from_the_last_closed_bar_and_merges(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/", clock=START) as page:
        before = figure(page)
        answer = tick(page, stub)
        asked = parse_qs(urlsplit([path for path in stub.asked if "/ohlc/" in path][-1]).query)
        assert asked["start"] == [str(NOON - 60_000)]
        assert len(answer["bars"]) == 2
        after = figure(page)
        assert after["time"] == before["time"]
        assert after["close"][:-1] == before["close"][:-1]
        for _ in range(2):
            tick(page, stub, 30)
        assert figure(page)["time"][-1] == NOON + 60_000
        assert len(figure(page)["time"]) == 250


def test_the_zoom_survives_refreshes_and_is_left_by_a_key(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/", clock=START) as page:
        whole = figure(page)["range"]
        frame = page.locator("[data-part=frame]")
        frame.focus()
        page.keyboard.press("+")
        page.keyboard.press("+")
        drag(page, 0.3)
        wait_for_query(page, "from", "to")
        zoomed = figure(page)
        assert zoomed["range"] != whole
        assert zoomed["prices"][0] < min(zoomed["low"][-40:])
        for _ in range(5):
            tick(page, stub)
            assert figure(page)["range"] == zoomed["range"]
            assert figure(page)["revision"] == zoomed["revision"]
        frame.focus()
        page.keyboard.press("0")
        page.wait_for_url(lambda url: "from=" not in url)
        wait_for_range(page, whole)


def test_the_wheel_zooms_and_a_double_click_shows_all(open_page: OpenPage) -> None:
    with open_page("/?refresh=off") as page:
        whole = figure(page)["range"]
        box = page.locator("[data-part=frame]").bounding_box()
        assert box
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
        page.mouse.wheel(0, -300)
        wait_for_query(page, "from", "to")
        assert figure(page)["range"] != whole
        page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
        page.wait_for_url(lambda url: "from=" not in url)
        wait_for_range(page, whole)


def test_the_url_restores_the_view(open_page: OpenPage, stub: Stub) -> None:
    with open_page() as page:
        page.select_option("[name=symbol]", "binance:ETHUSDT")
        page.get_by_role("radio", name="5m", exact=True).check()
        page.select_option("[name=bars]", "120")
        page.select_option("[name=refresh]", "0")
        page.get_by_text("Display").click()
        page.get_by_role("radio", name="Dark").check()
        page.get_by_role("radio", name="Blue, orange").check()
        page.get_by_role("radio", name="Local").check()
        page.keyboard.press("Escape")
        page.wait_for_selector(".price-chart[data-bars='120']")
        page.get_by_role("button", name="Zoom in").click()
        query = wait_for_query(page, "from", "to")
        assert query | {"from": "", "to": ""} == {
            "symbol": "ETHUSDT",
            "interval": "5m",
            "bars": "120",
            "refresh": "off",
            "theme": "dark",
            "colours": "colour-blind",
            "clock": "local",
            "from": "",
            "to": "",
        }
        kept, path = figure(page), page.url.removeprefix("http://").partition("/")[2]
    with open_page(f"/{path}") as page:
        assert figure(page) == kept
        assert page.locator("[name=symbol]").input_value() == "binance:ETHUSDT"
        assert page.get_by_role("radio", name="5m", exact=True).is_checked()
        assert page.locator("[name=bars]").input_value() == "120"
        assert page.locator("[name=refresh]").input_value() == "0"
        expect(page.get_by_role("heading", level=1)).to_have_text("ETH/USDT binance")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_way_back_leads_to_the_symbol_before(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/?symbol=BTCUSDT") as page:
        page.select_option("[name=symbol]", "binance:DOGEUSDT")
        expect(page.get_by_role("heading", level=1)).to_contain_text("DOGE/USDT")
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_contain_text("BTC/USDT")


def test_a_lost_api_shows_as_such_and_recovers(open_page: OpenPage) -> None:
    with open_page("/", faulty=True, clock=time.time()) as page:
        bars = figure(page)["time"]
        page.route("**/api/**", lambda route: route.abort())
        page.clock.run_for(5000)
        notice = page.locator(".api-notice")
        expect(notice).to_be_visible()
        expect(notice).to_contain_text("The API does not answer")
        expect(notice).to_contain_text("Next try in")
        expect(page.locator(".status-line")).to_contain_text("Offline")
        assert figure(page)["time"] == bars
        page.unroute("**/api/**")
        page.clock.run_for(2000)
        expect(notice).to_be_hidden()
        expect(page.locator(".status-line")).not_to_contain_text("Offline")


def test_an_api_that_is_away_at_first_is_waited_for(open_page: OpenPage) -> None:
    def cut(page: Page) -> None:
        page.route("**/api/**", lambda route: route.fulfill(status=502, body="<html>bad gateway</html>"))

    with open_page("/", faulty=True, before=cut, drawn=False) as page:
        expect(page.locator(".empty-state")).to_contain_text("The API does not answer")
        page.unroute("**/api/**")
        page.get_by_role("button", name="Try now").click()
        page.wait_for_selector(".price-chart[data-bars]")
        expect(page.locator(".empty-state")).to_be_hidden()


def test_slow_answers_do_not_overlap_and_a_new_choice_ends_them(open_page: OpenPage, stub: Stub) -> None:
    gate = threading.Event()
    with open_page("/", clock=START) as page:
        open_page.at_rest(page)
        stub.asked.clear()
        stub.before = lambda path: void("BTCUSDT" in path and gate.wait(30))
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        with page.expect_request(lambda request: "BTCUSDT" in request.url):
            page.clock.run_for(20_000)
        page.evaluate("0")  # what it has asked before is heard of before this
        assert len([url for url in asked if "BTCUSDT" in url]) == 1
        page.select_option("[name=symbol]", "binance:ETHUSDT")
        expect(page.get_by_role("heading", level=1)).to_contain_text("ETH/USDT")
        page.wait_for_function("() => document.querySelector('[data-part=plot]').data[0].close[0] < 10000")
        gate.set()


def test_a_window_chosen_while_another_is_asked_for_is_asked_for_too(open_page: OpenPage, stub: Stub) -> None:
    gate = threading.Event()
    stub.before = lambda path: void("window=24h" in path and gate.wait(10))
    with open_page("/?refresh=off") as page:
        page.wait_for_function("() => performance.getEntriesByName('first-candle').length")
        with page.expect_response(lambda response: "window=1h" in response.url):
            page.get_by_label("Window of the statistics").select_option("1h")
        gate.set()
        expect(page.locator(".statistics-panel [data-part=note]")).to_contain_text("computed")


def void(_: object) -> None:
    return None


def test_a_market_that_is_not_real_says_so(open_page: OpenPage, stub: Stub) -> None:
    stub.market = "simulated"
    with open_page("/", clock=START) as page:
        banner = page.locator(".market-banner")
        expect(banner).to_be_in_viewport()
        expect(banner).to_contain_text("Simulated market — these prices are invented")
        stub.market = "replay"
        tick(page, stub, 10)
        expect(banner).to_contain_text("Replay — recorded prices")
        stub.market = "live"
        tick(page, stub, 10)
        expect(banner).to_be_hidden()
        expect(page.locator(".status-line")).to_contain_text("Live")


def test_the_figures_are_those_of_the_symbol(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/?symbol=DOGEUSDT&refresh=off") as page:
        board = page.locator(".quote-board")
        last = figure(page)["close"][-1]
        assert board.locator("[data-part=price]").inner_text() == f"{last:.5f}"
        expect(board).to_contain_text("DOGE/USDT")
        # 180 bars are made of trades, one of them still forming; four have lost some.
        expect(board.locator("[data-part=complete]")).to_have_text("97.77 %")
        expect(board.locator("[data-part=incomplete]")).to_have_text("4 with trades missing, 69 from the exchange")
        assert f"{last:.5f}" in page.title()


def test_the_readout_follows_the_keyboard_and_tells_bars_apart(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/?refresh=off") as page:
        frame, readout = page.locator("[data-part=frame]"), page.locator(".bar-readout")
        expect(readout).to_contain_text("Still forming")
        frame.focus()
        page.keyboard.press("ArrowLeft")
        expect(readout).to_contain_text("2026-11-22 12:00")
        page.keyboard.press("ArrowLeft")
        expect(readout).to_contain_text("2026-11-22 11:59")
        expect(readout).to_contain_text("Every trade present")
        for _ in range(4):
            page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        expect(readout).to_contain_text("11:21")
        expect(readout).to_contain_text("Trades missing")
        page.keyboard.press("Home")
        expect(readout).to_contain_text("own bar")
        expect(page.locator("[data-part=crosshair]")).to_be_visible()
        page.keyboard.press("Escape")
        expect(readout).to_contain_text("Still forming")


def test_the_mouse_points_at_a_bar(open_page: OpenPage) -> None:
    with open_page("/?refresh=off") as page:
        box = page.locator("[data-part=frame]").bounding_box()
        assert box
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
        expect(page.locator("[data-part=crosshair]")).to_be_visible()
        texts = figure(page)["open"]
        shown = float(page.locator(".bar-readout [data-part=open]").inner_text().replace(",", ""))
        assert shown in texts


def test_times_move_to_the_clock_of_the_reader(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/?refresh=off", timezone="Asia/Kolkata") as page:
        utc = figure(page)["time"]
        expect(page.locator("[data-part=zone]")).to_have_text("UTC")
        page.get_by_text("Display").click()
        page.get_by_role("radio", name="Local").check()
        expect(page.locator("[data-part=zone]")).to_have_text("UTC+05:30")
        assert figure(page)["time"] == [time + 19_800_000 for time in utc]


def test_an_unknown_symbol_is_named_and_others_are_offered(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/?symbol=NOPE", drawn=False) as page:
        expect(page.locator(".empty-state h3")).to_have_text("NOPE is not followed")
        page.locator(".empty-state").get_by_role("link", name="ETH/USDT").click()
        page.wait_for_selector(".price-chart[data-bars]")
        expect(page.get_by_role("heading", level=1)).to_contain_text("ETH/USDT")


def test_the_first_bar_appears_by_itself(open_page: OpenPage, stub: Stub) -> None:
    stub.instruments, stub.bars_from = (), 9999
    with open_page("/", clock=START, drawn=False) as page:
        expect(page.locator(".empty-state h3")).to_have_text("No data yet")
        stub.instruments = INSTRUMENTS
        page.clock.run_for(5000)
        expect(page.locator(".empty-state h3")).to_have_text("No bars yet")
        stub.bars_from = 3000
        page.clock.run_for(5000)
        page.wait_for_selector(".price-chart[data-bars='1']")
        expect(page.locator(".empty-state")).to_be_hidden()


def test_a_halted_market_says_so(open_page: OpenPage, stub: Stub) -> None:
    stub.last_trade_ago = 4 * 3_600_000
    with open_page() as page:
        expect(page.locator(".feed-notice")).to_have_text("No trade for 4 h: the market is halted or very quiet.")
        expect(page.locator(".status-line")).to_contain_text("Halted")


def test_nothing_overflows_in_any_theme(open_page: OpenPage, stub: Stub) -> None:
    stub.market = "simulated"
    surfaces = {"Light": "rgb(255, 255, 255)", "Dark": "rgb(18, 22, 29)"}
    with open_page("/?refresh=off") as page:
        for width in (1440, 768, 360):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_function(
                "() => { const plot = document.querySelector('[data-part=plot]');"
                " return plot._fullLayout.width === plot.clientWidth; }"
            )
            page.get_by_text("Display").click()
            for theme, surface in surfaces.items():
                page.get_by_role("radio", name=theme).check()
                page.wait_for_function(
                    "(surface) => document.querySelector('[data-part=plot]')._fullLayout.paper_bgcolor === surface",
                    arg=surface,
                )
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                assert (
                    page.evaluate("getComputedStyle(document.querySelector('.price-chart')).backgroundColor") == surface
                )
            box = page.locator(".display-menu .panel").bounding_box()
            assert box
            assert 0 <= box["x"] <= width - box["width"]
            page.keyboard.press("Escape")
            expect(page.locator(".display-menu .panel")).to_be_hidden()


def test_fingers_pan_and_the_page_still_scrolls(open_page: OpenPage) -> None:
    with open_page("/?refresh=off", viewport={"width": 360, "height": 780}, touch=True) as page:
        page.get_by_role("button", name="Zoom in").tap()
        before = wait_for_query(page, "from", "to")
        page.evaluate(
            """() => {
                const frame = document.querySelector("[data-part=frame]");
                const box = frame.getBoundingClientRect();
                const at = (type, x) => frame.dispatchEvent(new PointerEvent(type, {
                    pointerType: "touch", pointerId: 7, bubbles: true, clientX: box.left + x, clientY: box.top + 90,
                }));
                at("pointerdown", 100); at("pointermove", 150); at("pointermove", 200); at("pointerup", 200);
            }"""
        )
        page.wait_for_function(
            "(from) => Number(new URLSearchParams(location.search).get('from')) < from", arg=int(before["from"])
        )
        page.locator("[data-part=frame]").tap(position={"x": 60, "y": 90})
        expect(page.locator("[data-part=crosshair]")).to_be_visible()


def test_the_theme_follows_the_system_until_one_is_chosen(open_page: OpenPage) -> None:
    with open_page("/?refresh=off", before=lambda page: page.emulate_media(color_scheme="dark")) as page:
        assert figure(page)["paper"] == "rgb(18, 22, 29)"
        page.emulate_media(color_scheme="light")
        page.wait_for_function(
            "() => document.querySelector('[data-part=plot]')._fullLayout.paper_bgcolor === 'rgb(255, 255, 255)'"
        )


def test_the_keyboard_reaches_every_control(open_page: OpenPage) -> None:
    with open_page("/?refresh=off&from=0&to=1") as page:
        reached: list[str] = []
        for _ in range(20):
            page.keyboard.press("Tab")
            reached.append(page.evaluate(FOCUSED))
            if reached[-1] == "frame":
                break
        assert reached[0] == "skip-link"
        for name in ("SUMMARY", "symbol", "interval", "bars", "refresh", "earlier", "out", "in", "later", "frame"):
            assert name in reached


def test_the_figures_of_a_refresh_are_small(open_page: OpenPage, stub: Stub) -> None:
    with open_page("/", clock=START) as page:
        open_page.at_rest(page)
        stub.sent = 0
        tick(page, stub)
        assert stub.sent <= 10_000, json.dumps(stub.asked[-3:])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_page: OpenPage, axe: str, stub: Stub, theme: str) -> None:
    stub.market = "simulated"
    with open_page(f"/?theme={theme}", faulty=True, clock=START) as page:
        page.evaluate(axe)
        page.get_by_text("Display").click()
        assert violations(page) == []
        page.keyboard.press("Escape")
        page.route("**/api/**", lambda route: route.abort())
        page.clock.run_for(5000)
        expect(page.locator(".api-notice")).to_be_visible()
        assert violations(page) == []


def violations(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """async () => {
            const running = axe.run(document, { resultTypes: ["violations"] });
            return (await running).violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`);
        }"""
    )
    return found
