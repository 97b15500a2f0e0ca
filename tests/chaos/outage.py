"""What the two outages share: twenty busy symbols, and the time it takes to have caught up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import reduce
from operator import add

from quant.domain.market import Market
from quant.settings import DEFAULT_SYMBOLS
from tests.chaos.truth import Verdict, judge
from tests.chaos.world import World, now_ms

SYMBOLS = (*DEFAULT_SYMBOLS.split(","), "TRXUSDT", "MATICUSDT", "UNIUSDT", "ATOMUSDT", "ETCUSDT", "FILUSDT",
           "NEARUSDT", "APTUSDT")  # fmt: skip
PER_SECOND = 50.0


async def caught_up(made: World, firsts: Mapping[Market, int], within: float) -> float:
    """Seconds until all that had been published by now is stored."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        await made.ledger.covered(firsts, made.published())
    return time.monotonic() - began


async def verdict(made: World, firsts: Mapping[Market, int], lasts: Mapping[Market, int]) -> Verdict:
    """All markets together."""
    now = now_ms()

    def every() -> Verdict:
        return reduce(add, (judge(made.settings, made.market, m, firsts[m], lasts[m], now) for m in made.markets))

    return await asyncio.to_thread(every)
