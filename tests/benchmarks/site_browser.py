"""A Chromium whose work is counted: bytes over the wire, time of the main thread, memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager

from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.browser.conftest import CHROMIUMS, FLAGS
from tests.browser.open_page import DESKTOP


def chromium() -> str | None:
    """Where a Chromium is; None where there is none."""
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)


@contextmanager
def fresh_page(path: str) -> Iterator[tuple[Page, CDPSession]]:
    """A page in a browser that has seen nothing, and the line to its inner workings."""
    with (
        sync_playwright() as playwright,
        closing(playwright.chromium.launch(executable_path=path, args=list(FLAGS))) as browser,
    ):
        context = browser.new_context(viewport=DESKTOP)
        page = context.new_page()
        yield page, context.new_cdp_session(page)


class Wire:
    """The bytes that came in, heads included, as the browser counts them."""

    def __init__(self, session: CDPSession) -> None:
        self.total = 0
        session.on("Network.loadingFinished", self._add)
        session.send("Network.enable")

    def _add(self, event: dict[str, float]) -> None:
        self.total += int(event["encodedDataLength"])


def main_thread_ms(session: CDPSession) -> float:
    """How long the main thread has worked so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return 1000 * next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")


def heap_bytes(session: CDPSession) -> int:
    """All that the engine holds for the page, its own machine code included, once what is unreachable is given back."""
    session.send("HeapProfiler.collectGarbage")
    return int(session.send("Runtime.getHeapUsage")["usedSize"])
