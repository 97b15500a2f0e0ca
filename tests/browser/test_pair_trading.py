"""The page Pair Trading, as its reader sees it."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.open_page import OpenPage
from tests.browser.stub import NOON, Stub

pytestmark = pytest.mark.browser
START = (NOON + 25_000) / 1000
PAIR = "/pairs/?y=BTCUSDT&x=ETHUSDT"

FIGURE = """() => {
    const plot = document.querySelector("[data-chart=pair] [data-part=plot]");
    const scatter = document.querySelector(".pair-scatter [data-part=plot]");
    const of = (figure, name) => figure.data.find((each) => each.name === name);
    const column = (name) => of(plot, name)?.y;
    return {
        time: of(plot, "Spread").x, y: of(plot, plot.data[0].name).y, x: plot.data[1].y,
        spread: column("Spread"), zscore: column("z-score"), correlation: column("Correlation"),
        ratio: column("Hedge ratio"), backtest: column("Backtest"),
        bars: { x: of(scatter, "Bars").x, y: of(scatter, "Bars").y },
        regression: { x: of(scatter, "Regression").x, y: of(scatter, "Regression").y },
        levels: plot.layout.shapes.filter((each) => each.type === "line").map((each) => each.y0),
        range: plot._fullLayout.xaxis.range,
    };
}"""


def drawn(page: Page) -> None:
    page.wait_for_selector(".pane-chart[data-points]")
    page.wait_for_function("() => document.querySelector('.pair-scatter [data-part=plot]').data?.length === 3")


def figure(page: Page) -> dict[str, Any]:
    result: dict[str, Any] = page.evaluate(FIGURE)
    return result


def query(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_what_is_drawn_is_what_the_api_says(open_page: OpenPage) -> None:
    answers: list[Any] = []

    def hear(route: Route) -> None:
        response = route.fetch()
        answers.append(response.json())
        route.fulfill(response=response)

    with open_page(
        f"{PAIR}&refresh=off", before=lambda page: page.route("**/api/pairs/analyze**", hear), drawn=False
    ) as page:
        drawn(page)
        shown, answer = figure(page), answers[0]
        series = answer["series"]
        assert shown["time"] == series["time"]
        for name, column in (
            ("spread", "spread"),
            ("zscore", "rolling_zscore"),
            ("correlation", "rolling_correlation"),
            ("ratio", "rolling_hedge_ratio"),
        ):
            assert shown[name] == series[column], name
        assert shown["bars"] == {"x": series["x"], "y": series["y"]}
        assert shown["y"] == pytest.approx([price / series["y"][0] * 100 for price in series["y"]])
        fit = answer["hedge_ratios"]["ols"]
        ends = shown["regression"]["x"]
        assert shown["regression"]["y"] == pytest.approx([fit["intercept"] + fit["slope"] * at for at in ends])
        rule = answer["backtest"]["rule"]
        assert {rule["entry"], -rule["entry"], rule["stop"], -rule["stop"]} <= set(shown["levels"])
        assert shown["backtest"] == pytest.approx([each * 100 for each in answer["backtest"]["equity"]])
        tests = page.locator("[data-part=tests]")
        expect(tests).to_contain_text(answer["engle_granger"]["y_on_x"]["verdict"])
        expect(page.locator("[data-part=signal]")).not_to_be_empty()
        expect(page.locator("[data-part=backtest]")).to_contain_text(f"{answer['backtest']['trades']}")


def test_symbols_are_searched_and_swapped(open_page: OpenPage, stub: Stub) -> None:
    with open_page(PAIR + "&refresh=off", drawn=False) as page:
        drawn(page)
        field = page.locator("[name=x]")
        field.fill("doge")
        field.press("Enter")
        expect(page.locator(".pair-title")).to_have_text("BTCUSDT / DOGEUSDT")
        page.get_by_role("button", name="Swap the two symbols").click()
        expect(page.locator(".pair-title")).to_have_text("DOGEUSDT / BTCUSDT")
        assert (query(page)["y"], query(page)["x"]) == ("DOGEUSDT", "BTCUSDT")
        field.fill("nonsense")
        field.press("Enter")
        expect(page.locator("#problem-x")).to_have_text("nonsense is not followed")
        field.press("Escape")
        expect(page.locator("#problem-x")).to_have_text("")
        assert field.input_value() == "BTCUSDT"


def test_the_scan_suggests_pairs_and_its_best_is_shown_first(open_page: OpenPage, stub: Stub) -> None:
    stub.follow_scanned()
    with open_page("/pairs/?refresh=off", drawn=False) as page:
        drawn(page)
        best, second = stub.scan()["pairs"][:2]
        expect(page.locator(".pair-title")).to_have_text(f"{best['y']} / {best['x']}")
        page.get_by_role("button", name=f"{second['y']} / {second['x']}").click()
        expect(page.locator(".pair-title")).to_have_text(f"{second['y']} / {second['x']}")
        expect(page.locator("[data-part=admission-verdict]")).to_have_text(second["verdict"])
        expect(page.locator("[data-part=admission] li")).to_have_count(4)


def test_every_choice_is_asked_for_and_is_in_the_url(open_page: OpenPage) -> None:
    with open_page(PAIR + "&refresh=off", drawn=False) as page:
        drawn(page)
        page.get_by_role("radio", name="5m", exact=True).check()
        for name, value in (("lookback", "360"), ("window", "120")):
            page.select_option(f"[name={name}]", value)
        page.get_by_text("Rule and method").click()
        for name, value in (("method", "huber"), ("transform", "log"), ("fill", "previous")):
            page.select_option(f"[name={name}]", value)
        # One analysis at a time is asked for: the one with all choices is the last.
        with page.expect_request(lambda request: "cost=0.0005" in request.url) as asked:
            for name, value in (("entry", "2.5"), ("exit", "0.2"), ("stop", "5"), ("cost", "0.05")):
                page.locator(f"[name={name}]").fill(value)
                page.locator(f"[name={name}]").blur()
        wanted = {"interval": "5m", "lookback": "360", "window": "120", "method": "huber", "transform": "log",
                  "fill": "previous", "entry": "2.5", "exit": "0.2", "stop": "5", "cost": "0.05"}  # fmt: skip
        assert wanted.items() <= query(page).items()
        page.wait_for_function("() => document.querySelector('.pair-page:not(.is-empty)')")
        sent = {name: values[0] for name, values in parse_qs(urlsplit(asked.value.url).query).items()}
        assert (wanted | {"cost": "0.0005"}).items() <= sent.items()
        path = page.url.partition("/pairs/")[2]
    with open_page(f"/pairs/{path}", drawn=False) as page:
        drawn(page)
        assert page.locator("[name=method]").input_value() == "huber"
        assert page.locator("[name=entry]").input_value() == "2.5"


def test_the_zoom_survives_five_bars_and_the_way_through_the_url(open_page: OpenPage, stub: Stub) -> None:
    with open_page(PAIR, clock=START, drawn=False) as page:
        drawn(page)
        page.get_by_role("button", name="Zoom in").click()
        page.wait_for_url(lambda url: "from=" in url)
        page.locator("[data-part=frame]").focus()
        page.keyboard.press("PageUp")
        zoomed = figure(page)["range"]
        last = figure(page)["time"][-1]
        for _ in range(5):
            stub.now += 60_000
            with page.expect_response(lambda response: "/analyze" in response.url):
                page.clock.run_for(60_000)
            last += 60_000
            page.wait_for_function(
                "(last) => document.querySelector('[data-chart=pair] [data-part=plot]').data[0].x.at(-1) === last",
                arg=last,
            )
            assert figure(page)["range"] == zoomed
        assert {"from", "to"} <= query(page).keys()


def test_an_analysis_is_asked_for_once_a_bar(open_page: OpenPage, stub: Stub) -> None:
    with open_page(PAIR, clock=START, drawn=False) as page:
        drawn(page)
        open_page.at_rest(page)
        stub.asked.clear()
        stub.now += 20_000
        page.clock.run_for(20_000)
        open_page.at_rest(page)
        assert not [path for path in stub.asked if "/analyze" in path]
        stub.now += 40_000
        with page.expect_response(lambda response: "/analyze" in response.url):
            page.clock.run_for(40_000)


def test_too_few_bars_and_other_empty_states_are_told(open_page: OpenPage, stub: Stub) -> None:
    stub.young = ("DOGEUSDT",)
    with open_page("/pairs/?y=BTCUSDT&x=DOGEUSDT", faulty=True, drawn=False) as page:
        state = page.locator(".empty-state")
        expect(state).to_contain_text("Too few bars for this pair")
        expect(state).to_contain_text("only 12 bars")
    with open_page("/pairs/?y=BTCUSDT&x=BTCUSDT", drawn=False) as page:
        expect(page.locator(".empty-state")).to_contain_text("Choose two different symbols")
    with open_page("/pairs/?y=BTCUSDT&x=NOPE", faulty=True, drawn=False) as page:
        expect(page.locator(".empty-state")).to_contain_text("NOPE is not followed")
    stub.instruments = ()
    with open_page("/pairs/", drawn=False) as page:
        expect(page.locator(".empty-state")).to_contain_text("No data yet")


def test_an_alert_is_prefilled(open_page: OpenPage, stub: Stub) -> None:
    with open_page(PAIR + "&window=120&entry=2.5&refresh=off", drawn=False) as page:
        drawn(page)
        href = page.get_by_role("link", name="Make an alert of this").get_attribute("href")
        assert href
        given = {name: values[0] for name, values in parse_qs(urlsplit(href).query).items()}
        assert given | {"name": ""} == {
            "new": "1", "name": "", "metric": "pair_zscore", "symbol": "BTCUSDT", "x": "ETHUSDT", "interval": "1m",
            "window": "120", "operator": "outside", "threshold": "2.5", "clear_threshold": "0.5",
        }  # fmt: skip


def test_the_keyboard_reads_point_by_point(open_page: OpenPage, stub: Stub) -> None:
    with open_page(PAIR + "&refresh=off", drawn=False) as page:
        drawn(page)
        readout = page.locator("[data-part=readout]")
        expect(readout).to_contain_text("2026-11-22 11:59")
        page.locator("[data-part=frame]").focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        expect(readout).to_contain_text("2026-11-22 11:58")
        page.keyboard.press("Shift+ArrowLeft")
        expect(readout).to_contain_text("2026-11-22 11:48")
        expect(page.locator("[data-part=cursor]")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("[data-part=cursor]")).to_be_hidden()


def test_a_lost_api_is_said_and_recovers(open_page: OpenPage) -> None:
    with open_page(PAIR, faulty=True, clock=time.time(), drawn=False) as page:
        drawn(page)
        page.route("**/api/**", lambda route: route.abort())
        page.clock.run_for(6000)
        expect(page.locator(".api-notice")).to_contain_text("The API does not answer")
        page.unroute("**/api/**")
        page.clock.run_for(3000)
        expect(page.locator(".api-notice")).to_be_hidden()
