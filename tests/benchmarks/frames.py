"""Trade frames as Binance prints them: recorded ones where REAL_DATA_DIR names them, else the simulator's."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from infra.local.exchange.rendering import trade_frame
from infra.local.exchange.simulated import SimulatedMarket
from infra.local.exchange.trades import text

SYMBOLS = ("BTCUSDT", "ETHUSDT")
START = 1_723_158_000_000


def frames(count: int) -> tuple[list[bytes], str]:
    """So many frames of two symbols as they follow one another, and where they are from."""
    folder = os.environ.get("REAL_DATA_DIR", "")
    if folder:
        found = _recorded(Path(folder) / "binance-spot-20240808/frames")
        if len(found) >= count:
            return found[:count], "recorded"
    return _simulated(count), "simulated"


def _recorded(folder: Path) -> list[bytes]:
    lines = []
    for path in folder.glob("*.gz"):
        with gzip.open(path) as file:
            lines += [line.split(b" ", 1) for line in file if b'@trade"' in line]
    lines.sort(key=lambda line: int(line[0]))
    return [line[1].strip() for line in lines]


def _simulated(count: int) -> list[bytes]:
    market = SimulatedMarket(list(SYMBOLS), trades_per_second=50.0)
    made = []
    for symbol in SYMBOLS:
        first = market.first_at(symbol, START)
        part = market.trades(symbol, first, first + count // 2)
        for row in range(len(part)):
            time = int(part.times[row])
            price, quantity = text(int(part.prices[row])), text(int(part.quantities[row]))
            data = trade_frame(symbol, first + row, time, price, quantity, bool(part.buyer_is_maker[row]), time)
            made.append((time, f'{{"stream":"{symbol.lower()}@trade","data":{data}}}'.encode()))
    return [frame for _, frame in sorted(made, key=lambda one: one[0])]
