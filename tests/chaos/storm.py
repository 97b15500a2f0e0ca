"""A storm of faults over many symbols, with kills in between; afterwards every trade is compared."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from pathlib import Path
from random import Random
from typing import Any

from infra.local.children import Child
from infra.local.exchange.faults import Fault, Halt, Skip
from quant.domain.market import Market
from tests.benchmarks.row import percentile
from tests.chaos.faulty_storage import StorageFault
from tests.chaos.schedule import Kill, Planned, schedule
from tests.chaos.truth import Verdict, judge
from tests.chaos.world import SYMBOLS, World, now_ms, world

# The last faults wait for a victim, the last holes for their trades.
PATIENCE = 120.0


@dataclass
class Storm:
    """Arms faults, sees them strike, and measures how long each takes until all that was published then is stored."""

    world: World
    firsts: dict[Market, int]
    healed: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    waiting: dict[int, Planned] = field(default_factory=dict)
    watches: set[asyncio.Task[None]] = field(default_factory=set)

    def struck(self, fault: object) -> None:
        planned = self.waiting.pop(id(fault), None)
        if planned is not None:
            self.watch(planned)

    def watch(self, planned: Planned) -> None:
        task = asyncio.create_task(self._heal(planned))
        self.watches.add(task)
        task.add_done_callback(self.watches.discard)

    async def _heal(self, planned: Planned) -> None:
        await asyncio.sleep(planned.lasts)
        over, lasts = time.monotonic(), self.world.published()
        symbol = getattr(planned.what, "symbol", None)
        if symbol is not None:
            lasts = {market: last for market, last in lasts.items() if market.symbol == symbol}
        await self.world.ledger.covered(self.firsts, lasts)
        self.healed[planned.name].append(time.monotonic() - over)

    async def play(self, plan: list[Planned], ingestor: Child) -> None:
        began = time.monotonic()
        for planned in plan:
            await asyncio.sleep(max(planned.at - (time.monotonic() - began), 0))
            what = planned.what
            if isinstance(what, Kill):
                self.watch(planned)
                await _kill(ingestor, what.pause)
                continue
            if isinstance(what, StorageFault):
                self.waiting[id(what)] = planned
                self.world.storage.add(what)
                continue
            assert isinstance(what, Fault)
            self.waiting[id(what)] = planned
            self.world.server.faults.add(what)
            if isinstance(what, Halt):
                self.struck(what)

    async def let_the_rest_strike(self, rng: Random) -> None:
        """What waits for a REST request, a batch or a new connection is given one."""
        end = time.monotonic() + PATIENCE
        while self.waiting and time.monotonic() < end:
            self.world.server.faults.add(Skip(times=3, symbol=rng.choice(SYMBOLS)))
            await asyncio.sleep(0.5)


async def _kill(ingestor: Child, pause: float) -> None:
    ingestor.kill()
    await ingestor.wait()
    await asyncio.sleep(pause)
    await ingestor.start()


async def run(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    plan = schedule(options.faults, options.seed, SYMBOLS)
    storm: list[Storm] = []
    began = time.monotonic()
    async with world(folder, seed=options.seed, struck=lambda fault: storm[0].struck(fault)) as made:
        started = now_ms()
        storm.append(Storm(made, made.first_ids(started)))
        ingestor = made.ingestor()
        await ingestor.start()
        async with asyncio.timeout(60):
            await made.ledger.covered(storm[0].firsts, made.published())
        await storm[0].play(plan, ingestor)
        await storm[0].let_the_rest_strike(Random(options.seed))
        lasts = made.published()
        try:
            async with asyncio.timeout(PATIENCE):
                await made.ledger.covered(storm[0].firsts, lasts)
                await asyncio.gather(*storm[0].watches)
        except TimeoutError:
            print(f"not all was stored within {PATIENCE:g} s of the last fault")
        await ingestor.stop(20)
        verdict = await asyncio.to_thread(_judge, made, storm[0].firsts, lasts)
    return _report(storm[0], plan, verdict, made, time.monotonic() - began)


def _judge(made: World, firsts: dict[Market, int], lasts: dict[Market, int]) -> Verdict:
    now = now_ms()
    return reduce(add, (judge(made.settings, made.market, m, firsts[m], lasts[m], now) for m in made.markets))


def _report(storm: Storm, plan: list[Planned], verdict: Verdict, made: World, seconds: float) -> dict[str, Any]:
    print(f"{'fault':26}{'times':>6}{'healed in: p50':>16}{'p95':>8}{'worst':>8}   seconds")
    names = list(dict.fromkeys(sorted(planned.name for planned in plan)))
    rows = {name: storm.healed.get(name, []) for name in names}
    for name, times in [*rows.items(), ("all", [t for times in rows.values() for t in times])]:
        if times:
            figures = "".join(f"{percentile(times, share):8.2f}" for share in (0.5, 0.95))
            print(f"{name:26}{len(times):6}{figures[:8]:>16}{figures[8:]}{max(times):8.2f}")
        else:
            print(f"{name:26}{0:6}")
    never = [planned.name for planned in storm.waiting.values()]
    kills = len(rows.get("kill -9", []))
    print(
        f"{len(made.markets)} symbols, {sum(map(len, rows.values()))} faults struck, {len(never)} found no victim {never}"
    )
    print(f"published {verdict.published:,}, stored {verdict.stored:,}: missing {verdict.missing}, duplicates "
          f"{verdict.duplicates}, altered {verdict.altered}; {verdict.copies:,} rows in more than one chunk; kills {kills}; "
          f"peak memory {made.peak_rss / 1e6:.0f} MB; {seconds:.0f} s")  # fmt: skip
    complete = len(plan) == sum(map(len, rows.values()))
    return {
        "passed": verdict.is_clean and complete,
        "faults": sum(map(len, rows.values())),
        "kinds": sum(bool(times) for times in rows.values()),
        "never": never,
        "kills": kills,
        "missing": verdict.missing,
        "duplicates": verdict.duplicates,
        "altered": verdict.altered,
        "published": verdict.published,
        "stored": verdict.stored,
        "worst_s": max((t for times in rows.values() for t in times), default=0.0),
        "seconds": seconds,
    }
