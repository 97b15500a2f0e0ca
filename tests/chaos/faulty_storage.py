"""A DynamoDB endpoint in front of the emulator that throttles, loses answers, hands items back and goes away."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web

from quant.domain.chunk import Chunk
from quant.domain.market import Market

_HEADERS = {"Content-Type": "application/x-amz-json-1.0"}
_THROTTLED = {
    "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    "message": "slow down",
}
_WRITES = ("PutItem", "BatchWriteItem")
# How many chunks a write must hold, so that the fault concerns trades.
_NEEDED = {"throttle": 1, "answer_lost": 1, "unprocessed": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageFault:
    """``kind`` is throttle, answer_lost, unprocessed or outage."""

    kind: str
    times: int = 1
    seconds: float = 0.0


@dataclass(slots=True)
class _Armed:
    fault: StorageFault
    left: int


@dataclass(slots=True)
class FaultyStorage:
    """Forwards to ``upstream``; every chunk that upstream has confirmed is told to ``stored``."""

    upstream: str
    table: str
    stored: Callable[[Chunk], None]
    rng: Random
    struck: Callable[[object], None] = lambda fault: None
    port: int = 0
    _armed: list[_Armed] = field(default_factory=list)
    _away_until: float = 0.0
    _runner: web.AppRunner | None = None
    _session: ClientSession | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, fault: StorageFault) -> None:
        if fault.kind == "outage":
            self._away_until = time.monotonic() + fault.seconds
            self.struck(fault)
        else:
            self._armed.append(_Armed(fault, fault.times))

    @property
    def armed(self) -> int:
        return len(self._armed)

    async def start(self) -> None:
        self._session = ClientSession(connector=TCPConnector(limit=64), timeout=ClientTimeout(total=60))
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None and self._session is not None:
            await self._runner.cleanup()
            await self._session.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.read()
        except ConnectionError:  # of an ingestor that has been killed meanwhile
            return _hung_up(request)
        action = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if time.monotonic() < self._away_until:
            return _hung_up(request)
        fault = self._take(len(self._chunks(action, body))) if action in _WRITES else None
        if fault is not None and fault.kind == "throttle":
            return web.Response(body=msgspec.json.encode(_THROTTLED), status=400, headers=_HEADERS)
        given_back: dict[str, Any] = {}
        if fault is not None and fault.kind == "unprocessed":
            body, given_back = self._split(body)
        try:
            status, answer = await self._forward(request, body)
        except ClientError:
            return _hung_up(request)
        if status == 200 and action in _WRITES:
            self._note(action, body)
        if fault is not None and fault.kind == "answer_lost":
            await asyncio.sleep(fault.seconds)
            return _hung_up(request)
        if given_back:
            decoded = msgspec.json.decode(answer)
            decoded["UnprocessedItems"] = given_back
            answer = msgspec.json.encode(decoded)
        return web.Response(body=answer, status=status, headers=_HEADERS)

    def _take(self, chunks: int) -> StorageFault | None:
        """The next fault that a write of so many chunks can suffer."""
        for armed in self._armed:
            if chunks >= _NEEDED[armed.fault.kind]:
                self.struck(armed.fault)
                armed.left -= 1
                if armed.left == 0:
                    self._armed.remove(armed)
                return armed.fault
        return None

    async def _forward(self, request: web.Request, body: bytes) -> tuple[int, bytes]:
        assert self._session is not None
        names = ("X-Amz-Target", "X-Amz-Date", "Authorization", "Content-Type")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        async with self._session.post(self.upstream, data=body, headers=headers) as answer:
            return answer.status, await answer.read()

    def _split(self, body: bytes) -> tuple[bytes, dict[str, Any]]:
        """Some of a batch; the rest comes back unprocessed."""
        request = msgspec.json.decode(body)
        items = request["RequestItems"][self.table]
        kept = self.rng.randrange(1, len(items))
        request["RequestItems"][self.table] = items[:kept]
        return msgspec.json.encode(request), {self.table: items[kept:]}

    def _note(self, action: str, body: bytes) -> None:
        for item in self._chunks(action, body):
            self.stored(chunk_of(item["pk"]["S"], item["sk"]["S"], base64.b64decode(item["p"]["B"]), item))

    def _chunks(self, action: str, body: bytes) -> list[Any]:
        """The items of a write that are chunks of trades."""
        request = msgspec.json.decode(body)
        if action == "PutItem":
            items = [request["Item"]] if request["TableName"] == self.table else []
        else:
            items = [one["PutRequest"]["Item"] for one in request["RequestItems"].get(self.table, [])]
        return [item for item in items if item["pk"]["S"].count("#") == 2]


def chunk_of(pk: str, sk: str, payload: bytes, item: Any) -> Chunk:
    first, last, digest = sk.split("#")
    numbers = [int(item[name]["N"]) for name in ("a", "z", "n")]
    return Chunk(Market.from_key(pk), int(first), int(last), *numbers, digest, payload)


def _hung_up(request: web.Request) -> web.StreamResponse:
    # No answer at all: the connection just ends.
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
