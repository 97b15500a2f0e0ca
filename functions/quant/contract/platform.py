"""Health, costs and the contract itself."""

from __future__ import annotations

from typing import Any

from quant.contract.operation import Auth, Cache, Operation
from quant.contract.types import Nothing

HEALTH = Operation(
    id="getHealth", method="GET", path="/health", tag="platform", summary="Whether the platform works, and how well",
    description="Cheap enough to be asked each second: an answer is kept for a second.",
    parameters=Nothing, body=Nothing, answer=dict[str, Any], auth=Auth.NONE, cache=Cache.NEVER, errors=(503,),
)  # fmt: skip
COSTS = Operation(
    id="getCosts", method="GET", path="/costs", tag="platform", summary="The measured load and its monthly price",
    parameters=Nothing, body=Nothing, answer=dict[str, Any],
)  # fmt: skip
OPERATIONS = (HEALTH, COSTS)
