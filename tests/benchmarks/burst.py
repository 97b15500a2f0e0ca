"""20,000 trades a second for 30 s in a stream of 1,000 a second: is one lost, and how late are they stored?

The whole ingestor, its journal with fsync and a table in memory; the exchange is a process of its own.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.server import ServerConnection, serve

from ingestor.exchanges.binance import Binance
from ingestor.journal import Journal
from ingestor.options import Codec, Options, Ports
from ingestor.service import Ingestor
from quant.domain.chunk import Chunk
from quant.domain.market import Market
from quant.storage.codec import pack_all, unpack
from quant.storage.storage import memory_storage
from tests.benchmarks.row import Row

CALM, STORM = 1_000, 20_000
BEFORE, DURING, AFTER = 5.0, 30.0, 5.0
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
FIRST, TICK = 1_000_000, 0.01


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Watched:
    """Ticks in memory; for each stored trade how old it was then."""

    def __init__(self, ticks: Any) -> None:
        self._ticks, self.lags, self.stored = ticks, list[Any](), 0

    def write(self, chunks: Sequence[Chunk]) -> None:
        self._ticks.write(chunks)
        now = now_ms()
        for chunk in chunks:
            self.lags.append(now - unpack(chunk).times)
            self.stored += chunk.count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ticks, name)


def burst() -> list[Row]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    theirs.close()
    url = f"ws://127.0.0.1:{ours.recv()}"
    with tempfile.TemporaryDirectory() as folder:
        stored, lags = asyncio.run(_ingest(url, Path(folder), ours))
    sent = ours.recv()
    server.join()
    late = np.concatenate(lags)
    what = f"{STORM:,} trades/s for {DURING:.0f} s in {CALM:,}/s"
    return [
        Row("ingest.burst_lost", sent - stored, "trades", f"{sent:,} sent; {what}", goal="0"),
        Row(
            "ingest.burst_lag_p99_ms",
            float(np.percentile(late, 99)),
            "ms",
            "flushed each second, table in memory",
        ),
    ]


async def _ingest(url: str, folder: Path, control: Connection) -> tuple[int, list[Any]]:
    storage, stop = memory_storage(now_ms), asyncio.Event()
    ticks = Watched(storage.ticks)
    ingestor = Ingestor(
        [Binance(url, "http://127.0.0.1:9")],
        [Market("binance", symbol) for symbol in SYMBOLS],
        Ports(ticks, storage.bars, storage.heartbeats, storage.instruments),  # type: ignore[arg-type]
        Journal(folder),
        Codec(pack_all, unpack),
        now_ms,
        lambda event, level="INFO", **facts: None,
        Options(history=False),
    )
    running = asyncio.create_task(ingestor.run(stop))
    await asyncio.to_thread(control.poll, BEFORE + DURING + AFTER + 60)
    await asyncio.sleep(2)
    stop.set()
    await running
    return ticks.stored, ticks.lags


def _serve(tell: Connection) -> None:
    done = asyncio.Event()
    sent = 0

    async def send(connection: ServerConnection) -> None:
        nonlocal sent
        began, transport = time.monotonic(), connection.transport
        while sent < _due(BEFORE + DURING + AFTER):
            # What a busy machine has let slip is made up for: the rate is kept on the whole.
            count, moment = _due(time.monotonic() - began) - sent, now_ms()
            transport.write(b"".join(_frame(sent + k, moment) for k in range(count)))
            sent += count
            await asyncio.sleep(TICK)
        while transport.get_write_buffer_size():
            await asyncio.sleep(0.01)
        done.set()
        await asyncio.sleep(5)

    async def main() -> None:
        async with serve(send, "127.0.0.1", 0, compression=None, close_timeout=1) as server:
            tell.send(server.sockets[0].getsockname()[1])
            await done.wait()
            tell.send(sent)
            await asyncio.sleep(4)

    asyncio.run(main())


def _due(elapsed: float) -> int:
    """How many trades there have been after so many seconds."""
    storm = min(max(elapsed - BEFORE, 0.0), DURING)
    return int(STORM * storm + CALM * (min(elapsed, BEFORE + DURING + AFTER) - storm))


def _frame(number: int, moment: int) -> bytes:
    symbol = SYMBOLS[number % len(SYMBOLS)]
    text = (
        f'{{"stream":"{symbol.lower()}@trade","data":{{"e":"trade","E":{moment},"s":"{symbol}",'
        f'"t":{FIRST + number // len(SYMBOLS)},"p":"61837.{number % 100:02d}000000","q":"0.{number % 1000:03d}10000",'
        f'"T":{moment},"m":{"true" if number % 3 else "false"},"M":true}}}}'
    ).encode()
    return b"\x81\x7e" + len(text).to_bytes(2, "big") + text
