"""What the dashboard costs its reader: time to the first candle, work and bytes of a refresh, memory over hours.

The first visit and the bytes are measured on a running stack; the work of a refresh and the memory on the stub of the
browser tests, whose market can be stepped through hours in a minute.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import CDPSession, Page

from frontend_static.build import build
from tests.benchmarks.row import Row
from tests.benchmarks.site_browser import Wire, chromium, fresh_page, heap_bytes, main_thread_ms
from tests.browser.stub import NOON, Stub, StubServer
from tests.integration.client import await_answer
from tests.integration.conftest import started_stack

VISITS = 5
REFRESHES, EARLY, LATE = 20, 20, 500
# For some 300 refreshes the engine goes on compiling what it finds to run often, and that is most of what grows then.
COMPILED = 300
EVERY = 5000
NAMES = (
    ("site.first_candle_ms", "ms"), ("site.refresh_ms", "ms"), ("site.refresh_bytes", "B"),
    ("site.first_visit_bytes", "B"), ("site.heap_growth", "times"),
)  # fmt: skip


def run() -> list[Row]:
    path = chromium()
    if path is None:
        return [Row(name, None, unit, "no Chromium is on this machine") for name, unit in NAMES]
    with tempfile.TemporaryDirectory() as folder, started_stack(Path(folder), FLUSH_SECONDS="1") as stack:
        await_answer(stack.url, "/api/ohlc/BTCUSDT", lambda answer: len(answer["bars"]) > 100, interval="1m", limit=250)
        visits = [_visit(path, stack.url) for _ in range(VISITS)]
        refresh_bytes = _refresh_bytes(path, stack.url)
        stack.stop()
    with _stub() as (server, stub):
        refresh_ms = _refresh_ms(path, server.url, stub)
        growth, once_compiled = _heap_growth(path, server.url, stub)
    first, size = (median(each) for each in zip(*visits, strict=True))
    heap = f"used heap after {LATE} refreshes / after {EARLY}; {once_compiled:.2f} where {COMPILED} went before"
    return [
        Row("site.first_candle_ms", round(first), "ms", f"median of {VISITS} first visits", goal="≤ 1500"),
        Row("site.refresh_ms", round(refresh_ms, 1), "ms", "main thread, 1,000 bars", goal="≤ 150"),
        Row("site.refresh_bytes", round(refresh_bytes), "B", "mean of a minute at 5 s", goal="≤ 10,000"),
        Row("site.first_visit_bytes", round(size), "B", "all that is loaded, gzipped", goal="≤ 600,000"),
        Row("site.heap_growth", round(growth, 3), "times", heap, goal="≤ 1.10"),
    ]


@contextmanager
def _stub() -> Iterator[tuple[StubServer, Stub]]:
    with tempfile.TemporaryDirectory() as folder:
        stub = Stub(build(Path(folder)))
        server = StubServer(stub)
        try:
            yield server, stub
        finally:
            server.stop()


def _visit(path: str, url: str) -> tuple[float, int]:
    """Milliseconds from asking for the page to its first candle, and the bytes until the page is at rest."""
    with fresh_page(path) as (page, session):
        wire = Wire(session)
        page.goto(f"{url}/?symbol=BTCUSDT&refresh=off")
        page.wait_for_selector(".price-chart[data-bars]")
        page.wait_for_load_state("networkidle")
        return float(page.evaluate("performance.getEntriesByName('first-candle')[0].startTime")), wire.total


def _refresh_bytes(path: str, url: str) -> float:
    """Bytes of a refresh on the mean over a minute: some ask for more than others."""
    with fresh_page(path) as (page, session):
        asked: list[str] = []
        page.goto(f"{url}/?symbol=BTCUSDT&refresh=5")
        page.wait_for_selector(".price-chart[data-bars]")
        page.wait_for_load_state("networkidle")
        wire = Wire(session)
        page.on("requestfinished", lambda request: asked.append(request.url))
        page.wait_for_timeout(60_000)
        return wire.total / len([each for each in asked if "/api/ohlc/" in each])


def _opened(page: Page, url: str, stub: Stub, bars: int) -> None:
    page.clock.install(time=(NOON + 25_000) / 1000)
    stub.now = NOON + 25_000
    page.goto(f"{url}/?symbol=BTCUSDT&refresh=5&bars={bars}")
    page.wait_for_selector(f".price-chart[data-bars='{bars}']")


def _tick(page: Page, stub: Stub) -> None:
    """One refresh: the market goes on, the page asks, and draws what came."""
    stub.now += EVERY
    with page.expect_response(lambda response: "/api/ohlc/" in response.url) as answered:
        page.clock.run_for(EVERY)
    answered.value.finished()
    last = stub.ohlc("BTCUSDT", {"interval": "1m", "limit": "1"})
    assert last is not None
    page.wait_for_function(
        "(close) => document.querySelector('[data-part=plot]').data.find((each) => each.name === 'Price')"
        ".close.at(-1) === close",
        arg=last["bars"][-1]["close"],
    )


def _refresh_ms(path: str, url: str, stub: Stub) -> float:
    with fresh_page(path) as (page, session):
        session.send("Performance.enable")
        _opened(page, url, stub, 1000)
        for _ in range(3):
            _tick(page, stub)
        return median(_work(page, session, stub) for _ in range(REFRESHES))


def _work(page: Page, session: CDPSession, stub: Stub) -> float:
    before = main_thread_ms(session)
    _tick(page, stub)
    return main_thread_ms(session) - before


def _heap_growth(path: str, url: str, stub: Stub) -> tuple[float, float]:
    """How often the heap of early on is held in the end: from the very start, and once the engine has compiled."""
    marks = (EARLY, COMPILED + EARLY, LATE, COMPILED + LATE)
    with fresh_page(path) as (page, session):
        _opened(page, url, stub, 250)
        used: dict[int, int] = {}
        for refresh in range(1, marks[-1] + 1):
            _tick(page, stub)
            if refresh in marks:
                used[refresh] = heap_bytes(session)
    return used[LATE] / used[EARLY], used[COMPILED + LATE] / used[COMPILED + EARLY]
