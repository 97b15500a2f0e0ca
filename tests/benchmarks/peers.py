"""Other libraries doing the same resampling on the same columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from quant.domain.trade import Trades

START = 1_723_075_200_000  # 2024-08-08T00:00 UTC


def random_walk(count: int, mean_ms: float, seed: int = 7) -> Trades:
    """Seeded trades at the pace given, ids contiguous."""
    chance = np.random.default_rng(seed)
    return Trades.of(
        np.arange(count),
        START + np.sort(chance.integers(0, int(count * mean_ms), count)),
        6_000_000 + np.cumsum(chance.integers(-40, 41, count)),
        chance.integers(1, 100_000, count),
        chance.random(count) < 0.5,
        price_decimals=2,
        quantity_decimals=5,
    )


def columns(trades: Trades) -> dict[str, Any]:
    return {
        "id": trades.ids,
        "time": trades.times,
        "price": trades.prices,
        "quantity": trades.quantities,
        "maker": trades.buyer_is_maker,
    }


def with_pandas(frame: Any, interval: int) -> Any:
    """Twelve columns per bar, as ours; pandas' quickest way: a groupby of built-in aggregations."""
    quote = frame["price"] * frame["quantity"]
    bought = ~frame["maker"]
    parts = frame.assign(
        bar=frame["time"] // interval * interval,
        quote=quote,
        bought=frame["quantity"] * bought,
        bought_quote=quote * bought,
    )
    return parts.groupby("bar", sort=False).agg(
        open=("price", "first"),
        high=("price", "max"),
        low=("price", "min"),
        close=("price", "last"),
        volume=("quantity", "sum"),
        quote_volume=("quote", "sum"),
        taker_buy_volume=("bought", "sum"),
        taker_buy_quote_volume=("bought_quote", "sum"),
        trades=("id", "size"),
        first_id=("id", "first"),
        last_id=("id", "last"),
    )


def with_polars(frame: Any, interval: int) -> Any:
    """The same; the times are known to be sorted, which polars' dynamic grouping wants."""
    import polars as pl

    price, quantity = pl.col("price"), pl.col("quantity")
    bought = quantity * (~pl.col("maker")).cast(pl.Int64)
    return (
        frame.group_by_dynamic("time", every=f"{interval}i", start_by="window")
        .agg(
            price.first().alias("open"),
            price.max().alias("high"),
            price.min().alias("low"),
            price.last().alias("close"),
            quantity.sum().alias("volume"),
            (price * quantity).sum().alias("quote_volume"),
            bought.sum().alias("taker_buy_volume"),
            (price * bought).sum().alias("taker_buy_quote_volume"),
            pl.len().alias("trades"),
            pl.col("id").first().alias("first_id"),
            pl.col("id").last().alias("last_id"),
        )
    )  # fmt: skip


DUCKDB = """
select time // {0} * {0} as bar, arg_min(price, id) as open, max(price) as high, min(price) as low,
       arg_max(price, id) as close, sum(quantity) as volume, sum(price * quantity) as quote_volume,
       sum(case when maker then 0 else quantity end) as taker_buy_volume,
       sum(case when maker then 0 else price * quantity end) as taker_buy_quote_volume,
       count(*) as trades, min(id) as first_id, max(id) as last_id
from trades group by bar order by bar
"""
