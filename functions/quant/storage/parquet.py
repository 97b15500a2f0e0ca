"""Trades as Parquet, readable by pandas, pyarrow, DuckDB and Athena as they are.

Columns: ``id`` int64, ``time`` timestamp in ms UTC, ``price`` and ``quantity`` decimal(38, 12), so that one schema
serves all symbols and every number is exact, ``buyer_is_maker`` bool, and ``trades``: 1, or how many trades an
aggregate stands for. The decimals of the exchange are kept in the file's metadata. Equal trades give equal bytes.

pyarrow is large, so it is imported when the first hour is written or read.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from quant.domain.trade import Ints, Trades
from quant.errors import ChunkError, DataError

SCALE = 12
_WIDTH = 38
_LEVEL = 9
_PACKED = {"id": "DELTA_BINARY_PACKED", "time": "DELTA_BINARY_PACKED"}
_DECIMALS = ("price_decimals", "quantity_decimals")


def to_parquet(trades: Trades) -> bytes:
    """One file of trades that ascend by id."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "id": pa.array(trades.ids),
            "time": pa.array(trades.times).cast(pa.timestamp("ms", "UTC")),
            "price": _decimals(trades.prices, trades.price_decimals),
            "quantity": _decimals(trades.quantities, trades.quantity_decimals),
            "buyer_is_maker": pa.array(trades.buyer_is_maker),
            "trades": pa.array((trades.last_ids - trades.ids + 1).astype(np.int32)),
        }
    ).replace_schema_metadata({name: str(getattr(trades, name)) for name in _DECIMALS})
    sink = io.BytesIO()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=_LEVEL,
        use_dictionary=["price", "quantity", "trades"],
        column_encoding=_PACKED,
    )
    return sink.getvalue()


def from_parquet(payload: bytes, key: str) -> Trades:
    """The trades of a file; ``key`` names it in errors.

    Raises:
        ChunkError: not such a file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(payload)).combine_chunks()
        price_decimals, quantity_decimals = (int(table.schema.metadata[name.encode()]) for name in _DECIMALS)
        ids = _column(table, "id")
        return Trades.of(
            ids,
            table.column("time").cast(pa.int64()).to_numpy(),
            _scaled(table.column("price"), price_decimals),
            _scaled(table.column("quantity"), quantity_decimals),
            table.column("buyer_is_maker").to_numpy(),
            price_decimals=price_decimals,
            quantity_decimals=quantity_decimals,
            last_ids=ids + _column(table, "trades") - 1,
        )
    except (pa.ArrowException, KeyError, TypeError, ValueError, DataError) as exc:
        raise ChunkError(key, f"{type(exc).__name__}: {exc}") from exc


def _decimals(values: Ints, decimals: int) -> Any:
    """Scaled integers as decimals: their 64 bits are the low half of 128, the sign fills the high half."""
    import pyarrow as pa

    halves = np.empty((len(values), 2), dtype=np.int64)
    halves[:, 0], halves[:, 1] = values, values >> 63
    exact = pa.Array.from_buffers(pa.decimal128(_WIDTH - SCALE, decimals), len(values), [None, pa.py_buffer(halves)])
    return exact.cast(pa.decimal128(_WIDTH, SCALE))


def _scaled(column: Any, decimals: int) -> Ints:
    """Decimals as integers scaled by 10**decimals; pyarrow refuses a cast that would lose digits."""
    import pyarrow as pa

    exact = column.cast(pa.decimal128(_WIDTH, decimals)).combine_chunks()
    halves = np.frombuffer(exact.buffers()[1], dtype=np.int64)[2 * exact.offset :][: 2 * len(exact)].reshape(-1, 2)
    if bool(np.any(halves[:, 1] != halves[:, 0] >> 63)):
        raise ValueError("a number is wider than 64 bits")
    return halves[:, 0].copy()


def _column(table: Any, name: str) -> Ints:
    values: Ints = table.column(name).to_numpy().astype(np.int64)
    return values
