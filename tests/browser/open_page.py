"""Opens a page and hears what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, ViewportSize

# For what has to come, however busy the machine is.
PATIENCE = 60_000
DESKTOP: ViewportSize = {"width": 1440, "height": 900}


@dataclass
class OpenPage:
    browser: Browser
    shared: BrowserContext
    clocked: BrowserContext
    base_url: str
    # Called with every page before it is led anywhere.
    watch: Callable[[Page], object] = lambda page: None
    _unanswered: set[Request] = field(default_factory=set)

    def at_rest(self, page: Page) -> None:
        """Waits until all that the page has asked is answered and drawn; while its clock stands it asks no more."""
        while self._unanswered:
            page.wait_for_timeout(50)
        page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")

    @contextmanager
    def __call__(
        self,
        path: str = "/",
        *,
        faulty: bool = False,
        viewport: ViewportSize = DESKTOP,
        before: Callable[[Page], object] = lambda page: None,
        timezone: str = "UTC",
        touch: bool = False,
        clock: float | None = None,
        drawn: bool = True,
    ) -> Iterator[Page]:
        """Opens a path in a browser that remembers nothing.

        At the end the page must have logged nothing and asked no other host.

        Args:
            faulty: Requests are made to fail, which the browser logs by itself.
            before: Called with the page before it is led anywhere.
            clock: Where the page's own clock starts, in seconds; the test drives it from then on.
            drawn: Wait for the first candles.
        """
        own = (viewport, timezone, touch) != (DESKTOP, "UTC", False)
        context = self.shared if clock is None else self.clocked
        if own:
            context = self.browser.new_context(viewport=viewport, timezone_id=timezone, has_touch=touch)
        if clock is not None:
            context.clock.install(time=clock)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        with closing(context if own else page):
            said = self._listen(page, faulty)
            self.watch(page)
            before(page)
            page.goto(self.base_url + path)
            try:
                if drawn:
                    page.wait_for_selector(".price-chart[data-bars]")
                yield page
            finally:
                page.evaluate("localStorage.clear()")
        assert said == [], said

    def _listen(self, page: Page, faulty: bool) -> list[str]:
        said: list[str] = []

        def hear(message: ConsoleMessage) -> None:
            url = message.location["url"]
            # What the browser itself notes of a status: a platform that is down, or too busy to know, says so with 503.
            is_status = "Failed to load resource" in message.text
            if not (is_status and (faulty or (url.endswith("/api/health") and "503" in message.text))):
                said.append(f"{message.type}: {message.text} {url}")

        def see(request: Request) -> None:
            if urlsplit(request.url).scheme.startswith("http") and not request.url.startswith(self.base_url + "/"):
                said.append(f"asked {request.url}")

        page.on("console", hear)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", see)
        self._unanswered.clear()
        page.on("request", lambda request: self._unanswered.add(request))
        page.on("requestfinished", lambda request: self._unanswered.discard(request))
        page.on("requestfailed", lambda request: self._unanswered.discard(request))
        return said
