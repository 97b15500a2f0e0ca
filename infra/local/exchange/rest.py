"""The REST server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from infra.local.exchange import views
from infra.local.exchange.exchange import Exchange
from infra.local.exchange.faults import NoHistoricalTrades, RestStatus, SlowRest, TruncatedPages, parse
from infra.local.exchange.queries import BadRequestError, Query
from infra.local.exchange.weights import Verdict, Weights
from quant.errors import ValidationError

_ROUTES = {
    "ping": 1, "time": 1, "exchangeInfo": 20, "trades": 25, "historicalTrades": 25, "aggTrades": 4, "klines": 2,
}  # fmt: skip
_MESSAGES = {
    418: (-1003, "Way too much request weight used; IP banned. Please use WebSocket Streams for live updates."),
    429: (-1003, "Too much request weight used; please use WebSocket Streams for live updates."),
    500: (-1000, "An unknown error occurred while processing the request."),
    503: (-1008, "Server is currently overloaded with other requests. Please try again in a few minutes."),
}
R = TypeVar("R", bound=web.StreamResponse)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RestFront:
    def __init__(self, exchange: Exchange, port: int = 0, weights: Weights | None = None) -> None:
        self.port, self.weights = port, weights or Weights()
        self._exchange = exchange
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/api/v3/{route}", self._serve)
        app.router.add_get("/control/faults", self._faults)
        app.router.add_post("/control/faults", self._arm)
        app.router.add_delete("/control/faults", self._disarm)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not request.path.startswith("/api/v3/"):
            return await handler(request)
        faults, route = self._exchange.faults, request.match_info.get("route", "")
        slow = faults.take(SlowRest)
        if slow is not None:
            await asyncio.sleep(slow.delay)
        if route not in _ROUTES or (route == "historicalTrades" and faults.active(NoHistoricalTrades)):
            return _not_found()
        refused = faults.take(RestStatus, fits=lambda fault: fault.path in request.path)
        if refused is not None:
            return _refusal(refused.status, refused.retry_after, 0)
        verdict = self.weights.charge(request.remote or "", _ROUTES[route], self._exchange.now())
        if verdict.status != 200:
            return _refusal(verdict.status, -(-verdict.wait // 1_000), verdict.used)
        return _weighed(await handler(request), verdict)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        query = Query(request.query, self._exchange.market)
        try:
            answer = await self._answer(request.match_info["route"], query)
        except BadRequestError as exc:
            return _json({"code": exc.code, "msg": exc.msg}, 400)
        if isinstance(answer, list):
            rows = len(answer)
            cut = self._exchange.faults.take(TruncatedPages, fits=lambda fault: fault.rows < rows)
            answer = answer if cut is None else answer[: cut.rows]
        return _json(answer)

    async def _answer(self, route: str, query: Query) -> Any:
        exchange = self._exchange
        match route:
            case "ping":
                return {}
            case "time":
                return {"serverTime": exchange.now()}
            case "exchangeInfo":
                return views.exchange_info(exchange, query, self.weights.limit)
            case "trades":
                return views.recent_trades(exchange, query)
            case "historicalTrades":
                return views.historical_trades(exchange, query)
            case "aggTrades":
                return views.aggregate_trades(exchange, query)
            case _:
                return await views.klines(exchange, query)

    async def _faults(self, request: web.Request) -> web.StreamResponse:
        return _json({"active": self._exchange.faults.describe()})

    async def _arm(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json()
            fault, after = parse(body if isinstance(body, dict) else {})
        except json.JSONDecodeError:
            return _json({"error": "the body must be JSON"}, 400)
        except ValidationError as exc:
            return _json({"error": str(exc)}, 400)
        self._exchange.faults.add(fault, after=after)
        return await self._faults(request)

    async def _disarm(self, request: web.Request) -> web.StreamResponse:
        self._exchange.faults.clear()
        return await self._faults(request)


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def _not_found() -> web.Response:
    return web.Response(text="<html><body><h2>404 Not found</h2></body></html>", status=404, content_type="text/html")


def _refusal(status: int, retry_after: int, used: int) -> web.Response:
    code, msg = _MESSAGES.get(status, _MESSAGES[500])
    response = _json({"code": code, "msg": msg}, status)
    if status in (418, 429):
        response.headers["Retry-After"] = str(retry_after)
    return _weighed(response, Verdict(used))


def _weighed(response: R, verdict: Verdict) -> R:
    response.headers["X-MBX-USED-WEIGHT"] = str(verdict.used)
    response.headers["X-MBX-USED-WEIGHT-1M"] = str(verdict.used)
    return response
