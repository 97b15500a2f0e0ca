"""Every operation, by the function that serves it."""

from __future__ import annotations

from quant.contract import alerts, analytics, market, platform
from quant.contract.operation import AnyOperation

LIGHT: tuple[AnyOperation, ...] = (*platform.OPERATIONS, *market.OPERATIONS, *analytics.OPERATIONS, *alerts.OPERATIONS)
ANALYSE: tuple[AnyOperation, ...] = analytics.ANALYSE_OPERATIONS
OPERATIONS: tuple[AnyOperation, ...] = (*LIGHT, *ANALYSE)
