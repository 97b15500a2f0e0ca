"""The light routes as a Chalice app."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from chalice.app import Chalice

from api.chalicelib.alert_routes import add_alert_routes
from api.chalicelib.alert_service import Alerts
from api.chalicelib.analytics_routes import add_analytics_routes
from api.chalicelib.costs_routes import add_costs_route
from api.chalicelib.service import MarketData
from quant import __version__
from quant.contract.catalogue import OPERATIONS
from quant.contract.document import document
from quant.contract.market import OHLC, SYMBOLS, TICKS, OhlcParameters, TicksParameters
from quant.contract.platform import HEALTH, OPENAPI
from quant.contract.types import Nothing
from quant.domain.ports import Clock
from quant.http.answers import Answer, to_json
from quant.http.call import Call
from quant.http.edge import Api, api_telemetry
from quant.http.gate import Gate
from quant.http.routing import Routes

TELEMETRY = api_telemetry("api")


@cache
def _contract() -> bytes:
    """It takes some milliseconds to make and is seldom asked for."""
    return to_json(document(OPERATIONS, __version__))


def create_app(
    market_data: Callable[[], MarketData],
    clock: Clock,
    gate: Callable[[], Gate] = Gate,
    alerts: Callable[[], Alerts] | None = None,
    brief_for: int = 0,
) -> Api:
    """The app on what ``market_data`` and ``gate`` give; both are first called at the first request.

    ``brief_for``: ms, see quant.http.routing.Routes.
    """
    app, gate = Chalice(app_name="quant-api", configure_logs=False), cache(gate)
    routes = Routes(app, gate, clock, TELEMETRY, kept=lambda: market_data().storage.rules, brief_for=brief_for)

    @routes.serve(HEALTH)
    def health(call: Call[Nothing, Nothing]) -> Answer:
        return market_data().health(call.now)

    @routes.serve(SYMBOLS)
    def symbols(call: Call[Nothing, Nothing]) -> Answer:
        return market_data().symbols(call.now)

    @routes.serve(TICKS)
    def ticks(call: Call[TicksParameters, Nothing]) -> Answer:
        return market_data().ticks(call)

    @routes.serve(OHLC)
    def ohlc(call: Call[OhlcParameters, Nothing]) -> Answer:
        return market_data().ohlc(call)

    @routes.serve(OPENAPI)
    def contract(call: Call[Nothing, Nothing]) -> Answer:
        return Answer(_contract())

    add_analytics_routes(routes, lambda: market_data().analytics)
    add_costs_route(routes, lambda: market_data().storage)
    add_alert_routes(routes, alerts or (lambda: Alerts(market_data().storage)))
    return Api(app, gate, TELEMETRY)
