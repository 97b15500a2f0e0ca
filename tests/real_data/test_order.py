"""Recorded trades give the same bytes in ohlc_data, however they arrive."""

from __future__ import annotations

import os
import random
from itertools import pairwise
from pathlib import Path

import pytest

from quant.domain.interval import MINUTE, floor
from quant.domain.trade import Trades
from tests.functional.world import World, undisturbed
from tests.real_data.recording import recorded_trades

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not os.environ.get("REAL_DATA_DIR"), reason="REAL_DATA_DIR does not name the recorded data"),
]


@pytest.fixture(scope="module")
def trades() -> Trades:
    return recorded_trades(Path(os.environ["REAL_DATA_DIR"]) / "binance-spot-20240808/frames", "BTCUSDT")


@pytest.fixture(scope="module")
def expected(trades: Trades) -> dict[str, bytes]:
    return undisturbed(trades)


@pytest.mark.parametrize("seed", range(50))
def test_any_order_any_chunks_and_some_twice(trades: Trades, expected: dict[str, bytes], seed: int) -> None:
    """What comes below the frontier is announced by a mark, as the ingestor does it."""
    chance = random.Random(seed)
    edges = sorted({0, len(trades), *(chance.randrange(len(trades)) for _ in range(60))})
    pieces = [trades.take(slice(low, high)) for low, high in pairwise(edges)]
    pieces += chance.sample(pieces, 15)
    chance.shuffle(pieces)
    # Half of the variants begin with the first trades, as a feed does; the others with any.
    pieces = [trades.take(slice(0, 50)), *pieces] if seed % 2 else pieces
    world, frontier = World(now=int(trades.times[-1]) + 1), 0
    if not seed % 2:
        for piece in pieces:
            world.write(piece, size=chance.randrange(5, 400))
    else:
        for piece in pieces:
            if int(piece.times.min()) < floor(frontier, MINUTE):
                world.heal(piece)
            else:
                world.write(piece, size=chance.randrange(5, 400))
            frontier = max(frontier, int(piece.times[-1]))
            if chance.random() < 0.2:
                world.resample()
    world.beat(trades)
    world.resample()
    assert world.stored_bars() == expected
