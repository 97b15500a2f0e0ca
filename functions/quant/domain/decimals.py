"""Exact decimals as scaled integers: 61837.63 with two decimals is 6183763."""

from __future__ import annotations

import re

_DECIMAL = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{1,18}))?\Z")
VWAP_EXTRA_DECIMALS = 4


def decimals_needed(text: str) -> int:
    """How many decimals ``text`` shows, trailing zeros apart: ``"0.02000000"`` needs two."""
    return len(text.partition(".")[2].rstrip("0"))


def parse_scaled(text: str, decimals: int) -> int:
    """Read a plain decimal exactly.

    Raises:
        ValueError: not a plain decimal, or it needs more than ``decimals`` decimals.
    """
    match = _DECIMAL.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a plain decimal number")
    sign, whole, fraction = match.groups()
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > decimals:
        raise ValueError(f"{text!r} needs more than {decimals} decimals")
    return int(sign + whole + fraction.ljust(decimals, "0"))


def format_scaled(value: int, decimals: int) -> str:
    """Write a scaled integer with exactly ``decimals`` decimals."""
    if not decimals:
        return str(value)
    digits = str(abs(value)).rjust(decimals + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"


def divide_half_even(numerator: int, denominator: int) -> int:
    """The quotient of two integers, ``denominator`` positive, rounded half to even."""
    quotient, rest = divmod(numerator, denominator)
    doubled = 2 * rest
    return quotient + (doubled > denominator or (doubled == denominator and quotient & 1))


def vwap(quote_volume: int, volume: int) -> int | None:
    """Volume-weighted average price, scaled by the price's decimals + 4, half even; None without volume.

    ``quote_volume`` is scaled by price + quantity decimals and ``volume`` by the quantity's, so their quotient is
    already scaled by the price's decimals.
    """
    if volume <= 0:
        return None
    return divide_half_even(quote_volume * 10**VWAP_EXTRA_DECIMALS, volume)
