"""Storage is gone for ten minutes while a thousand trades a second arrive."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

from tests.chaos.faulty_storage import StorageFault
from tests.chaos.outage import PER_SECOND, SYMBOLS, caught_up, verdict
from tests.chaos.world import world

MOST_MEMORY = 200e6


async def run(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    seconds = options.seconds or 600.0
    async with world(folder, symbols=SYMBOLS, seed=options.seed, per_second=PER_SECOND) as made:
        ingestor = made.ingestor(STREAMS_PER_CONNECTION="200")
        await ingestor.start()
        await asyncio.sleep(10)
        firsts = made.published()
        await caught_up(made, firsts, 180)
        before, calm = made.published(), made.peak_rss
        made.peak_rss = 0
        made.storage.add(StorageFault(kind="outage", seconds=seconds))
        await asyncio.sleep(seconds)
        kept = sum(path.stat().st_size for path in folder.glob("journal-a/*/*.journal"))
        behind = sum(made.published().values()) - sum(before.values())
        catching_up = await caught_up(made, firsts, 300)
        lasts = made.published()
        live = await caught_up(made, firsts, 60)
        peak = made.peak_rss
        await ingestor.stop(20)
        found = await verdict(made, firsts, lasts)
    print(
        f"outage of {seconds:.0f} s at {len(SYMBOLS)} x {PER_SECOND:g} trades/s: {behind:,} trades kept, journal "
        f"{kept / 1e6:.1f} MB, peak memory {peak / 1e6:.0f} MB ({calm / 1e6:.0f} MB before)\n"
        f"caught up {catching_up:.1f} s after its end; then a trade is stored within {live:.1f} s\n"
        f"missing {found.missing}, duplicates {found.duplicates}, altered {found.altered} of {found.published:,}"
    )
    passed = found.is_clean and peak <= MOST_MEMORY
    return {"passed": passed, "peak_bytes": peak, "journal_bytes": kept, "catch_up_s": catching_up}
