"""Chunks of real trades: how small, how fast, against JSON with zlib and against Parquet with zstd."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from quant.domain.chunk import Chunk
from quant.domain.interval import SECOND
from quant.domain.market import Market
from quant.domain.trade import Trades
from quant.storage import codec
from quant.storage.table import Item, MemoryTable
from quant.storage.ticks import TickTable
from tests.benchmarks.measure import (
    RECORDED,
    frames_folder,
    item_bytes,
    one_core,
    recorded_trades,
    seconds,
    write_units,
)
from tests.benchmarks.peers import random_walk
from tests.benchmarks.row import Row

FLUSH = 5 * SECOND
SIZE = 250
# The reference load: 20 symbols of 50 trades/s, so a flush of five seconds packs 20 chunks of 250 trades.
TOGETHER = 20
ARRIVAL = 60  # ms from the exchange to the ingestor, as it is common from a near region
Pack = Callable[[Trades], bytes]


def run() -> list[Row]:
    with one_core():
        return [*_sizes(), *_speeds()]


def _sizes() -> list[Row]:
    folder = frames_folder()
    if folder is None:
        return [
            Row(name, None, unit, RECORDED)
            for name, unit in (("chunk.bytes_per_trade", "B"), ("chunk.write_units_per_million", "units"))
        ]
    rows = []
    for symbol, suffix in (("BTCUSDT", ""), ("ETHUSDT", ".ethusdt")):
        trades = recorded_trades(folder, symbol)
        rows += _sizes_of(Market("binance", symbol), trades, suffix)
    return rows


def _sizes_of(market: Market, trades: Trades, suffix: str) -> list[Row]:
    aligned, late = _flushed(market, trades, 0), _flushed(market, trades, ARRIVAL)
    ours = _bytes_and_units(aligned, trades)
    overhead = item_bytes(aligned[0]) - len(aligned[0].payload)
    what = f"{len(trades):,} trades of {market.symbol}, {len(aligned)} chunks"
    rows = [
        Row(f"chunk.bytes_per_trade{suffix}", ours[0], "B", what, goal="" if suffix else "≤ 2.9"),
        Row(f"chunk.write_units_per_million{suffix}", ours[1], "units", what, goal="" if suffix else "≤ 7000"),
        Row(
            f"chunk.write_units_per_million{suffix}.arriving_late",
            _bytes_and_units(late, trades)[1],
            "units",
            f"flushed {ARRIVAL} ms after the trades' own time",
        ),
        Row(f"chunk.item_overhead{suffix}", overhead, "B", "keys and attributes of an item beside its payload"),
    ]
    for name, pack in PEERS.items():
        theirs = _repacked(aligned, market, pack)
        size, units = _bytes_and_units(theirs, trades)
        rows.append(Row(f"chunk.bytes_per_trade{suffix}.{name}", size, "B", name, size / ours[0]))
        rows.append(Row(f"chunk.write_units_per_million{suffix}.{name}", units, "units", name, units / ours[1]))
    return rows


def _flushed(market: Market, trades: Trades, late: int) -> list[Item]:
    """The items that flushes every five seconds make of trades which arrive ``late`` ms after their time."""
    flushes = np.maximum.accumulate(trades.times + late) // FLUSH
    edges = [0, *(np.flatnonzero(np.diff(flushes)) + 1).tolist(), len(trades)]
    return _items(
        [chunk for low, high in pairwise(edges) for chunk in codec.pack(market, trades.take(slice(low, high)))]
    )


def _items(chunks: list[Chunk]) -> list[Item]:
    table = _Kept()
    TickTable(table, lambda: 0, 604_800).write(chunks)
    return table.items


class _Kept(MemoryTable):
    """Keeps what is written in the order of writing."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Item] = []

    def put_all(self, items: Sequence[Item]) -> None:
        self.items += items


def _repacked(items: Iterable[Item], market: Market, pack: Pack) -> list[Item]:
    """The same items with another's payload, so that keys and attributes cost each the same."""
    return [Item(item.pk, item.sk, pack(_trades_of(item, market)), item.etag, item.count, item.first_time,
                 item.last_time, item.ttl) for item in items]  # fmt: skip


def _trades_of(item: Item, market: Market) -> Trades:
    first, last, digest = item.sk.split("#")
    return codec.unpack(
        Chunk(market, int(first), int(last), item.first_time, item.last_time, item.count, digest, item.payload)
    )


def _bytes_and_units(items: list[Item], trades: Trades) -> tuple[float, float]:
    size = sum(len(item.payload) for item in items) / len(trades)
    return round(size, 4), round(sum(map(write_units, items)) * 1_000_000 / len(trades), 1)


def _speeds() -> list[Row]:
    folder, market = frames_folder(), Market("binance", "BTCUSDT")
    trades = random_walk(20_000, 33) if folder is None else recorded_trades(folder, market.symbol)
    what = "random walk" if folder is None else "recorded BTCUSDT"
    pieces = [trades.take(slice(low, low + SIZE)) for low in range(0, len(trades) - SIZE, SIZE)]
    pieces = [piece for piece in pieces if len(codec.pack(market, piece)) == 1]
    chunks = [codec.pack(market, piece)[0] for piece in pieces]
    parquets = [_parquet(piece) for piece in pieces]
    small = list(map(_small_parquet, pieces))
    texts = [_json_zlib(piece) for piece in pieces]
    flushes = [[(market, one) for one in pieces[at : at + TOGETHER]] for at in range(0, len(pieces), TOGETHER)]
    count = len(pieces)
    ours = _rates(count, lambda: list(map(codec.pack_all, flushes)), lambda: codec.unpack_all(chunks))
    peers = {
        "alone": _rates(
            count, lambda: [codec.pack(market, one) for one in pieces], lambda: list(map(codec.unpack, chunks))
        ),
        "parquet": _rates(count, lambda: list(map(_parquet, pieces)), lambda: list(map(_read_parquet, parquets))),
        "parquet_small": _rates(
            count, lambda: list(map(_small_parquet, pieces)), lambda: list(map(_read_parquet, small))
        ),
        "pandas": _rates(count, lambda: list(map(_pandas, pieces)), lambda: list(map(_read_pandas, parquets))),
        "json_zlib": _rates(count, lambda: list(map(_json_zlib, pieces)), lambda: list(map(_read_json, texts))),
    }
    rows = []
    for at, name in enumerate(("chunk.encode", "chunk.decode")):
        ratio = ours[at] / peers["parquet"][at]
        peer = f"{NAMES['parquet'][at]}, zstd; {what}, {count} chunks of {SIZE}, {GROUPED[at]}"
        rows.append(Row(name, round(ours[at]), "trades/s", peer, ratio, "≥ 2M; ratio ≥ 20"))
        rows += [
            Row(f"{name}.{peer}", round(rates[at]), "trades/s", NAMES[peer][at], ours[at] / rates[at])
            for peer, rates in peers.items()
        ]
    return rows


def _rates(count: int, encode: Callable[[], object], decode: Callable[[], object]) -> tuple[float, float]:
    return count * SIZE / seconds(encode), count * SIZE / seconds(decode)


def _columns(trades: Trades) -> dict[str, np.ndarray]:
    return {
        "id": trades.ids,
        "time": trades.times,
        "price": trades.prices,
        "quantity": trades.quantities,
        "buyer_is_maker": trades.buyer_is_maker,
    }


def _parquet(trades: Trades) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(_columns(trades)), sink, compression="zstd")
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def _small_parquet(trades: Trades) -> bytes:
    """Without what pays for itself in large files only: dictionaries, statistics and the Arrow schema."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.table(_columns(trades)),
        sink,
        compression="zstd",
        use_dictionary=False,
        write_statistics=False,
        store_schema=False,
        column_encoding=dict.fromkeys(("id", "time", "price", "quantity"), "DELTA_BINARY_PACKED"),
    )
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def _read_parquet(packed: bytes) -> list[np.ndarray]:
    table = pq.read_table(pa.BufferReader(packed), use_threads=False)
    return [column.to_numpy() for column in table.columns]


def _pandas(trades: Trades) -> bytes:
    import pandas as pd

    sink = io.BytesIO()
    pd.DataFrame(_columns(trades)).to_parquet(sink, compression="zstd", index=False)
    return sink.getvalue()


def _read_pandas(packed: bytes) -> object:
    import pandas as pd

    return pd.read_parquet(io.BytesIO(packed))


def _json_zlib(trades: Trades) -> bytes:
    rows = list(zip(*(column.tolist() for column in _columns(trades).values()), strict=True))
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 9)


def _read_json(packed: bytes) -> list[np.ndarray]:
    return [np.array(column) for column in zip(*json.loads(zlib.decompress(packed)), strict=True)]


PEERS: dict[str, Pack] = {"json_zlib": _json_zlib, "parquet": _parquet, "parquet_small": _small_parquet}
GROUPED = (f"{TOGETHER} in a flush", "in one reading")
NAMES = {
    "parquet": ("pyarrow write_table", "pyarrow read_table"),
    "parquet_small": ("write_table as suits small tables", "read_table of these"),
    "alone": ("ours, each chunk in a call of its own", "ours, each chunk in a call of its own"),
    "pandas": ("pandas to_parquet", "pandas read_parquet"),
    "json_zlib": ("json and zlib 9", "json and zlib"),
}
