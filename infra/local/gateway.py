"""The one local port: the site's files, and ``/api`` handed to the emulator's REST API."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from infra.local.site_files import SiteFiles

BODY_LIMIT = 1_000_000
# The emulator starts a process for each request that finds none free. Fifty at once would start fifty: a laptop would
# be busy with that for a minute. So requests wait here for the few that are warm.
AT_ONCE = 4
TIMEOUT = 35.0  # a little more than API Gateway gives a function
# Of one connection, not of the request; and what the client library writes itself.
_HOP_BY_HOP = frozenset({"connection", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
_OWN = _HOP_BY_HOP | {"content-length", "expect"}


def error(status: int, code: str, message: str, **headers: str) -> web.Response:
    """An error in the API's own shape."""
    request_id = str(uuid.uuid4())
    told = {"code": code, "message": message, "request_id": request_id}
    own = {"X-Request-Id": request_id, "Cache-Control": "no-store"}
    return web.json_response({"error": told}, status=status, headers={**own, **headers})


class ApiProxy:
    """Hands requests on. ``target`` is the REST API without its stage, and empty until it is deployed."""

    def __init__(self, session: aiohttp.ClientSession, target: str = "") -> None:
        self.target = target
        self._session, self._turn = session, asyncio.Semaphore(AT_ONCE)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if not self.target:
            return self._away()
        try:
            body = await request.read() if request.body_exists else None
        except web.HTTPRequestEntityTooLarge:
            return error(413, "payload_too_large", f"the body must be at most {BODY_LIMIT} bytes", Connection="close")
        try:
            async with self._turn:
                return await self._forward(request, body)
        except TimeoutError:
            return error(504, "timeout", f"the API did not answer within {TIMEOUT:g} s")
        except aiohttp.ClientError:
            return self._away()

    async def _forward(self, request: web.Request, body: bytes | None) -> web.StreamResponse:
        # The stage is called "api", as the local path is.
        url = URL(self.target + request.rel_url.raw_path_qs, encoded=True)
        headers = _passed_on(request.headers, _OWN)
        async with self._session.request(
            request.method, url, headers=headers, data=body, allow_redirects=False
        ) as answer:
            response = web.StreamResponse(status=answer.status, headers=_passed_on(answer.headers, _HOP_BY_HOP))
            await response.prepare(request)
            try:
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
            except aiohttp.ClientError:
                # The head has been sent: only breaking the connection off says that the rest is missing.
                if request.transport:
                    request.transport.abort()
            return response

    @staticmethod
    def _away() -> web.Response:
        message = "the emulator does not answer; it is starting or being started again"
        return error(503, "unavailable", message, **{"Retry-After": "2"})


def _passed_on(headers: CIMultiDictProxy[str], left_out: frozenset[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in left_out)


class Gateway:
    """The server on the local port. It owns ``held``, a socket that is bound already."""

    def __init__(self, held: socket.socket, site: Path) -> None:
        self.site = site
        self._more: list[web.RouteDef] = []
        self._held = held
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._proxy: ApiProxy | None = None

    async def start(self) -> None:
        """Serve the site; ``/api`` answers 503 until it is told where the API is."""
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        self._proxy = ApiProxy(self._session)
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_route("*", "/api", self._proxy.serve)
        app.router.add_route("*", r"/api/{path:[\s\S]*}", self._proxy.serve)
        app.add_routes(self._more)
        app.router.add_route("*", r"/{path:[\s\S]*}", SiteFiles(self.site).serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await self._runner.setup()
        await web.SockSite(self._runner, self._held, backlog=256).start()

    def serve_more(self, routes: Iterable[web.RouteDef]) -> None:
        """Serve these too; said before the start."""
        self._more += routes

    def serve_api(self, target: str) -> None:
        """Hand ``/api`` on to this REST API from now on."""
        if self._proxy:
            self._proxy.target = target

    async def stop(self) -> None:
        """End the requests that are open, and give the port back."""
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()
        self._held.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
