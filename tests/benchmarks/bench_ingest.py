"""Frames into packed chunks: out of memory, out of a socket, and in a burst."""

from __future__ import annotations

import asyncio
import multiprocessing
import subprocess
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from ingestor.backoff import AttemptLimit
from ingestor.connection import Feed
from ingestor.exchanges.base import Limits, Opening
from ingestor.exchanges.binance import Binance
from ingestor.journal import Journal
from ingestor.pipeline import Pipeline
from ingestor.writer import Writer
from quant.domain.chunk import Chunk
from quant.domain.market import Instrument, Market
from quant.domain.ports import DirtyMark
from quant.domain.trade import Trades
from quant.storage.codec import pack_all
from tests.benchmarks.burst import burst
from tests.benchmarks.frames import SYMBOLS, frames
from tests.benchmarks.row import Row

ROOT = Path(__file__).parents[2]
PEER = ROOT / ".venv-bench/bin/python"
# A second of the burst is decoded at once; the small batch is what a fifth of that second brings.
COUNT, FLUSH, DRAIN = 34_000, 20_000, 4_000
SOCKET_COUNT = 300_000
MARKETS = [Market("binance", symbol) for symbol in SYMBOLS]
LIMITS = Limits(1024, 4, 86_400, 100)


def run() -> list[Row]:
    given, source = frames(COUNT)
    ours, ours_small = (max(_frame_to_chunk(given, size) for _ in range(7)) for size in (FLUSH, DRAIN))
    theirs = _cryptofeed(given)
    many, kind = frames(SOCKET_COUNT)
    with _served(many) as url:
        bare = max(asyncio.run(_bare(url)) for _ in range(2))
        through = max(asyncio.run(_socket_to_chunk(url)) for _ in range(2))
    return [
        _row("ingest.frame_to_chunk", ours, theirs, f"{source} frames/s, {FLUSH:,} at once", "ratio ≥ 4"),
        _row("ingest.frame_to_chunk_small", ours_small, theirs, f"{source} frames/s, {DRAIN:,} at once", ""),
        Row("ingest.socket_to_chunk", through, f"{kind} frames/s",
            f"websockets and msgspec alone, {bare:,.0f}/s", through / bare, "ratio ≥ 0.6"),
        *burst(),
    ]  # fmt: skip


def _row(name: str, ours: float, theirs: float | None, unit: str, goal: str) -> Row:
    peer = f"cryptofeed's Binance trade handler, {theirs:,.0f}/s" if theirs else "cryptofeed is not installed here"
    return Row(name, ours, unit, peer, ours / theirs if theirs else None, goal)


class _Nowhere:
    """Storage that takes everything at once: what is measured ends with the packed chunk."""

    def write(self, chunks: list[Chunk]) -> None:
        return

    def mark_dirty(self, mark: DirtyMark) -> None:
        return


def _silent(event: str, level: str = "INFO", **facts: Any) -> None:
    return


class _Counting:
    """A codec that counts what it packs."""

    def __init__(self) -> None:
        self.trades = 0

    def __call__(self, batches: Sequence[tuple[Market, Trades]]) -> list[Chunk]:
        chunks = pack_all(batches)
        self.trades += sum(chunk.count for chunk in chunks)
        return chunks


def _pipeline(folder: str) -> tuple[Pipeline, Binance, _Counting, Journal]:
    exchange, packed, journal = Binance("ws://host:1", "http://host:2"), _Counting(), Journal(Path(folder), sync=False)
    exchange.learn(Instrument(market, "", "", 2, 5) for market in MARKETS)
    writer = Writer(_Nowhere(), journal, _silent)  # type: ignore[arg-type]
    pipeline = Pipeline([exchange], MARKETS, packed, writer, lambda: time.time_ns() // 1_000_000, _silent)
    return pipeline, exchange, packed, journal


def _frame_to_chunk(given: list[bytes], size: int) -> float:
    """Decode, validate, sequence and pack in batches of so many frames."""
    with tempfile.TemporaryDirectory() as folder:
        pipeline, exchange, packed, journal = _pipeline(folder)
        began = time.perf_counter()
        for at in range(0, len(given), size):
            pipeline.receive(exchange, given[at : at + size])
            pipeline.cut()
        seconds = time.perf_counter() - began
        journal.close()
    assert packed.trades == len(given), (packed.trades, len(given))
    return len(given) / seconds


def _cryptofeed(given: list[bytes]) -> float | None:
    if not PEER.exists():
        return None
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        file.write(b"\n".join(given))
        file.flush()
        peer = [str(PEER), str(Path(__file__).with_name("cryptofeed_peer.py")), file.name]
        done = subprocess.run(peer, capture_output=True, text=True, timeout=120)
    return float(done.stdout.split()[-1]) if done.returncode == 0 and not done.stderr else None


class _served:
    """A process that sends the frames to whoever connects, as fast as it can, and closes."""

    def __init__(self, given: list[bytes]) -> None:
        self._given = given

    def __enter__(self) -> str:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._given, theirs), daemon=True)
        self._process.start()
        # Should it fail, the pipe ends and nobody waits for ever.
        theirs.close()
        return f"ws://127.0.0.1:{ours.recv()}"

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


def _serve(given: list[bytes], tell: Connection) -> None:
    async def send(connection: ServerConnection) -> None:
        # Frames are made beforehand and written in blocks: the server must not be what is measured.
        transport = connection.transport
        for block in blocks:
            transport.write(block)
            while transport.get_write_buffer_size() > 2**20:
                await asyncio.sleep(0.001)

    async def main() -> None:
        async with serve(send, "127.0.0.1", 0, compression=None, close_timeout=5) as server:
            tell.send(server.sockets[0].getsockname()[1])
            await asyncio.get_running_loop().create_future()

    framed = [bytes([0x81, 126]) + len(one).to_bytes(2, "big") + one for one in given]
    blocks = [b"".join(framed[at : at + 200]) for at in range(0, len(framed), 200)]
    asyncio.run(main())


async def _bare(url: str) -> float:
    """A loop that receives and decodes, and does nothing else."""
    decode, count = msgspec.json.Decoder().decode, 0
    async with connect(url, compression=None, max_size=2**22) as socket:
        began = time.perf_counter()
        try:
            while True:
                decode(await socket.recv(decode=False))
                count += 1
        except ConnectionClosed:
            return count / (time.perf_counter() - began)


async def _socket_to_chunk(url: str) -> float:
    """The ingestor's own session, drained five times a second, flushed once."""
    with tempfile.TemporaryDirectory() as folder:
        pipeline, exchange, packed, journal = _pipeline(folder)
        feed = Feed("bench", Opening(url), LIMITS, AttemptLimit(100), _silent)
        running = asyncio.create_task(feed.run())
        while not feed.connected:
            await asyncio.sleep(0.001)
        began, drains = time.perf_counter(), 0
        (session,) = feed.sessions()
        while not session.reader.done() or session.frames:
            await asyncio.wait({session.reader}, timeout=0.2)
            pipeline.receive(exchange, session.take(time.perf_counter()))
            drains += 1
            if drains % 5 == 0 or session.reader.done():
                for market, trades in pipeline._batcher.cut().items():
                    pipeline._packed(market, trades)
        seconds, count = time.perf_counter() - began, pipeline.counters["frames"]
        running.cancel()
        await asyncio.wait({running})
        journal.close()
    assert packed.trades == count > 0, (packed.trades, count)
    return count / seconds
