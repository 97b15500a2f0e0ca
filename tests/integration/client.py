"""A client of the API for tests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import requests


def get(url: str, path: str, **query: Any) -> Any:
    reply = requests.get(url + path, params=query, timeout=20)
    assert reply.status_code == 200, reply.text
    return json.loads(reply.text, parse_float=Decimal)


def all_ticks(url: str, symbol: str, **query: Any) -> list[dict[str, Any]]:
    ticks: list[dict[str, Any]] = []
    query |= {"start": 0, "limit": 1000}
    while True:
        page = get(url, f"/api/ticks/{symbol}", **query)
        ticks += page["ticks"]
        if page["next_cursor"] is None:
            return ticks
        query["cursor"] = page["next_cursor"]


def await_answer(url: str, path: str, wanted: Any, patience: float = 100.0, **query: Any) -> Any:
    """Ask until the answer is as wanted, not so often that the API's own limit is felt."""
    deadline = time.monotonic() + patience
    while not wanted(answer := get(url, path, **query)):
        assert time.monotonic() < deadline, f"{path} stayed {str(answer)[:500]}"
        time.sleep(0.2)
    return answer


def wait_until(wanted: Callable[[], bool], patience: float = 100.0) -> None:
    """Looks twice a second, and fails where it has not come true in time."""
    deadline = time.monotonic() + patience
    while not wanted():
        assert time.monotonic() < deadline, f"it has not come true within {patience:g} s"
        time.sleep(0.5)
