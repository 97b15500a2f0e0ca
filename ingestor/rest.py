"""REST requests within the exchange's weight budget."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

import requests
from urllib3.exceptions import HTTPError

from ingestor.backoff import Backoff
from ingestor.budget import WeightBudget
from ingestor.exchanges.base import Request
from ingestor.logging_json import Log
from ingestor.threads import in_thread
from quant.errors import ExchangeError, RateLimitedError, UnsupportedError

CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 3.05, 10.0, 30.0
_LARGEST = 64 * 2**20
_TOO_MANY, _BANNED, _REGION = 429, 418, 451
REGION_REFUSED = "HTTP 451: the exchange refuses requests from this region"


class RestClient:
    """Sends requests as values; time-outs always, a pause where the exchange asks for one."""

    def __init__(
        self,
        budget: WeightBudget,
        log: Log,
        *,
        used_header: str = "",
        per_second: float = float("inf"),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._apart, self._next_at = 1 / per_second, 0.0
        self.budget, self._log, self._used_header, self._clock = budget, log, used_header, clock
        self._session, self._turn = requests.Session(), asyncio.Lock()
        self.requests = self.refusals = 0

    async def call(self, request: Request) -> bytes:
        """One attempt, as soon as the budget allows it.

        Raises:
            RateLimitedError, UnsupportedError, ExchangeError: with ``retryable``.
        """
        async with self._turn:
            while (pause := self.budget.wait(request.weight, self._clock())) > 0:
                await asyncio.sleep(pause)
            # Some exchanges count per second: requests keep their distance.
            await asyncio.sleep(max(self._next_at - time.monotonic(), 0.0))
            self._next_at = time.monotonic() + self._apart
            self.budget.spend(request.weight, self._clock())
        self.requests += 1
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                status, headers, body = await in_thread(self._send, request)
        except (requests.RequestException, HTTPError, OSError) as exc:
            raise ExchangeError(request.name, type(exc).__name__) from exc
        used = headers.get(self._used_header, "") if self._used_header else ""
        if used.isdigit():
            self.budget.observe(int(used), self._clock())
        if status == 200:
            return body
        self.refusals += 1
        error = refusal(request.name, status, headers)
        if isinstance(error, RateLimitedError):
            self.budget.close(error.retry_after, self._clock())
            self._log("rate_limited", "WARNING", request=request.name, status=status, pause_s=error.retry_after)
        raise error

    async def fetch(self, request: Request, *, attempts: int | None = None) -> bytes:
        """Like ``call``, again and again while that may help."""
        backoff = Backoff(base=0.25, cap=30.0)
        while True:
            try:
                return await self.call(request)
            except ExchangeError as exc:
                if not exc.retryable or backoff.failures + 1 == attempts:
                    raise
                pause = backoff.next()
                self._log("rest_retry", "WARNING", request=request.name, reason=exc.reason, pause_s=round(pause, 3))
                await asyncio.sleep(pause)

    def _send(self, request: Request) -> tuple[int, Mapping[str, str], bytes]:
        with self._session.get(
            request.url, params=list(request.params), timeout=(CONNECT_SECONDS, READ_SECONDS), stream=True,
            allow_redirects=False,
        ) as response:  # fmt: skip
            body = response.raw.read(_LARGEST + 1, decode_content=True)
            if len(body) > _LARGEST:
                raise requests.RequestException("the answer is too large")
            return response.status_code, response.headers, body


def refusal(name: str, status: int, headers: Mapping[str, str]) -> ExchangeError:
    """What an answer other than 200 means."""
    if status in (_TOO_MANY, _BANNED):
        text = headers.get("Retry-After", "")
        return RateLimitedError(name, float(text) if text.isdigit() else 60.0 if status == _TOO_MANY else 120.0)
    if status == _REGION:
        return ExchangeError(name, REGION_REFUSED, retryable=False)
    if status in (401, 404):
        return UnsupportedError(name)
    return ExchangeError(name, f"HTTP {status}", retryable=status >= 500 or status in (403, 408))
