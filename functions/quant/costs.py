"""The monthly AWS bill of a load, line by line. `make costs` prints it, GET /api/costs serves it for the live load.

What a unit of work asks of DynamoDB and of the processor was counted on the code itself and is held to it by
tests/unit/costs; what does not exist yet is marked as assumed. Prices are those of one dated file.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quant.monthly_use import MILLION, SECONDS, Load, Use, uses

PRICES = Path(__file__).with_name("prices") / "2026-11.json"


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per unit, by name, in one region. Units of ``allowances`` are those of the prices."""

    region: str
    as_of: str
    usd: dict[str, float]
    allowances: dict[str, float]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill. ``free`` is what the account's always-free allowance takes off."""

    group: str
    name: str
    quantity: float
    unit: str
    usd: float
    free: float = 0.0


@dataclass(frozen=True, slots=True)
class Bill:
    """A month of 730 hours.

    Attributes:
        one_item_per_trade: what writing each trade as an item of its own would cost, USD.
    """

    load: Load
    region: str
    as_of: str
    lines: tuple[Line, ...]
    one_item_per_trade: float

    @property
    def list_total(self) -> float:
        """Before any allowance."""
        return sum(line.usd for line in self.lines)

    @property
    def total(self) -> float:
        """What is to be paid."""
        return self.list_total - sum(line.free for line in self.lines)


def load_prices(region: str | None = None, path: Path = PRICES) -> Prices:
    """The dated price list; the default region is its own.

    Raises:
        KeyError: it does not have that region.
    """
    found = json.loads(path.read_text())
    region = region or found["default_region"]
    return Prices(region, found["as_of"], found["regions"][region], found["allowances"])


def monthly_bill(load: Load, prices: Prices) -> Bill:
    """Every line of the month."""
    priced = tuple(_priced(use, prices) for use in _with_allowances(uses(load), prices))
    each = load.trades_per_second * SECONDS / MILLION * prices.usd["dynamodb_write"]
    return Bill(load, prices.region, prices.as_of, priced, each)


def _priced(use: Use, prices: Prices) -> Line:
    usd = prices.usd[use.price]
    return Line(use.group, use.name, use.quantity, use.unit, use.quantity * usd, use.free * usd)


def _with_allowances(uses: tuple[Use, ...], prices: Prices) -> list[Use]:
    """Each allowance is used up by the lines in their order."""
    left = dict(prices.allowances)
    found = []
    for use in uses:
        free = min(left.get(use.price, 0.0), use.quantity)
        left[use.price] = left.get(use.price, 0.0) - free
        found.append(replace(use, free=free))
    return found


def as_table(bill: Bill) -> str:
    """The bill for a terminal."""
    load = bill.load
    rows = [
        f"{line.group:<12} {line.name:<26} {line.quantity:>10,.3f} {line.unit:<8} {line.usd:>8.2f} {line.free:>8.2f}"
        for line in bill.lines
    ]
    return "\n".join(
        [
            f"{load.symbols} symbols, {load.trades_per_second:,.0f} trades/s, a flush every {load.flush_seconds:g} s; "
            f"prices of {bill.region}, {bill.as_of}, secondary sources",
            f"{'':<12} {'':<26} {'quantity':>10} {'':<8} {'USD':>8} {'free':>8}",
            *rows,
            f"{'a month at list prices':<59} {bill.list_total:>8.2f}",
            f"{'to pay, after always-free allowances':<59} {bill.total:>8.2f}",
            f"{'for comparison: one item per trade, writes alone':<59} {bill.one_item_per_trade:>8.2f}",
        ]
    )


def main(arguments: list[str]) -> None:
    """``python -m quant.costs symbols=200 trades_per_second=10000 region=eu-central-1``"""
    given = dict(one.split("=", 1) for one in arguments)
    prices = load_prices(given.pop("region", None))
    changed: dict[str, Any] = {name: json.loads(text) for name, text in given.items()}
    sys.stdout.write(as_table(monthly_bill(replace(Load(), **changed), prices)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
