"""A restart after eight hours: what lies within HEAL_MAX is healed, the rest is one recorded gap with the exchange's
bars in it, and ``make backfill`` closes it. The eight hours are not waited for: the run before them is written into
storage as it would have left it, ten minutes of trades that are eight hours old, and its bars."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from infra.local.environment import aws_environment, program_environment
from infra.local.exchange.faults import SlowRest
from quant.domain.bar import COMPLETE, FROM_EXCHANGE
from quant.domain.interval import DAY, HOUR, M1, MINUTE, SECOND, floor
from quant.domain.market import Market
from quant.domain.trade import Trades
from quant.settings import Settings
from quant.storage.codec import pack
from quant.storage.storage import open_storage
from resample.service import Resampler
from tests.chaos.outage import caught_up, verdict
from tests.chaos.world import ROOT, World, now_ms, world

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
PER_SECOND = 0.5
AWAY, HEAL_MAX, BEFORE = 8 * HOUR, 6 * HOUR, 10 * MINUTE
_SCALE = 8
INTERRUPTED = 130


def _published(made: World, market: Market, start: int, end: int) -> Trades:
    first, stop = (made.market.first_at(market.symbol, time) for time in (start, end))
    real = made.market.trades(market.symbol, first, stop)
    ids = np.arange(first, stop)
    return Trades.of(ids, real.times, real.prices, real.quantities, real.buyer_is_maker,
                     price_decimals=_SCALE, quantity_decimals=_SCALE)  # fmt: skip


def _leave_behind(made: World, start: int, end: int) -> dict[Market, int]:
    """An earlier run's ticks and bars; its last ids."""
    storage, lasts = open_storage(made.settings, now_ms), {}
    for market in made.markets:
        trades = _published(made, market, start, end)
        storage.ticks.write(pack(market, trades))
        lasts[market] = trades.last_id
        resampler = Resampler(storage.ticks, storage.bars, storage.heartbeats, DAY)
        beginning = resampler._beginning(market, end)
        assert beginning is not None
        storage.bars.advance(beginning)
    Resampler(storage.ticks, storage.bars, storage.heartbeats, DAY).run(end)
    return lasts


async def _until(what: str, seconds: float, is_so: Any) -> None:
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(is_so):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(0.5)


async def run(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    async with world(folder, symbols=SYMBOLS, seed=options.seed, per_second=PER_SECOND) as made:
        now = now_ms()
        stopped = floor(now - AWAY, MINUTE)
        before = await asyncio.to_thread(_leave_behind, made, stopped - BEFORE, stopped)
        storage = open_storage(made.settings, now_ms)
        ingestor = made.ingestor(HEAL_MAX_SECONDS=str(HEAL_MAX // SECOND))
        await ingestor.start()
        began = time.monotonic()
        margin = MINUTE
        healed_from = {m: made.market.first_at(m.symbol, now - HEAL_MAX + margin) for m in made.markets}
        await caught_up(made, healed_from, 120)
        healed = time.monotonic() - began
        await _until("a recorded gap of each symbol", 30, lambda: len(_gaps(storage)) == len(SYMBOLS))
        gaps = {gap["symbol"]: gap for gap in _gaps(storage)}
        edges = all(gaps[m.symbol]["first_id"] == before[m] + 1 for m in made.markets)
        span = (stopped, now - HEAL_MAX - MINUTE)
        minutes = (floor(span[1], MINUTE) - stopped) // MINUTE + 1

        def is_filled() -> bool:
            return all(len(storage.bars.read(m, M1, *span)) == minutes for m in made.markets)

        await _until("the exchange's bars in the gap", 60, is_filled)
        theirs = all(set(storage.bars.read(m, M1, *span).source.tolist()) == {FROM_EXCHANGE} for m in made.markets)
        await asyncio.to_thread(_resample, made.settings)
        code, filling = await _backfill(made, stopped, now - HEAL_MAX + MINUTE)
        for _ in range(2):
            await asyncio.to_thread(_resample, made.settings)
        inside = [storage.bars.read(m, M1, stopped, floor(now - MINUTE, MINUTE)) for m in made.markets]
        complete = all(bool((bars.complete == COMPLETE).all()) for bars in inside)
        await _until("the gap is closed", 90, lambda: not _gaps(storage))
        lasts = made.published()
        firsts = {m: made.market.first_at(m.symbol, stopped - BEFORE) for m in made.markets}
        await caught_up(made, healed_from, 60)
        await ingestor.stop(20)
        found = await verdict(made, firsts, lasts)
    ids = sum(gap["last_id"] - gap["first_id"] + 1 for gap in gaps.values())
    print(
        f"{len(SYMBOLS)} symbols x {PER_SECOND:g} trades/s, away for 8 h: 6 h healed within {healed:.0f} s\n"
        f"one gap per symbol recorded ({ids:,} trades), from the last stored trade on: {edges}; filled by the "
        f"exchange's bars: {theirs}\n"
        f"backfill ended with {code} after {filling:.0f} s; bars of 8 h complete, of trades: {complete}; gap closed\n"
        f"missing {found.missing}, duplicates {found.duplicates}, altered {found.altered} of {found.published:,}"
    )
    passed = found.is_clean and edges and theirs and complete and code == 0
    return {"passed": passed, "healed_s": healed, "gap_trades": ids, "backfill_s": filling}


def _gaps(storage: Any) -> list[dict[str, Any]]:
    beats = storage.heartbeats.all()
    return list(beats[-1].figures["recorded_gaps"]) if beats else []


def _resample(settings: Settings) -> None:
    storage = open_storage(settings, now_ms)
    Resampler(storage.ticks, storage.bars, storage.heartbeats, DAY).run(now_ms())


async def _backfill(made: World, start: int, end: int) -> tuple[int, float]:
    """Begun, interrupted with Ctrl-C, and begun again."""
    began, code = time.monotonic(), 1
    env = program_environment(ROOT, **aws_environment(made.emulator.url), BINANCE_WS_URL=made.server.ws_url,
                              BINANCE_REST_URL=made.server.rest_url, SYMBOLS=",".join(SYMBOLS),
                              PREFIX=made.settings.prefix, JOURNAL_DIR=str(made.folder / "backfill"))  # fmt: skip
    arguments = ["-m", "ingestor.commands.backfill", "--from", _iso(start), "--to", _iso(end)]
    made.server.faults.add(SlowRest(delay=0.3, times=25))
    for interrupted in (True, False):
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env=env, cwd=ROOT, stderr=asyncio.subprocess.PIPE, preexec_fn=_hears_ctrl_c
        )
        assert process.stderr is not None
        if interrupted:
            await process.stderr.readline()
            await asyncio.sleep(2)
            process.send_signal(signal.SIGINT)
        print((await process.stderr.read()).decode(), end="")
        code = await process.wait()
        if interrupted and code != INTERRUPTED:
            raise AssertionError(f"the backfill that was interrupted ended with {code}")
    return code, time.monotonic() - began


def _hears_ctrl_c() -> None:
    # A shell's background jobs ignore it, and so would what they start.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat()
