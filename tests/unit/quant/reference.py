"""Bars by the plainest possible code: one trade at a time, Python integers. What the columnar code is held to."""

from __future__ import annotations

from dataclasses import dataclass, field

from quant.domain.bar import Bars
from quant.domain.trade import Trades


@dataclass
class PlainBar:
    time: int
    rows: list[tuple[int, ...]] = field(default_factory=list)

    def figures(self) -> dict[str, int]:
        rows = sorted(self.rows)
        taker = [row for row in rows if not row[5]]
        return {
            "time": self.time,
            "open": rows[0][3],
            "high": max(row[3] for row in rows),
            "low": min(row[3] for row in rows),
            "close": rows[-1][3],
            "volume": sum(row[4] for row in rows),
            "quote_volume": sum(row[3] * row[4] for row in rows),
            "taker_buy_volume": sum(row[4] for row in taker),
            "taker_buy_quote_volume": sum(row[3] * row[4] for row in taker),
            "trades": sum(row[1] - row[0] + 1 for row in rows),
            "first_id": rows[0][0],
            "last_id": rows[-1][1],
        }


def plain_bars(trades: Trades, interval: int) -> list[dict[str, int]]:
    bars: dict[int, PlainBar] = {}
    for row in zip(*(column.tolist() for column in trades.columns()), strict=True):
        start = row[2] - row[2] % interval
        bars.setdefault(start, PlainBar(start)).rows.append(row)
    return [bars[start].figures() for start in sorted(bars)]


def figures(bars: Bars) -> list[dict[str, int]]:
    names = plain_names()
    columns = [getattr(bars, name).tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def plain_names() -> tuple[str, ...]:
    return (
        "time", "open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume",
        "taker_buy_quote_volume", "trades", "first_id", "last_id",
    )  # fmt: skip
