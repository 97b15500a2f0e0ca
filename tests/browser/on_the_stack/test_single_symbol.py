"""Single Symbol on a running stack."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.on_the_stack.hearing import (
    RANGE,
    Heard,
    asked,
    path_of,
    tab_to,
    trace,
    wait_for,
    wait_for_trace,
)
from tests.browser.open_page import OpenPage

pytestmark = pytest.mark.browser
FIELDS = ("time", "open", "high", "low", "close")


def test_the_candles_are_the_bars_of_the_api(visit: OpenPage) -> None:
    heard = Heard()
    with visit("/?symbol=BTCUSDT&refresh=off", before=heard) as page:
        wait_for(page, lambda: "/stats/BTCUSDT" in heard.answers)
        bars = heard.last("/ohlc/BTCUSDT")["bars"]
        price, volume = trace(page, "Price"), trace(page, "Volume")
        drawn = [price[name] for name in ("x", "open", "high", "low", "close")]
        assert drawn == [[bar[name] for bar in bars] for name in FIELDS]
        assert volume["y"] == [bar["volume"] for bar in bars]
        assert trace(page, "VWAP")["y"] == [bar["vwap"] for bar in bars]
        high = heard.last("/stats/BTCUSDT")["summary"]["price"]["high"]
        expect(page.locator(".statistics-panel")).to_contain_text(f"{high:,.2f}")
        with page.expect_download() as loading:
            page.get_by_role("button", name="CSV").click()
        lines = Path(loading.value.path()).read_text().splitlines()
        assert len(lines) == 1 + len(bars)
        assert f"{bars[-1]['close']:.2f}" in lines[-1]


def test_each_interval_and_lookback_is_drawn_as_the_api_has_it(visit: OpenPage) -> None:
    with visit("/?symbol=BTCUSDT&refresh=off") as page:
        for interval in ("5m", "15m", "1h", "4h", "1d", "1s", "1m"):
            choose = page.get_by_role("radio", name=interval, exact=True).check
            bars = asked(page, "/ohlc/BTCUSDT", choose, interval=interval)["bars"]
            wait_for_trace(page, "Price", "close", [bar["close"] for bar in bars])
        for count in ("120", "500", "1000"):
            with page.expect_response(lambda response: "/api/ohlc/" in response.url) as answered:
                page.select_option("[name=bars]", count)
            bars = answered.value.json()["bars"]
            wait_for_trace(page, "Price", "close", [bar["close"] for bar in bars])
            assert len(trace(page, "Price")["x"]) == int(count)


def test_symbol_window_and_refresh_are_asked_for(visit: OpenPage) -> None:
    with visit("/?symbol=BTCUSDT&refresh=off") as page:
        for window in ("1h", "4h", "7d"):
            choose = page.get_by_label("Window of the statistics").select_option
            found = asked(page, "/stats/BTCUSDT", lambda window=window, choose=choose: choose(window), window=window)
            high = found["summary"]["price"]["high"]
            expect(page.locator(".statistics-panel")).to_contain_text(f"{high:,.2f}")
        bars = asked(page, "/ohlc/ETHUSDT", lambda: page.select_option("[name=symbol]", "binance:ETHUSDT"))["bars"]
        wait_for_trace(page, "Price", "close", [bar["close"] for bar in bars])
        expect(page.get_by_role("heading", level=1)).to_contain_text("ETH/USDT")
        asked(page, "/ohlc/ETHUSDT", lambda: page.select_option("[name=refresh]", "5"))
        page.select_option("[name=refresh]", "30")
        expect(page.locator(".status-line")).to_contain_text("every 30 s")


def test_the_overlays_are_those_of_the_closes(visit: OpenPage) -> None:
    with visit("/?symbol=BTCUSDT&refresh=off") as page:
        page.get_by_text("Overlays").click()
        page.get_by_label("VWAP of each bar").uncheck()
        page.get_by_label("Moving average").check()
        page.get_by_label("Bollinger bands").check()
        page.get_by_label("Period of both").select_option("10")
        closes = trace(page, "Price")["close"]
        page.wait_for_function(
            "() => document.querySelector('[data-part=plot]').data.some((each) => each.name === 'MA 10')"
        )
        averages = [sum(closes[end - 10 : end]) / 10 for end in range(10, len(closes) + 1)]
        assert trace(page, "MA 10")["y"][9:] == pytest.approx(averages)
        low, high = trace(page, "Bollinger low")["y"], trace(page, "Bollinger high")["y"]
        middles = [(bottom + top) / 2 for bottom, top in zip(low[9:], high[9:], strict=True)]
        assert middles == pytest.approx(averages)
        names = page.evaluate("() => document.querySelector('[data-part=plot]').data.map((each) => each.name)")
        assert "VWAP" not in names


def test_the_zoom_survives_five_refreshes_and_the_url_restores_it(visit: OpenPage) -> None:
    heard = Heard()
    with visit("/?symbol=BTCUSDT&refresh=5", before=heard) as page:
        for name in ("Zoom in", "Zoom in", "Earlier", "Later", "Zoom out", "Earlier"):
            page.get_by_role("button", name=name).click()
        page.wait_for_url(lambda url: "from=" in url)
        zoomed = page.evaluate(RANGE)
        so_far = heard.count["/ohlc/BTCUSDT"]
        wait_for(page, lambda: heard.count["/ohlc/BTCUSDT"] >= so_far + 5)
        assert page.evaluate(RANGE) == zoomed
        path = path_of(page, visit)
    with visit(path) as page:
        assert page.evaluate(RANGE) == zoomed
        page.get_by_role("button", name="Latest").click()
        page.wait_for_url(lambda url: "from=" not in url)


def test_the_clock_and_the_colours_are_the_readers(visit: OpenPage) -> None:
    with visit("/?symbol=BTCUSDT&refresh=off", timezone="Asia/Kolkata") as page:
        times = trace(page, "Price")["x"]
        page.get_by_text("Display").click()
        page.get_by_role("radio", name="Blue, orange").check()
        page.get_by_role("radio", name="Local").check()
        expect(page.locator("[data-part=zone]")).to_have_text("UTC+05:30")
        assert trace(page, "Price")["x"] == [time + 19_800_000 for time in times]
        page.get_by_role("radio", name="UTC", exact=True).check()
        page.get_by_role("radio", name="Green, red").check()
        expect(page.locator("[data-part=zone]")).to_have_text("UTC")


def test_a_chart_is_read_by_keys_alone(visit: OpenPage) -> None:
    with visit("/?symbol=BTCUSDT&refresh=off") as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        tab_to(page, page.locator("[name=symbol]"))
        asked(page, "/ohlc/ETHUSDT", lambda: page.keyboard.type("ETH"))
        tab_to(page, page.get_by_role("radio", name="1m", exact=True))
        bars = asked(page, "/ohlc/ETHUSDT", lambda: page.keyboard.press("ArrowRight"), interval="5m")["bars"]
        wait_for_trace(page, "Price", "close", [bar["close"] for bar in bars])
        tab_to(page, page.locator("[data-part=frame]"))
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".bar-readout [data-part=close]")).to_have_text(f"{bars[-2]['close']:,.2f}")
        page.keyboard.press("+")
        page.wait_for_url(lambda url: "from=" in url)
        page.keyboard.press("0")
        page.wait_for_url(lambda url: "from=" not in url)
