"""Health, costs and the contract itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from quant.contract.operation import ANSWER, Auth, Cache, Operation
from quant.contract.types import Nothing


class Check(Struct, **ANSWER, omit_defaults=True):
    """One part of the platform: whether it answers in time, and if not, what kind of error it was."""

    ok: bool
    problem: str | None = None


class DataQuality(Struct, **ANSWER):
    damaged_chunks: int
    dirty_marks: int
    incomplete_minutes: int
    differing_bars: int


class SymbolHealth(Struct, **ANSWER):
    exchange: str
    symbol: str
    last_id: int
    last_time: int | None
    lag_ms: Annotated[
        int | None, Meta(description="From a trade to its being heard; or for how long it has had no connection.")
    ]
    holes_open: int
    missing_ids: int
    watermark: Annotated[int | None, Meta(description="Bars that start before it are stored, ms.")]


class MonitorHealth(Struct, **ANSWER):
    last_run: Annotated[int, Meta(description="When the last check of the alert rules ended, ms.")]
    rules: int
    errors: Annotated[int, Meta(description="Rules that could not be checked.")]


class HealthAnswer(Struct, **ANSWER):
    status: Annotated[
        Literal["ok", "degraded", "down"],
        Meta(description="degraded: every part answers, but something is late; down: a part does not answer."),
    ]
    version: str
    time: int
    market: Literal["live", "simulated", "replay"] | None
    reasons: list[str]
    checks: dict[str, Check]
    ingestor: Annotated[dict[str, Any], Meta(description="Figures of all living ingestors together.")]
    gaps: Annotated[list[dict[str, Any]], Meta(description="Recorded gaps: trades that only a backfill brings.")]
    data: DataQuality | None
    monitor: Annotated[MonitorHealth | None, Meta(description="null before the first check of the alert rules.")]
    symbols: list[SymbolHealth]


class CostLine(Struct, **ANSWER):
    group: str
    name: str
    quantity: float
    unit: str
    usd: float
    free: Annotated[float, Meta(description="What the always-free allowance takes off, $.")]


class CostsAnswer(Struct, **ANSWER):
    basis: Annotated[
        Literal["measured", "reference"], Meta(description="reference: no ingestor is alive to measure the load.")
    ]
    currency: Literal["USD"]
    region: str
    prices_as_of: str
    load: dict[str, float | None]
    lines: list[CostLine]
    list_total: float
    total: float
    total_per_symbol: float
    one_item_per_trade: Annotated[float, Meta(description="What the same would cost with one item per trade.")]


HEALTH = Operation(
    id="getHealth",
    method="GET",
    path="/health",
    tag="platform",
    summary="Whether the platform works, and how well",
    description="Cheap enough to be asked each second: an answer is kept for a second.",
    parameters=Nothing,
    body=Nothing,
    answer=HealthAnswer,
    auth=Auth.NONE,
    cache=Cache.NEVER,
    answer_at=(503,),
)
COSTS = Operation(
    id="getCosts",
    method="GET",
    path="/costs",
    tag="platform",
    summary="The measured load and its monthly price",
    parameters=Nothing,
    body=Nothing,
    answer=CostsAnswer,
)
OPENAPI = Operation(
    id="getContract",
    method="GET",
    path="/openapi.json",
    tag="platform",
    summary="This contract, as OpenAPI 3.1",
    parameters=Nothing,
    body=Nothing,
    answer=dict[str, Any],
    auth=Auth.NONE,
)
OPERATIONS = (HEALTH, COSTS, OPENAPI)
