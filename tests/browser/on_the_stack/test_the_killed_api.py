"""The API is killed under a page, stays away, and comes back. After all other tests: the newest rules die with it."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from playwright.sync_api import expect

from tests.browser.on_the_stack.hearing import trace, wait_for
from tests.browser.open_page import OpenPage
from tests.integration.client import get
from tests.integration.conftest import RunningStack

pytestmark = pytest.mark.browser
BACK_WITHIN = 120_000


def test_an_api_that_is_killed_is_said_and_recovers(visit: OpenPage, stack: RunningStack) -> None:
    with visit("/?symbol=BTCUSDT&refresh=5", faulty=True) as page:
        with killed(stack):
            # The page asks now, and not only when its next refresh is due.
            page.evaluate("dispatchEvent(new Event('online'))")
            expect(page.locator(".api-notice")).to_be_visible()
            expect(page.locator(".status-line")).to_contain_text("Offline")
            expect(page.locator("[data-part=price]")).to_contain_text(".")
        page.get_by_role("button", name="Try now").click()
        expect(page.locator(".api-notice")).to_be_hidden(timeout=BACK_WITHIN)
        expect(page.locator(".status-line")).not_to_contain_text("Offline")
        wait_for(page, lambda: trace(page, "Price")["open"][-2:] == newest_opens(stack))


def newest_opens(stack: RunningStack) -> list[float]:
    return [float(bar["open"]) for bar in get(stack.url, "/api/ohlc/BTCUSDT", interval="1m", limit=2)["bars"]]


@contextmanager
def killed(stack: RunningStack) -> Iterator[None]:
    """Kills the emulator and keeps its port, so that the API stays away for as long as this lasts."""
    port = int(stack.emulator_url.rpartition(":")[2])
    listening = emulator_of(stack, port)
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        os.kill(listening.pid, signal.SIGKILL)
        psutil.wait_procs([listening], timeout=10)
        held.bind(("127.0.0.1", port))
        yield


def emulator_of(stack: RunningStack, port: int) -> psutil.Process:
    """The process that listens on the emulator's port, of this very run."""
    for child in psutil.Process(stack.process.pid).children(recursive=True):
        if any(one.laddr.port == port and one.status == psutil.CONN_LISTEN for one in child.net_connections()):
            return child
    raise AssertionError(f"nothing of the run listens on {port}")
