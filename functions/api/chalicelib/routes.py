"""The routes as a Chalice app."""

from __future__ import annotations

import logging
from collections.abc import Callable

from chalice.app import Chalice

from api.chalicelib.analytics_routes import add_analytics_routes
from api.chalicelib.costs_routes import add_costs_route
from api.chalicelib.service import MarketData
from quant.domain.ports import Clock
from quant.http.answers import Answer, in_our_shape
from quant.http.parameters import Query
from quant.http.routing import Routes

__all__ = ["create_app", "in_our_shape"]

_logger = logging.getLogger("api")


def create_app(market_data: Callable[[], MarketData], clock: Clock) -> Chalice:
    """The app on what ``market_data`` gives; it is first called at the first request."""
    app = Chalice(app_name="quant-api", configure_logs=False)
    routes = Routes(app, _logger)
    route = routes.get

    @route("/health")
    def health(query: Query) -> Answer:
        return market_data().health(clock())

    @route("/symbols")
    def symbols(query: Query) -> Answer:
        return market_data().symbols(clock())

    @route("/ticks/{symbol}", "exchange", "start", "end", "limit", "order", "cursor")
    def ticks(query: Query, symbol: str) -> Answer:
        return market_data().ticks(symbol, query, clock())

    @route("/ohlc/{symbol}", "exchange", "interval", "start", "end", "limit", "cursor", "fill", "format")
    def ohlc(query: Query, symbol: str) -> Answer:
        return market_data().ohlc(symbol, query, clock())

    add_analytics_routes(routes, lambda: market_data().storage, clock)
    add_costs_route(routes, lambda: market_data().storage, clock)
    return app
