"""A Chromium whose work is counted: bytes over the wire, time of the main thread, memory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

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


def heap_bytes(session: CDPSession) -> tuple[int, int]:
    """What the page holds once all that is unreachable has been given back: its objects, and all of the heap.

    Objects are all nodes of a snapshot but two kinds: machine code, which the engine goes on making for half an hour as
    it sees what runs often, and the copies of answers that the browser keeps for whoever debugs it.
    """
    parts: list[str] = []

    def take(event: dict[str, str]) -> None:
        parts.append(event["chunk"])

    session.on("HeapProfiler.addHeapSnapshotChunk", take)
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    session.remove_listener("HeapProfiler.addHeapSnapshotChunk", take)
    used = int(session.send("Runtime.getHeapUsage")["usedSize"])
    return _objects(json.loads("".join(parts))), used


def _objects(snapshot: dict[str, Any]) -> int:
    meta = snapshot["snapshot"]["meta"]
    fields, kinds, names = meta["node_fields"], meta["node_types"][0], snapshot["strings"]
    kind, name, size = (fields.index(each) for each in ("type", "name", "self_size"))
    nodes, width = snapshot["nodes"], len(fields)
    return sum(
        nodes[at + size]
        for at in range(0, len(nodes), width)
        if kinds[nodes[at + kind]] != "code" and not names[nodes[at + name]].startswith("blink::NetworkResourcesData")
    )
