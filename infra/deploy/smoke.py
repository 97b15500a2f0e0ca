"""Whether what was deployed answers, asked as a browser asks."""

from __future__ import annotations

import time
from collections.abc import Callable

import requests

from infra.local.errors import DeploymentError


def smoke(site: str, api: str, patience: float = 60.0, pause: Callable[[float], None] = time.sleep) -> str:
    """Ask for the first page and for the API's health; returns the health's status.

    Right after a first deployment nobody ingests yet: health may say 503, but it has to say so itself.

    Raises:
        DeploymentError: one of them did not answer as it should.
    """
    _until(site, lambda reply: reply.status_code == 200 and "<html" in reply.text, patience, pause)
    health = _until(f"{api}/health", _is_health, patience, pause)
    return str(health.json()["status"])


def _is_health(reply: requests.Response) -> bool:
    kind = reply.headers.get("Content-Type", "")
    return reply.status_code in (200, 503) and kind.startswith("application/json") and "status" in reply.json()


def _until(
    url: str, good: Callable[[requests.Response], bool], patience: float, pause: Callable[[float], None]
) -> requests.Response:
    deadline, problem = time.monotonic() + patience, ""
    while True:
        try:
            reply = requests.get(url, timeout=20)
            if good(reply):
                return reply
            problem = f"status {reply.status_code}: {reply.text[:200]}"
        except requests.RequestException as exc:
            problem = type(exc).__name__
        if time.monotonic() > deadline:
            raise DeploymentError(f"{url} does not answer as it should: {problem}")
        pause(2.0)
