"""Two ingestors for the same symbols, killed again and again, beside one that nobody touches: the same ticks, the same
bars. All three listen to one exchange whose stream is disturbed; the two share tables, the third has its own."""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path
from random import Random
from typing import Any

from infra.local.children import Child
from infra.local.exchange.faults import Close, Duplicate, Fault, Reorder, Skip
from quant.domain.interval import DAY, HOUR, MINUTE, STORED, floor
from quant.domain.market import Market
from quant.settings import Settings
from quant.storage import bar_codec
from quant.storage.storage import open_storage
from resample.service import Resampler
from tests.chaos.outage import caught_up, verdict
from tests.chaos.truth import merged_ticks
from tests.chaos.world import SYMBOLS, World, now_ms, world

CALM = "calm"
RESAMPLE_EVERY = 7.0


def resample(settings: Settings, now: int) -> None:
    """What the function does every minute."""
    storage = open_storage(settings, now_ms)
    Resampler(storage.ticks, storage.bars, storage.heartbeats, DAY).run(now)


async def _kill_now_and_then(rng: Random, twins: list[Child], end: float) -> int:
    kills = 0
    while time.monotonic() < end:
        await asyncio.sleep(rng.uniform(1.0, 8.0))
        victims = rng.choice([twins[:1], twins[1:], twins])
        for victim in victims:
            victim.kill()
            await victim.wait()
            kills += 1
        await asyncio.sleep(rng.uniform(0.0, 4.0))
        for victim in victims:
            await victim.start()
    return kills


async def _disturb(rng: Random, made: World, end: float) -> None:
    while time.monotonic() < end:
        await asyncio.sleep(rng.uniform(0.2, 1.5))
        symbol = rng.choice(SYMBOLS)
        faults: list[Fault] = [Skip(times=9, symbol=symbol), Duplicate(times=5, symbol=symbol),
                               Reorder(times=5, symbol=symbol), Close(code=1006, symbol=symbol)]  # fmt: skip
        made.server.faults.add(rng.choice(faults))


async def _resample_regularly(settings: list[Settings], end: float) -> None:
    while time.monotonic() < end:
        await asyncio.sleep(RESAMPLE_EVERY)
        for one in settings:
            await asyncio.to_thread(resample, one, now_ms())


async def run(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    rng, seconds = Random(options.seed), options.seconds or 240.0
    async with world(folder, seed=options.seed, prefixes=("chaos", CALM)) as made:
        calm = Settings.load({"PREFIX": CALM})
        # All three begin with the same 5m bar.
        if 5 * MINUTE - now_ms() % (5 * MINUTE) < 20_000:
            await asyncio.sleep(21)
        start = now_ms()
        firsts = made.first_ids(start)
        twins = [made.ingestor(name) for name in "ab"]
        third = made.ingestor("c", prefix=CALM, endpoint=made.emulator.url)
        for child in (*twins, third):
            await child.start()
        await asyncio.sleep(8)
        end = time.monotonic() + seconds
        kills, *_ = await asyncio.gather(
            _kill_now_and_then(rng, twins, end),
            _disturb(rng, made, end),
            _resample_regularly([made.settings, calm], end),
        )
        made.server.faults.clear()
        await caught_up(made, firsts, 120)
        until = floor(now_ms(), MINUTE)
        lasts = {market: made.market.first_at(market.symbol, until) - 1 for market in made.markets}
        await caught_up(made, firsts, 120)
        await asyncio.sleep(5)
        for child in (*twins, third):
            await child.stop(20)
        for one in (made.settings, calm):
            for _ in range(2):
                await asyncio.to_thread(resample, one, now_ms())
        found = await verdict(made, firsts, lasts)
        same = await asyncio.to_thread(_compare, made.settings, calm, made.markets, firsts, lasts, start, until)
    ticks, bars, complete, unequal = same
    print(
        f"two ingestors for {len(SYMBOLS)} symbols, {kills} kills in {seconds:.0f} s, beside a third that ran on\n"
        f"ticks of both: {ticks:,} equal; missing {found.missing}, duplicates {found.duplicates}, "
        f"altered {found.altered} of {found.published:,}; {found.copies:,} rows lie in more than one chunk\n"
        f"bars: {bars:,} compared, {complete:,} of them complete; unequal: {', '.join(unequal) or 'none'}"
    )
    return {"passed": found.is_clean and bars > 0 and not unequal, "kills": kills, "bars": bars, "unequal": unequal}


def _compare(
    ours: Settings,
    theirs: Settings,
    markets: list[Market],
    firsts: dict[Market, int],
    lasts: dict[Market, int],
    start: int,
    until: int,
) -> tuple[int, int, int, list[str]]:
    """Equal ticks, bars, complete bars, and what differs; up to the last whole minute but one."""
    now, ticks, bars, complete, unequal = now_ms(), 0, 0, 0, list[str]()
    stores = [open_storage(one, now_ms) for one in (ours, theirs)]
    for market in markets:
        one, other = (merged_ticks(s, market, firsts[market], lasts[market], start - HOUR, now) for s in (ours, theirs))
        equal = len(one) == len(other) and all(
            (a == b).all() for a, b in zip(one.columns(), other.columns(), strict=True)
        )
        ticks += len(one) if equal else 0
        unequal += [] if equal else [f"ticks of {market}"]
        for interval in STORED:
            low, high = floor(start, 5 * MINUTE), floor(until - MINUTE, interval.ms)
            mine, other_bars = (store.bars.read(market, interval, low, high) for store in stores)
            bars, complete = bars + len(mine), complete + int((mine.complete == 1).sum())
            if bool(len(mine)) != bool(len(other_bars)) or (
                len(mine) and bar_codec.pack(mine) != bar_codec.pack(other_bars)
            ):
                unequal.append(f"{interval.name} of {market}")
    return ticks, bars, complete, unequal
