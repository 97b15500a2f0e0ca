"""What the API said to a page, and what the page made of it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, Request, Response

from tests.browser.open_page import OpenPage

RANGE = "() => document.querySelector('[data-part=plot]')._fullLayout.xaxis.range"


class Heard:
    """The answers of the API to a page, by their path. An instance is given to ``before`` of a visit."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = {}
        self.count: Counter[str] = Counter()
        self._unanswered: set[Request] = set()

    def __call__(self, page: Page) -> None:
        page.on("request", lambda request: self._unanswered.add(request))
        page.on("requestfinished", lambda request: self._unanswered.discard(request))
        page.on("requestfailed", lambda request: self._unanswered.discard(request))
        page.on("response", self._hear)

    def last(self, path: str) -> Any:
        return self.answers[path][-1]

    def end_refreshes(self, page: Page) -> None:
        """Stops a page, and waits until all that it has asked is answered and drawn: then both say the same."""
        page.select_option("[name=refresh]", "0")
        wait_for(page, lambda: not self._unanswered)
        page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        assert not self._unanswered

    def _hear(self, response: Response) -> None:
        path = "/" + response.url.partition("/api/")[2].partition("?")[0]
        if path == "/" or response.status != 200:
            return
        self.count[path] += 1
        # An answer that has not changed comes out of the browser's cache, and is not given here again.
        if text := response.text():
            self.answers.setdefault(path, []).append(json.loads(text))


def wait_for(page: Page, wanted: Callable[[], bool], patience: float = 60.0) -> None:
    """Waits without stopping the page's events."""
    deadline = time.monotonic() + patience
    while not wanted():
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)


def asked(page: Page, path: str, act: Callable[[], object], **query: str) -> Any:
    """Does something and returns the answer to the question that it must make the page ask, with these parameters."""

    def is_it(response: Response) -> bool:
        url = urlsplit(response.url)
        given = {name: values[0] for name, values in parse_qs(url.query).items()}
        return url.path == f"/api{path}" and query.items() <= given.items() and response.status in (200, 201, 202)

    with page.expect_response(is_it) as answered:
        act()
    return answered.value.json()


def trace(page: Page, name: str, of: str = ".price-chart") -> dict[str, Any]:
    """One trace of a chart, as it is drawn."""
    found: dict[str, Any] = page.evaluate(
        """([of, name]) => {
            const { data } = document.querySelector(`${of} [data-part=plot]`);
            const { x, y, open, high, low, close } = data.find((each) => each.name === name);
            return { x, y, open, high, low, close };
        }""",
        [of, name],
    )
    return found


def wait_for_trace(page: Page, name: str, column: str, values: list[Any], of: str = ".price-chart") -> None:
    """Waits until a trace has these values."""
    page.wait_for_function(
        """([of, name, column, values]) => {
            const found = document.querySelector(`${of} [data-part=plot]`)?.data?.find((each) => each.name === name);
            return found && JSON.stringify(found[column].slice(-values.length)) === JSON.stringify(values);
        }""",
        arg=[of, name, column, values],
    )


def tab_to(page: Page, control: Locator) -> None:
    """Reaches a control by the Tab key alone."""
    for _ in range(150):
        page.keyboard.press("Tab")
        if control.evaluate("(node) => node === document.activeElement"):
            return
    raise AssertionError(f"Tab does not lead to {control}")


def path_of(page: Page, visit: OpenPage) -> str:
    return page.url.removeprefix(visit.base_url)
