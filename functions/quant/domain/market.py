"""Which instrument: an exchange and the symbol that this exchange gives it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, Self

from quant.errors import ValidationError

DEFAULT_EXCHANGE = "binance"
_EXCHANGE = re.compile(r"[a-z][a-z0-9]{1,19}\Z")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9-]{1,29}\Z")


class Market(NamedTuple):
    """One symbol of one exchange."""

    exchange: str
    symbol: str

    def __str__(self) -> str:
        return f"{self.exchange}:{self.symbol}"

    @property
    def key(self) -> str:
        """The market as a part of storage keys."""
        return f"{self.exchange}#{self.symbol}"

    @classmethod
    def from_key(cls, key: str) -> Self:
        exchange, symbol = key.split("#")[:2]
        return cls(exchange, symbol)

    @classmethod
    def parse(cls, text: str, field: str = "symbol") -> Self:
        """Read ``BTCUSDT`` or ``coinbase:BTC-USD``; the exchange is binance where it is left out.

        Raises:
            ValidationError: the text is not such a name.
        """
        exchange, colon, symbol = text.strip().rpartition(":")
        exchange = exchange.lower() if colon else DEFAULT_EXCHANGE
        symbol = symbol.upper()
        if not _EXCHANGE.match(exchange):
            raise ValidationError("exchange", "must be 2 to 20 lower-case letters or digits, such as binance")
        if not _SYMBOL.match(symbol):
            raise ValidationError(field, "must be 2 to 30 letters, digits or dashes, such as BTCUSDT")
        return cls(exchange, symbol)


@dataclass(frozen=True, slots=True)
class Instrument:
    """What the exchange says of a market: names of its sides and the decimals of its numbers."""

    market: Market
    base: str
    quote: str
    price_decimals: int
    quantity_decimals: int
