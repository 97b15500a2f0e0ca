"""Run by .venv-bench: cryptofeed's Binance trade handler with an empty callback on the frames of a file, one a line.

It listens to aggregates: each trade frame is given to it as the aggregate of that one trade. Prints frames per second,
the best of five.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from cryptofeed.defines import TRADES
from cryptofeed.exchanges import Binance
from cryptofeed.symbols import Symbols

PAIRS = {"BTC-USDT": "BTCUSDT", "ETH-USDT": "ETHUSDT"}


async def nothing(trade: Any, receipt: float) -> None:
    return


def aggregate(frame: str) -> str:
    envelope = json.loads(frame)
    trade = envelope["data"]
    number = trade.pop("t")
    kept = {name: value for name, value in trade.items() if name not in "ab"}
    data = {**kept, "e": "aggTrade", "a": number, "f": number, "l": number}
    stream = envelope["stream"].replace("@trade", "@aggTrade")
    return json.dumps({"stream": stream, "data": data}, separators=(",", ":"))


async def measure(frames: list[str]) -> float:
    Symbols.set(Binance.id, PAIRS, {"instrument_type": dict.fromkeys(PAIRS, "spot")})
    feed = Binance(symbols=list(PAIRS), channels=[TRADES], callbacks={TRADES: nothing})
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        for frame in frames:
            await feed.message_handler(frame, None, 0.0)
        best = max(best, len(frames) / (time.perf_counter() - began))
    return best


if __name__ == "__main__":
    print(asyncio.run(measure([aggregate(line) for line in Path(sys.argv[1]).read_text().splitlines()])))
