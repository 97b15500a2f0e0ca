"""Ten million trades to bars of one second and one minute, on one core, against pandas, polars and duckdb.

All make the same columns of the same trades, and what they made is compared before anything is timed. Only ours also
judges each bar's completeness and guards against overflow.
"""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from quant.analytics.resample import bars_of_trades
from quant.domain.bar import Bars
from quant.domain.interval import M1, S1, Interval
from quant.domain.trade import Trades
from tests.benchmarks.measure import one_core, seconds
from tests.benchmarks.peers import DUCKDB, columns, random_walk, with_pandas, with_polars
from tests.benchmarks.row import Row

COUNT = 10_000_000
MEAN_MS = 34.56  # 29 trades a second, as recorded BTCUSDT: 96 hours
GOALS = {"1s": "≥ 1.5", "1m": "≥ 3"}
NAMES = ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume",
         "trades", "first_id", "last_id")  # fmt: skip
Make = Callable[[int], Any]


def run() -> list[Row]:
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    with one_core():
        trades = random_walk(COUNT, MEAN_MS)
        peers = _peers(trades)
        return [row for interval in (S1, M1) for row in _rows(trades, peers, interval)]


def _rows(trades: Trades, peers: dict[str, Make], interval: Interval) -> list[Row]:
    def ours() -> Bars:
        return bars_of_trades(trades, interval.ms, previous_id=-1)

    for name, make in peers.items():
        _same(ours(), make(interval.ms), name)
    name, own = f"bars.resample_{interval}", COUNT / seconds(ours, 5)
    rates = {peer: COUNT / seconds(lambda make=make: make(interval.ms), 3) for peer, make in peers.items()}
    text = f"pandas, {len(ours()):,} bars of {COUNT:,} trades, one core"
    return [
        Row(name, round(own), "trades/s", text, own / rates["pandas"], GOALS[interval.name]),
        *(Row(f"{name}.{peer}", round(rate), "trades/s", peer, own / rate) for peer, rate in rates.items()),
        Row(f"{name}.peak_memory", _peak(ours), "MB", f"beside the {_size(trades):.0f} MB of the trades themselves"),
    ]


def _peers(trades: Trades) -> dict[str, Make]:
    import duckdb
    import pandas as pd
    import polars as pl

    own = columns(trades)
    frame, polar = pd.DataFrame(own), pl.DataFrame(own).with_columns(pl.col("time").set_sorted())
    base = duckdb.connect(config={"threads": 1})
    base.register("frame", frame)
    base.execute("create table trades as select * from frame")
    return {
        "pandas": lambda interval: with_pandas(frame, interval),
        "polars": lambda interval: with_polars(polar, interval),
        "duckdb": lambda interval: base.execute(DUCKDB.format(interval)).fetchnumpy(),
    }


def _same(ours: Bars, theirs: Any, who: str) -> None:
    for name in NAMES:
        if not np.array_equal(getattr(ours, name), np.asarray(theirs[name]).astype(np.int64)):
            raise AssertionError(f"{who} makes another {name}")


def _peak(work: Callable[[], object]) -> float:
    """Megabytes that were set aside at the most at one time, the result included."""
    tracemalloc.start()
    try:
        work()
        return round(tracemalloc.get_traced_memory()[1] / 1e6, 1)
    finally:
        tracemalloc.stop()


def _size(trades: Trades) -> float:
    distinct = {id(column): column.nbytes for column in trades.columns()}
    return sum(distinct.values()) / 1e6
