"""The exchange is gone for ten minutes: neither its stream nor its REST answers. Then everything is asked for by id."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

from infra.local.exchange.server import ExchangeServer
from infra.local.exchange.weights import Verdict as Charge
from infra.local.exchange.weights import Weights
from tests.chaos.outage import PER_SECOND, SYMBOLS, caught_up, verdict
from tests.chaos.world import world

HEALED_WITHIN = 180.0


class Meter(Weights):
    """Remembers the most that was used in a minute, and how often too much was asked for."""

    most, refused = 0, 0

    def charge(self, address: str, weight: int, now: int) -> Charge:
        charge = super().charge(address, weight, now)
        self.most = max(self.most, charge.used)
        self.refused += charge.status != 200
        return charge


async def run(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    seconds, meter = options.seconds or 600.0, Meter()
    async with world(folder, symbols=SYMBOLS, seed=options.seed, per_second=PER_SECOND, weights=meter) as made:
        ingestor = made.ingestor(STREAMS_PER_CONNECTION="200")
        await ingestor.start()
        await asyncio.sleep(10)
        firsts = made.published()
        first_start = await caught_up(made, firsts, 180)
        ports = {f"{kind}_port": int(getattr(made.server, f"{kind}_url").rpartition(":")[2]) for kind in ("ws", "rest")}
        await made.server.__aexit__(None, None, None)
        before = made.published()
        await asyncio.sleep(seconds)
        meter.most = 0
        missed = sum(made.published().values()) - sum(before.values())
        async with ExchangeServer(made.market, weights=meter, **ports):
            healed = await caught_up(made, firsts, 600)
            lasts = made.published()
            await caught_up(made, firsts, 60)
            await ingestor.stop(20)
        found = await verdict(made, firsts, lasts)
    print(
        f"{len(SYMBOLS)} symbols followed {first_start:.1f} s after a start of 10 s\n"
        f"outage of {seconds:.0f} s at {len(SYMBOLS)} x {PER_SECOND:g} trades/s: {missed:,} trades missed, healed\n"
        f"{healed:.0f} s after its end; at most {meter.most:,} of {meter.limit:,} weight a minute, "
        f"{meter.refused} refusals\n"
        f"missing {found.missing}, duplicates {found.duplicates}, altered {found.altered} of {found.published:,}; "
        f"peak memory {made.peak_rss / 1e6:.0f} MB"
    )
    passed = found.is_clean and healed <= HEALED_WITHIN and meter.refused == 0
    return {"passed": passed, "healed_s": healed, "missed": missed, "weight": meter.most, "refused": meter.refused}
