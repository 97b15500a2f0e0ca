"""A damaged chunk is rebuilt from the archive or from the exchange, and then its bars are whole again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ingestor.repair import repair
from quant.domain.bar import INCOMPLETE
from quant.domain.interval import DAY, HOUR, S1, SECOND
from quant.domain.market import Market
from quant.domain.ports import DamagedChunk
from quant.domain.trade import Trades
from quant.storage import codec
from quant.storage.archive import TradeArchive
from quant.storage.objects import MemoryObjects
from tests.functional.world import MARKET, START, World, random_trades, undisturbed

TRADES = random_trades(3_000)


@pytest.fixture
def world() -> World:
    """A market with one chunk that cannot be read."""
    world = World()
    world.write(TRADES)
    victim = list(world.tick_data.query(f"{MARKET.key}#2024-08-08T23"))[17]
    world.tick_data.put(replace(victim, payload=victim.payload[:10] + b"\0" + victim.payload[11:]))
    world.now = int(TRADES.times[-1]) + 1
    world.beat(TRADES)
    world.resample()
    return world


def _incomplete(world: World) -> list[int]:
    """The 1s bars that say that trades are missing, the first bar of all apart: none is known before it."""
    bars = world.storage.bars.read(MARKET, S1, START, START + DAY)
    return bars.time[1:][bars.complete[1:] == INCOMPLETE].tolist()


def _seconds_of(damaged: DamagedChunk) -> list[int]:
    """The seconds that still have a bar, of the missing trades and of their neighbours on both sides."""
    missing = (TRADES.ids >= damaged.first_id) & (TRADES.ids <= damaged.last_id)
    around = (TRADES.ids >= damaged.first_id - 1) & (TRADES.ids <= damaged.last_id + 1)
    seconds = TRADES.times // SECOND * SECOND
    return np.intersect1d(seconds[around], seconds[~missing]).tolist()


async def _nothing(market: Market, first: int, last: int) -> Trades:
    del market, first, last
    return Trades.empty()


async def _exchange(market: Market, first: int, last: int) -> Trades:
    assert market == MARKET
    return TRADES.take((TRADES.ids >= first) & (TRADES.ids <= last))


@pytest.mark.parametrize("source", ["archive", "exchange"])
async def test_a_damaged_chunk_is_rebuilt(world: World, source: str) -> None:
    (damaged,) = world.storage.ticks.damaged()
    assert _incomplete(world) == _seconds_of(damaged)
    archive = TradeArchive(MemoryObjects())
    if source == "archive":
        archive.merge(MARKET, START, TRADES.take(TRADES.times < START + HOUR))
    fetch = _nothing if source == "archive" else _exchange
    done = await repair(damaged, world.storage.ticks, archive, fetch, codec.pack)
    assert (done.is_whole, done.source) == (True, source)
    assert world.storage.ticks.damaged() == ()
    world.resample()
    assert world.stored_bars() == undisturbed(TRADES)
    assert _incomplete(world) == []


async def test_what_nobody_has_stays_registered(world: World) -> None:
    (damaged,) = world.storage.ticks.damaged()
    done = await repair(damaged, world.storage.ticks, None, _nothing, codec.pack)
    assert (done.is_whole, done.found) == (False, 0)
    assert world.storage.ticks.damaged() == (damaged,)
