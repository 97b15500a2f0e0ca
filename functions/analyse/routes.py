"""/pairs/analyze as a Chalice app of its own: it lives where statsmodels is loaded and kept warm."""

from __future__ import annotations

import logging
from collections.abc import Callable

from chalice.app import Chalice

from analyse.pair_service import PARAMETERS, PairRequest, PairService
from quant.domain.ports import Clock
from quant.http.answers import Answer, to_json
from quant.http.parameters import Query
from quant.http.routing import Routes

_logger = logging.getLogger("analyse")


def create_app(pairs: Callable[[], PairService], clock: Clock) -> Chalice:
    """The app on what ``pairs`` gives; it is first called at the first request."""
    app = Chalice(app_name="quant-analyse", configure_logs=False)
    routes = Routes(app, _logger)

    @routes.get_or_post("/pairs/analyze", *PARAMETERS)
    def analyze(query: Query) -> Answer:
        found = pairs().analyse(PairRequest.read(query), clock())
        return Answer(to_json(found).decode(), headers={"Cache-Control": "no-cache"})

    return app
