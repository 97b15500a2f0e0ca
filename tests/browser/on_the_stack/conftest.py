"""One run of the local stack for all tests of this folder, and a note of each control that they use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.on_the_stack.controls import Controls
from tests.browser.open_page import OpenPage
from tests.integration.conftest import RunningStack, started_stack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    symbols = "BTCUSDT,ETHUSDT,BNBUSDT,BCHUSDT"
    with started_stack(tmp_path_factory.mktemp("site-stack"), SYMBOLS=symbols) as running:
        yield running
        assert running.stop() == 0


@pytest.fixture(scope="package")
def controls() -> Controls:
    return Controls()


@pytest.fixture
def visit(
    stack: RunningStack,
    browser: Browser,
    shared_context: BrowserContext,
    clocked_context: BrowserContext,
    controls: Controls,
) -> OpenPage:
    return OpenPage(browser, shared_context, clocked_context, stack.url, watch=controls.watch)
