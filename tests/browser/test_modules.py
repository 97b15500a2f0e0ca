"""The pure modules of the site, run in the browser that will run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

pytestmark = pytest.mark.browser

Run = Callable[..., Any]
MINUTE = 60_000


@pytest.fixture(scope="module")
def run(shared_context: BrowserContext, _server: Any) -> Iterator[Run]:
    """Runs a function of a module's exports and of JSON arguments: ``run("bars.js", "(m, bars) => …", bars)``."""
    if _server is None:
        pytest.skip("SITE_URL names a running stack: modules are run out of the stub's site")
    with closing(shared_context.new_page()) as page:
        page.goto(f"{_server.url}/")
        scripts = page.locator("script[type=module]").get_attribute("src")
        assert scripts
        folder, icon = scripts.rpartition("/")[0], page.locator("link[rel=icon]").get_attribute("href")
        page.goto(f"{_server.url}{icon}")

        def run(module: str, function: str, *arguments: Any) -> Any:
            code = f"async (given) => ({function})(await import('{folder}/{module}'), ...given)"
            return page.evaluate(code, list(arguments))

        yield run


def bar(time: int, close: float = 1.0, *, closed: bool = True, complete: bool | None = True) -> dict[str, Any]:
    return {"time": time, "open": 1, "high": close, "low": 1, "close": close, "volume": 1, "vwap": close, "trades": 1,
            "last_id": 1, "closed": closed, "complete": complete, "source": "trades"}  # fmt: skip


def test_fresh_bars_replace_known_ones_and_the_oldest_fall_out(run: Run) -> None:
    known, fresh = [bar(1), bar(2), bar(3)], [bar(3, 9), bar(4)]
    merged = run("bars.js", "(m, a, b) => m.mergeBars(a, b, 3)", known, fresh)
    assert [(each["time"], each["close"]) for each in merged] == [(2, 1), (3, 9), (4, 1)]


def test_the_same_bars_again_are_no_change(run: Run) -> None:
    same = "(m, a) => m.mergeBars(a, structuredClone(a), 5) === a"
    assert run("bars.js", same, [bar(1), bar(2)]) is True
    assert run("bars.js", same, []) is True


def test_the_last_closed_bar_is_where_a_refresh_starts(run: Run) -> None:
    last = "(m, bars) => m.lastClosedTime(bars)"
    assert run("bars.js", last, [bar(1), bar(2), bar(3, closed=False)]) == 2
    assert run("bars.js", last, [bar(3, closed=False)]) is None


def test_completeness_counts_closed_bars_that_have_ids(run: Run) -> None:
    bars = [bar(1), bar(2, complete=False), bar(3, complete=None), bar(4, complete=False, closed=False)]
    counted = run("bars.js", "(m, bars) => m.completeness(bars)", bars)
    assert counted == {"complete": 1, "incomplete": 1, "exchange": 1, "share": 0.5}
    assert run("bars.js", "(m, bars) => m.completeness(bars).share", [bar(1, complete=None)]) is None


def test_neighbouring_incomplete_bars_are_one_stretch(run: Run) -> None:
    bars = [bar(time, complete=time not in (20, 30, 60)) for time in range(10, 80, 10)]
    runs = run("bars.js", "(m, bars) => m.incompleteRuns(bars, 10)", bars)
    assert runs == [{"from": 20, "to": 30}, {"from": 60, "to": 60}]


@pytest.mark.parametrize(("time", "index"), [(0, 0), (14, 0), (15, 0), (16, 1), (20, 1), (99, 2)])
def test_the_nearest_bar_is_found(run: Run, time: int, index: int) -> None:
    assert run("bars.js", "(m, bars, t) => m.nearestIndex(bars, t)", [bar(10), bar(20), bar(30)], time) == index


def test_extremes_are_those_of_what_is_seen(run: Run) -> None:
    bars = [bar(10, 5), bar(20, 3), bar(30, 9)]
    assert run("bars.js", "(m, bars) => m.extremes(bars, 15, 29).high", bars) == 3
    assert run("bars.js", "(m, bars) => m.extremes(bars, 21, 29)", bars) is None


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("numberText(61837.6, 2)", "61,837.60"),
        ("numberText(-0.5, 1)", "\u22120.5"),
        ("numberText(null, 2)", "\u2013"),
        ("signedText(12.5, 2)", "+12.50"),
        ("signedText(-12.5, 2)", "\u221212.50"),
        ("signedText(0.001, 2)", "0.00"),
        ("percentText(-0.0202)", "\u22120.02 %"),
        ("shareText(0.99999)", "99.99 %"),
        ("shareText(1)", "100 %"),
        ("shareText(null)", "\u2013"),
        ("compactText(1234567)", "1.23 M"),
        ("compactText(0.744)", "0.744"),
        ("ageText(400)", "now"),
        ("ageText(61000)", "1 min 1 s ago"),
        ("zoneText(0)", "UTC"),
        ("zoneText(-12600000)", "UTC\u221203:30"),
        ("timeText(0, 3600000, 'both')", "1970-01-01 01:00:00"),
        ("arrow(-1)", "▼"),
        ("arrow(0)", ""),
        ("arrow(1)", "▲"),
    ],
)
def test_numbers_and_times_as_text(run: Run, call: str, text: str) -> None:
    assert run("format.js", f"(m) => m.{call}") == text


def test_a_view_survives_the_url(run: Run) -> None:
    back = "(m, view) => m.parseView(m.formatView(view))"
    view = {"exchange": "coinbase", "symbol": "BTC-USD", "interval": "1h", "bars": 2000,
            "overlays": ["ma", "bollinger"], "period": 50, "stats": "7d", "refresh": 0, "theme": "dark",
            "colours": "colour-blind", "clock": "local", "zoom": {"from": 1000, "to": 2000}}  # fmt: skip
    assert run("view-state.js", back, view) == view
    assert run("view-state.js", "(m) => m.formatView(m.DEFAULTS)") == ""


def test_nonsense_in_the_url_counts_as_left_out(run: Run) -> None:
    wrong = "?interval=7m&bars=-1&refresh=1&theme=pink&clock=mars&from=9&to=3&symbol=%3Cb%3E&colours=__proto__"
    assert run("view-state.js", "(m, q) => JSON.stringify(m.parseView(q)) === JSON.stringify(m.DEFAULTS)", wrong)


def test_the_url_goes_before_preferences_and_those_before_defaults(run: Run) -> None:
    view = run("view-state.js", "(m, p) => m.parseView('?theme=light', p)", {"theme": "dark", "clock": "local", "x": 1})
    assert (view["theme"], view["clock"], view["colours"]) == ("light", "local", "classic")


def test_the_page_offers_the_choices_that_the_url_knows(run: Run) -> None:
    choices = run("view-state.js", "(m) => [m.BAR_COUNTS, m.REFRESH_SECONDS, m.THEMES, m.COLOURS, m.CLOCKS]")
    offered = run(
        "view-state.js",
        """async () => {
            const page = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
            const values = (name) => [...page.querySelectorAll(`[name=${name}] option, input[name=${name}]`)];
            return ["bars", "refresh", "theme", "colours", "clock"].map((name) => values(name).map((e) => e.value));
        }""",
    )
    assert offered == [[str(value) for value in each] for each in choices]


def test_the_wait_doubles_to_a_minute(run: Run) -> None:
    waits = run("backoff.js", "(m) => [1, 2, 3, 6, 50].map((n) => m.backoff(n, () => 0))")
    assert waits == [2000, 4000, 8000, 60_000, 60_000]
    assert run("backoff.js", "(m) => m.backoff(1, () => 1)") == 1500


@pytest.mark.parametrize(
    ("given", "level"),
    [
        ({"away": True}, "away"),
        ({"started": False}, "waiting"),
        ({"lastTime": None}, "waiting"),
        ({}, "live"),
        ({"lastTime": 1_000_000 - 40_000}, "quiet"),
        ({"lastTime": 1_000_000 - 400_000}, "halted"),
        ({"lastTime": 1_000_000 - 400_000, "market": "replay"}, "replay"),
        ({"health": "degraded"}, "degraded"),
    ],
)
def test_the_feed_is_judged(run: Run, given: dict[str, Any], level: str) -> None:
    plain = {"now": 1_000_000, "lastTime": 999_000, "health": "ok", "market": "live", "away": False, "started": True}
    assert run("feed-status.js", "(m, given) => m.feedStatus(given).level", plain | given) == level


def test_zoom_stays_within_the_data(run: Run) -> None:
    full = {"from": 0, "to": 1000}
    assert run("zoom.js", "(m, f) => m.zoomBy(f, 0.5, 1000, f, 10)", full) == {"from": 500, "to": 1000}
    assert run("zoom.js", "(m, f) => m.zoomBy({from: 500, to: 510}, 0.5, 505, f, 10)", full) == {"from": 500, "to": 510}
    assert run("zoom.js", "(m, f) => m.zoomBy({from: 500, to: 1000}, 4, 500, f, 10)", full) is None
    assert run("zoom.js", "(m, f) => m.panBy({from: 100, to: 200}, -5, f)", full) == {"from": 0, "to": 100}
    assert run("zoom.js", "(m, f) => m.clampZoom({from: 2000, to: 3000}, f)", full) is None
    assert run("zoom.js", "(m, f) => m.clampZoom({from: -5, to: 1200}, f)", full) is None


@pytest.mark.parametrize(
    ("text", "time"),
    [("1970-01-02", 86_400_000), ("1970-01-01 00:01", 60_000), ("1970-01-01 00:00:01.2345", 1234), (77, 77)],
)
def test_times_of_plotly_are_read(run: Run, text: str | int, time: int) -> None:
    assert abs(run("zoom.js", "(m, text) => m.axisTime(text)", text) - time) <= 1


POLLER = """async ({ createPoller }, script) => {
    const log = [];
    const world = {
        time: 0, timers: new Map(), next: 1, veiled: false,
        now: () => world.time,
        hidden: () => world.veiled,
        setTimeout: (run, delay) => {
            world.timers.set(world.next, { run, at: world.time + delay });
            return world.next++;
        },
        clearTimeout: (timer) => world.timers.delete(timer),
        async pass(ms) {
            const end = world.time + ms;
            for (;;) {
                const due = [...world.timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at)[0];
                if (!due) break;
                world.timers.delete(due[0]);
                world.time = due[1].at;
                due[1].run();
                await new Promise((resolve) => setTimeout(resolve));
            }
            world.time = end;
        },
    };
    const answers = [];
    const task = (signal) => {
        log.push(world.time);
        return answers.length ? answers.shift()(signal) : Promise.resolve();
    };
    const states = [];
    const poller = createPoller({ task, changed: (s) => states.push(s), world, wait: (n) => n * 1000 });
    const settle = () => new Promise((resolve) => setTimeout(resolve));
    return await new Function("poller", "world", "answers", "states", "log", "settle",
        `return (async () => { ${script} })()`)(poller, world, answers, states, log, settle);
}"""


def test_the_poller_keeps_its_beat_and_never_overlaps(run: Run) -> None:
    assert run("poller.js", POLLER, """
        poller.restart(); poller.setInterval(5000); await settle(); await world.pass(10000);
        let finish; answers.push(() => new Promise((resolve) => { finish = resolve; }));
        await world.pass(12000); poller.wake(); finish(); await settle(); await world.pass(1000);
        return log;
    """) == [0, 5000, 10_000, 15_000, 22_000]  # fmt: skip


def test_the_poller_backs_off_and_recovers(run: Run) -> None:
    assert run("poller.js", POLLER, """
        const fail = () => Promise.reject(new Error("away")); answers.push(fail, fail);
        poller.restart(); poller.setInterval(5000); await settle(); await world.pass(8000);
        return [log, states.map((s) => s.failures), states[1].since];
    """) == [[0, 1000, 3000, 8000], [1, 2, 0, 0], 0]  # fmt: skip


def test_the_poller_rests_while_hidden_and_catches_up(run: Run) -> None:
    assert run("poller.js", POLLER, """
        poller.restart(); poller.setInterval(5000); await settle(); await world.pass(1000);
        world.veiled = true; poller.visibilityChanged(); await world.pass(60000);
        world.veiled = false; poller.visibilityChanged(); await settle();
        return log;
    """) == [0, 61_000]  # fmt: skip


def test_a_restart_aborts_what_is_under_way(run: Run) -> None:
    assert run("poller.js", POLLER, """
        let old; answers.push((signal) => { old = signal; return new Promise(() => {}); });
        poller.restart(); poller.restart(); await settle();
        return [old.aborted, log.length, states.length];
    """) == [True, 2, 1]  # fmt: skip
