"""Frames that no client should trip over."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from infra.local.exchange.market import Event
from infra.local.exchange.rendering import trade_frame

MEGABYTE = 1_000_000


def _priced(price: str, quantity: str = "1.00000000") -> Callable[[str, int, int], str]:
    return lambda symbol, number, now: trade_frame(symbol, number, now, price, quantity, False, now)


def _wrong_types(symbol: str, number: int, now: int) -> str:
    return f'{{"e":"trade","E":"{now}","s":7,"t":"{number}","p":1.5,"q":null,"T":[],"m":"yes","M":true}}'


KINDS: Mapping[str, Callable[[str, int, int], str]] = {
    "malformed": lambda symbol, number, now: f'{{"e":"trade","E":{now},"s":"{symbol}","t":{number},"p":',
    "wrong_types": _wrong_types,
    "unknown_event": lambda symbol, number, now: f'{{"e":"outerSpace","E":{now},"s":"{symbol}","x":1}}',
    "unknown_symbol": lambda symbol, number, now: trade_frame("NOSUCH", number, now, "1.0", "1.0", False, now),
    "missing_fields": lambda symbol, number, now: f'{{"e":"trade","E":{now},"s":"{symbol}","t":{number}}}',
    "negative_price": _priced("-1.00000000"),
    "zero_price": _priced("0.00000000"),
    "zero_quantity": _priced("1.00000000", "0.00000000"),
    "not_a_number": _priced("NaN"),
    "empty": lambda symbol, number, now: "",
    "array": lambda symbol, number, now: "[]",
    "huge": lambda symbol, number, now: f'{{"e":"trade","s":"{symbol}","pad":"{"x" * MEGABYTE}"}}',
}


def garbage(what: str, symbol: str, number: int, now: int) -> Event:
    """An event that was never published; ``number`` is a trade id that was."""
    data = KINDS[what](symbol, number, now)
    return Event(symbol, f"{symbol.lower()}@trade", data)
