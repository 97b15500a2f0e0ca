"""The recorded trades, read by the plainest possible code: the reference for what the platform makes of the frames."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from quant.domain.decimals import decimals_needed, parse_scaled
from quant.domain.trade import Trades


def recorded_trades(folder: Path, symbol: str) -> Trades:
    """All trades of a symbol in the recorded frames, by id."""
    rows = {}
    for path in sorted(folder.glob(f"{symbol.lower()}_*.gz")):
        with gzip.open(path, "rt") as file:
            for line in file:
                frame = json.loads(line.split(" ", 1)[1])
                if frame.get("stream", "").endswith("@trade"):
                    data = frame["data"]
                    rows[data["t"]] = (data["T"], data["p"], data["q"], data["m"])
    ids = sorted(rows)
    times, prices, quantities, makers = zip(*(rows[one] for one in ids), strict=True)
    price_decimals = max(map(decimals_needed, prices))
    quantity_decimals = max(map(decimals_needed, quantities))
    return Trades.of(
        ids,
        times,
        [parse_scaled(price, price_decimals) for price in prices],
        [parse_scaled(quantity, quantity_decimals) for quantity in quantities],
        makers,
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
    )
