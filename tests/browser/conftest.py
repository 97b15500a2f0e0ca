"""A browser, and something for it to look at.

The pages are shown from :mod:`tests.browser.stub`, or from a running stack where ``SITE_URL`` names one: then the
tests that steer the market skip, and the others hold of the real thing.
"""

from __future__ import annotations

import importlib.resources
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright

from frontend_static.build import build
from tests.browser.open_page import DESKTOP, PATIENCE, OpenPage
from tests.browser.stub import Stub, StubServer

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


@pytest.fixture(scope="session")
def chromium() -> str:
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        pytest.skip(f"no Chromium: none of {', '.join(CHROMIUMS)} is on the PATH")
    return path


@pytest.fixture(scope="package")
def _playwright() -> Iterator[Playwright]:
    # Its event loop runs in the main thread for as long as this lasts: no test with a loop of its own may come between.
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(_playwright: Playwright, chromium: str) -> Iterator[Browser]:
    with closing(_playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))) as browser:
        yield browser


@pytest.fixture(scope="package")
def shared_context(
    _playwright: Playwright, chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """For all pages without wishes of their own: with a profile on disk plotly.js is compiled once, not for each."""
    with closing(_with_profile(_playwright, chromium, tmp_path_factory)) as context:
        yield context


@pytest.fixture(scope="package")
def clocked_context(
    _playwright: Playwright, chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """The same for pages whose clock the test drives: a clock belongs to a context, and stays with it."""
    with closing(_with_profile(_playwright, chromium, tmp_path_factory)) as context:
        yield context


def _with_profile(playwright: Playwright, chromium: str, folders: pytest.TempPathFactory) -> BrowserContext:
    return playwright.chromium.launch_persistent_context(
        folders.mktemp("profile"), executable_path=chromium, args=list(FLAGS), viewport=DESKTOP, timezone_id="UTC"
    )


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


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, as a Python package ships it."""
    source = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js")
    return source.read_text(encoding="utf-8")


@pytest.fixture
def open_page(
    browser: Browser, shared_context: BrowserContext, clocked_context: BrowserContext, base_url: str
) -> OpenPage:
    return OpenPage(browser, shared_context, clocked_context, base_url)
