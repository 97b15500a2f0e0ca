"""A storm of faults over many symbols, with kills in between; afterwards every trade is compared."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from functools import reduce
from operator import add
from pathlib import Path
from random import Random
from typing import Any

from infra.local.children import Child
from infra.local.exchange.faults import Close, Fault, Halt, RefuseUpgrade, Skip
from infra.local.exchange.session import Session
from quant.domain.market import Market
from tests.benchmarks.row import percentile
from tests.chaos.faulty_storage import StorageFault
from tests.chaos.schedule import KILL, Kill, Planned, schedule
from tests.chaos.truth import Verdict, judge
from tests.chaos.world import SYMBOLS, World, now_ms, world

# The last faults wait for a victim, the last holes for their trades.
PATIENCE = 120.0
LOOK = 0.02


@dataclass
class Storm:
    """Arms faults, sees them strike, and measures how long each takes until all that was published then is stored."""

    world: World
    firsts: dict[Market, int]
    healed: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    waiting: dict[int, Planned] = field(default_factory=dict)
    strikes: Counter[int] = field(default_factory=Counter)
    watches: set[asyncio.Task[None]] = field(default_factory=set)

    def struck(self, fault: object) -> None:
        planned = self.waiting.get(id(fault))
        if planned is None:
            return
        self.strikes[id(fault)] += 1
        if self.strikes[id(fault)] == planned.strikes:
            del self.waiting[id(fault)]
            self.watch(planned)

    def watch(self, planned: Planned) -> None:
        task = asyncio.create_task(self._heal(planned, self._hit(planned)))
        self.watches.add(task)
        task.add_done_callback(self.watches.discard)

    def _hit(self, planned: Planned) -> frozenset[Session]:
        """The connections that the fault costs."""
        spared = not planned.cuts or isinstance(planned.what, RefuseUpgrade)
        return frozenset() if spared else self.world.server.hearing(_symbol_of(planned))

    async def _heal(self, planned: Planned, hit: frozenset[Session]) -> None:
        """Healed is a fault once all is stored that was published until its end: until the stream is back, where it
        had cut the stream. The time is counted from when the fault itself was over."""
        await asyncio.sleep(planned.lasts)
        over, symbol = time.monotonic(), _symbol_of(planned)
        concerned = [market for market in self.world.markets if symbol in (None, market.symbol)]
        if planned.cuts:
            for market in concerned:
                while not self.world.server.hearing(market.symbol) - hit:
                    await asyncio.sleep(LOOK)
        lasts = self.world.published()
        await self.world.ledger.covered(self.firsts, {market: lasts[market] for market in concerned})
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
        """What waits for a long page, a batch or a new connection is given one."""
        end = time.monotonic() + PATIENCE
        while self.waiting and time.monotonic() < end:
            self.world.server.faults.add(Skip(times=12, symbol=rng.choice(SYMBOLS)))
            if any(isinstance(planned.what, RefuseUpgrade) for planned in self.waiting.values()):
                self.world.server.faults.add(Close(code=1006, symbol=rng.choice(SYMBOLS)))
            await asyncio.sleep(1)


def _symbol_of(planned: Planned) -> str | None:
    return getattr(planned.what, "symbol", None)


async def _settled(made: World, firsts: dict[Market, int], ingestor: Child) -> None:
    """Its first start is over: all from the first bar on is stored."""
    lasts = made.published()
    try:
        async with asyncio.timeout(60):
            await made.ledger.covered(firsts, lasts)
    except TimeoutError:
        left = {str(market): made.ledger.missing(market, firsts[market], last) for market, last in lasts.items()}
        log = ingestor.log_path.read_text()[-20_000:]
        raise AssertionError(f"not stored 60 s after the start: {left}; the ingestor said:\n{log}") from None


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
        await _settled(made, storm[0].firsts, ingestor)
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
    rows = {name: storm.healed.get(name, []) for name in sorted({planned.name for planned in plan})}
    everything = [seconds for times in rows.values() for seconds in times]
    print(f"{'fault':26}{'times':>6}{'p50':>9}{'p95':>9}{'worst':>9}   seconds from its end until all is stored")
    for name, times in [*rows.items(), ("all", everything)]:
        shown = [percentile(times, 0.5), percentile(times, 0.95), max(times)] if times else []
        print(f"{name:26}{len(times):6}{''.join(f'{value:9.2f}' for value in shown)}")
    never = sorted(planned.name for planned in storm.waiting.values())
    kills = len(rows.get(KILL, []))
    print(
        f"{len(made.markets)} symbols, {len(everything)} faults struck, {kills} of them kills; "
        f"{len(never)} found no victim{': ' if never else ''}{', '.join(never)}\n"
        f"published {verdict.published:,}, stored {verdict.stored:,}: missing {verdict.missing}, "
        f"duplicates {verdict.duplicates}, altered {verdict.altered}\n"
        f"{verdict.copies:,} rows lie in more than one chunk; peak memory {made.peak_rss / 1e6:.0f} MB; {seconds:.0f} s"
    )
    return {
        "passed": verdict.is_clean and len(plan) == len(everything),
        "faults": len(everything),
        "kinds": sum(bool(times) for times in rows.values()),
        "never": never,
        "kills": kills,
        **asdict(verdict),
        "worst_s": max(everything, default=0.0),
        "seconds": seconds,
    }
