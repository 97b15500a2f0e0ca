"""Parameters of REST requests, checked as the exchange does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.local.exchange.klines import INTERVALS
from infra.local.exchange.market import Market

MOST_ROWS = 1_000
_DIGITS = re.compile(r"\d{1,19}\Z")


class BadRequestError(Exception):
    """The exchange's answer to a request that it does not understand."""

    def __init__(self, code: int, msg: str) -> None:
        super().__init__(code, msg)
        self.code, self.msg = code, msg


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of one request to a market."""

    values: Mapping[str, str]
    market: Market

    @property
    def symbol(self) -> str:
        return self._known(self._mandatory("symbol"))

    @property
    def symbols(self) -> list[str]:
        """What ``exchangeInfo`` is asked for; all where nothing is said."""
        if "symbol" in self.values and "symbols" in self.values:
            raise BadRequestError(-1128, "Combination of optional parameters invalid.")
        if "symbol" in self.values:
            return [self.symbol]
        if "symbols" not in self.values:
            return list(self.market.instruments)
        return [self._known(name) for name in _names(self.values["symbols"])]

    @property
    def interval(self) -> int:
        name = self._mandatory("interval")
        if name not in INTERVALS:
            raise BadRequestError(-1120, "Invalid interval.")
        return INTERVALS[name]

    @property
    def limit(self) -> int:
        limit = self.number("limit")
        if limit == 0:
            raise BadRequestError(-1130, "Data sent for parameter 'limit' is not valid.")
        return min(500 if limit is None else limit, MOST_ROWS)

    def number(self, name: str) -> int | None:
        """A whole number, or None where it is left out."""
        value = self.values.get(name)
        if value is None:
            return None
        if value == "":
            raise BadRequestError(-1105, f"Parameter '{name}' was empty.")
        if not _DIGITS.match(value):
            raise BadRequestError(
                -1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'."
            )
        return int(value)

    def _mandatory(self, name: str) -> str:
        value = self.values.get(name, "")
        if not value:
            raise BadRequestError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
        return value

    def _known(self, symbol: str) -> str:
        if symbol not in self.market.instruments:
            raise BadRequestError(-1121, "Invalid symbol.")
        return symbol


def _names(value: str) -> list[str]:
    try:
        names = json.loads(value)
    except json.JSONDecodeError as exc:
        raise BadRequestError(-1100, "Illegal characters found in parameter 'symbols'.") from exc
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadRequestError(-1100, "Illegal characters found in parameter 'symbols'.")
    return names
