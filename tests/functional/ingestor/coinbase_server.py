"""As much of Coinbase as the adapter asks for: the matches channel, products, and trades by cursor."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import WSMsgType, web

PRODUCT = "BTC-USD"
Row = dict[str, object]


@dataclass
class CoinbaseServer:
    """One product on one port, for both the feed and REST. ``publish(…, sent=False)`` keeps a trade from the feed."""

    rows: list[Row] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    _sockets: list[web.WebSocketResponse] = field(default_factory=list)
    _runner: web.AppRunner | None = None
    port: int = 0

    async def __aenter__(self) -> CoinbaseServer:
        app = web.Application()
        app.router.add_get("/", self._feed)
        app.router.add_get("/products", self._products)
        app.router.add_get("/products/{product}/trades", self._trades)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self.drop()
        await self._runner.cleanup()

    async def publish(self, price: str, size: str, *, sent: bool = True, time: int) -> int:
        moment = datetime.fromtimestamp(time / 1000, UTC)
        trade_id = 5_001 + len(self.rows)
        self.rows.append({"trade_id": trade_id, "side": "buy", "size": size, "price": price,
                          "time": f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"})  # fmt: skip
        if sent:
            for socket in self._sockets:
                await socket.send_str(json.dumps({"type": "match", "product_id": PRODUCT, **self.rows[-1]}))
        return trade_id

    async def drop(self) -> None:
        sockets, self._sockets = self._sockets, []
        for socket in sockets:
            await socket.close()

    async def _feed(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                wanted = json.loads(message.data)
                assert wanted == {"type": "subscribe", "product_ids": [PRODUCT], "channels": ["matches"]}
                await socket.send_str(json.dumps({"type": "subscriptions", "channels": []}))
                if self.rows:
                    await socket.send_str(json.dumps({"type": "last_match", "product_id": PRODUCT, **self.rows[-1]}))
                self._sockets.append(socket)
        return socket

    async def _products(self, request: web.Request) -> web.Response:
        product = {"id": PRODUCT, "base_currency": "BTC", "quote_currency": "USD", "base_increment": "0.00000001",
                   "quote_increment": "0.01"}  # fmt: skip
        return web.json_response([product])

    async def _trades(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        limit, after = int(request.query.get("limit", 100)), int(request.query.get("after", 2**62))
        below = [row for row in self.rows if int(str(row["trade_id"])) < after]
        return web.json_response(below[::-1][: min(limit, 1000)])
