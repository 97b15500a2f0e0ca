"""Ingestors that share the symbols among themselves: one, two, one of them killed, two again, the first one ended.
Each time the symbols move, and no trade is lost."""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path
from typing import Any

from ingestor.membership import AUTO, heard_by_others
from quant.domain.market import Market
from quant.storage.storage import open_storage
from tests.chaos.outage import caught_up, verdict
from tests.chaos.world import SYMBOLS, World, now_ms, world

PER_SECOND = 10.0
DRAIN = 40.0
"""Seconds that a task is given to end: to hand its part on, and to drain."""


def shares(made: World) -> dict[str, frozenset[Market]]:
    """What each living ingestor hears, by its newest heartbeat."""
    return heard_by_others("nobody", open_storage(made.settings, now_ms).heartbeats.all(), now_ms())


async def settled(made: World, ingestors: int, within: float = 120.0) -> float:
    """Wait until so many follow each symbol once; returns after how many seconds."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        while True:
            found = await asyncio.to_thread(shares, made)
            followed = sorted(str(market) for share in found.values() for market in share)
            if len(found) == ingestors and all(found.values()) and followed == sorted(map(str, made.markets)):
                return time.monotonic() - began
            await asyncio.sleep(0.5)


async def run(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    async with world(folder, symbols=SYMBOLS, seed=options.seed, per_second=PER_SECOND) as made:
        firsts = made.first_ids(now_ms())
        one, two, three = (made.ingestor(name, SHARD=AUTO) for name in ("one", "two", "three"))
        took = {}
        await one.start()
        took["one alone"] = await settled(made, 1)
        await two.start()
        took["a second one"] = await settled(made, 2)
        two.kill()
        await two.wait()
        took["the second one killed"] = await settled(made, 1)
        await three.start()
        took["a third one"] = await settled(made, 2)
        drained = await one.stop(DRAIN)
        took["the first one ended"] = await settled(made, 1)
        lasts = made.published()
        await caught_up(made, firsts, 60)
        ended = await three.stop(DRAIN)
        code = await three.wait()
        found = await verdict(made, firsts, lasts)
    print("\n".join(f"{what}: each symbol is followed once after {seconds:.0f} s" for what, seconds in took.items()))
    print(
        f"missing {found.missing}, duplicates {found.duplicates}, altered {found.altered} of {found.published:,}; "
        f"{found.copies:,} rows were written by two"
    )
    return {
        "passed": found.is_clean and drained and ended and code == 0, "published": found.published,
        "missing": found.missing, "altered": found.altered, "duplicates": found.duplicates, "copies": found.copies,
        "took_s": took,
    }  # fmt: skip
