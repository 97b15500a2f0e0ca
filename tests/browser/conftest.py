"""A browser, and something for it to look at.

The pages are shown from :mod:`stub`, or from a running stack where ``SITE_URL`` names one: then the tests that steer
the market skip, and the others hold of the real thing.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, ViewportSize, sync_playwright

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from stub import Stub, StubServer  # noqa: E402

from frontend_static.build import build  # noqa: E402

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)
DESKTOP: ViewportSize = {"width": 1440, "height": 900}

OpenPage = Callable[..., AbstractContextManager[Page]]


@pytest.fixture(scope="session")
def chromium() -> str:
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        pytest.skip(f"no Chromium: none of {', '.join(CHROMIUMS)} is on the PATH")
    return path


@pytest.fixture(scope="session")
def _playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(_playwright: Playwright, chromium: str) -> Iterator[Browser]:
    with closing(_playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))) as browser:
        yield browser


@pytest.fixture(scope="session")
def shared_context(
    _playwright: Playwright, chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """For all pages without wishes of their own: with a profile on disk plotly.js is compiled once, not for each."""
    profile = tmp_path_factory.mktemp("profile")
    with closing(
        _playwright.chromium.launch_persistent_context(
            profile, executable_path=chromium, args=list(FLAGS), viewport=DESKTOP, timezone_id="UTC"
        )
    ) as context:
        yield context


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def _server(site: Path) -> Iterator[StubServer | None]:
    if os.environ.get("SITE_URL"):
        yield None
        return
    server = StubServer(Stub(site))
    yield server
    server.stop()


@pytest.fixture
def base_url(_server: StubServer | None, site: Path) -> str:
    if _server is None:
        return os.environ["SITE_URL"].rstrip("/")
    _server.stub = Stub(site)
    return _server.url


@pytest.fixture
def stub(_server: StubServer | None, base_url: str) -> Stub:
    """The stub behind ``base_url``, fresh for each test."""
    if _server is None:
        pytest.skip("steers the market, which a running stack does not allow")
    return _server.stub


@pytest.fixture
def open_page(browser: Browser, shared_context: BrowserContext, base_url: str) -> OpenPage:
    """Opens a path in a browser that remembers nothing. At the end the page must have logged nothing and asked no other host.

    ``clock`` is the time at which the page's own clock starts, to be driven by the test from then on. ``faulty=True`` is for pages whose requests are made to fail, which the browser logs by itself.
    """

    @contextmanager
    def open_page(
        path: str = "/",
        *,
        faulty: bool = False,
        viewport: ViewportSize = DESKTOP,
        before: Callable[[Page], None] = lambda page: None,
        timezone: str = "UTC",
        touch: bool = False,
        clock: float | None = None,
        drawn: bool = True,
    ) -> Iterator[Page]:
        said: list[str] = []

        def hear(message: ConsoleMessage) -> None:
            if not (faulty and "Failed to load resource" in message.text):
                said.append(f"{message.type}: {message.text}")

        def see(request: Request) -> None:
            if urlsplit(request.url).scheme.startswith("http") and not request.url.startswith(base_url + "/"):
                said.append(f"asked {request.url}")

        own = (viewport, timezone, touch, clock) != (DESKTOP, "UTC", False, None)
        context = browser.new_context(viewport=viewport, timezone_id=timezone, has_touch=touch) if own else shared_context
        if clock is not None:
            context.clock.install(time=clock)
        page = context.new_page()
        page.set_default_timeout(10_000)
        with closing(context if own else page):
            page.on("console", hear)
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("request", see)
            before(page)
            page.goto(base_url + path)
            try:
                if drawn:
                    page.wait_for_selector(".price-chart[data-bars]")
                yield page
            finally:
                page.evaluate("localStorage.clear()")
        assert said == []

    return open_page
