"""/pairs/analyze as a Chalice app of its own: it lives where statsmodels is loaded and kept warm."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from chalice.app import Chalice

from analyse.pair_service import PairRequest, PairService
from quant.contract.analytics import ANALYZE, ANALYZE_POSTED, PairParameters
from quant.contract.types import Nothing
from quant.domain.ports import Clock
from quant.http.answers import Answer
from quant.http.call import Call
from quant.http.edge import Api, api_telemetry
from quant.http.gate import Gate
from quant.http.routing import Routes

TELEMETRY = api_telemetry("analyse")


def create_app(pairs: Callable[[], PairService], clock: Clock, gate: Callable[[], Gate] = Gate) -> Api:
    """The app on what ``pairs`` and ``gate`` give; both are first called at the first request."""
    app, gate = Chalice(app_name="quant-analyse", configure_logs=False), cache(gate)
    routes = Routes(app, gate, clock, TELEMETRY)

    @routes.serve(ANALYZE)
    def analyze(call: Call[PairParameters, Nothing]) -> Answer:
        return Answer.of(pairs().analyse(PairRequest.of(call.parameters), call.now))

    @routes.serve(ANALYZE_POSTED)
    def analyze_posted(call: Call[Nothing, PairParameters]) -> Answer:
        return Answer.of(pairs().analyse(PairRequest.of(call.body), call.now))

    return Api(app, gate, TELEMETRY)
