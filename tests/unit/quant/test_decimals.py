"""Decimals are exact, or refused."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant.domain.decimals import decimals_needed, divide_half_even, format_scaled, parse_scaled, vwap


@pytest.mark.parametrize(
    ("text", "decimals", "value"),
    [("61837.63000000", 2, 6183763), ("0.00009000", 5, 9), ("7", 3, 7000), ("-1.5", 1, -15), ("0.00000001", 8, 1)],
)
def test_a_decimal_is_read_exactly(text: str, decimals: int, value: int) -> None:
    assert parse_scaled(text, decimals) == value


@pytest.mark.parametrize("text", ["", "1e5", "NaN", "1.", ".5", "1,5", " 1", "0x10", "\u0661"])
def test_what_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a plain decimal"):
        parse_scaled(text, 8)


def test_decimals_are_never_dropped() -> None:
    with pytest.raises(ValueError, match="needs more than 2 decimals"):
        parse_scaled("1.005", 2)


@given(st.integers(-(10**20), 10**20), st.integers(0, 12))
def test_what_is_written_reads_back(value: int, decimals: int) -> None:
    text = format_scaled(value, decimals)
    assert Decimal(text) == Decimal(value).scaleb(-decimals)
    if abs(value) < 10**17:
        assert parse_scaled(text, decimals) == value
        assert decimals_needed(text) <= decimals


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**15))
def test_division_rounds_half_to_even(numerator: int, denominator: int) -> None:
    with localcontext() as context:
        context.prec = 80
        expected = (Decimal(numerator) / Decimal(denominator)).to_integral_value(ROUND_HALF_EVEN)
    assert divide_half_even(numerator, denominator) == expected


def test_vwap_is_rounded_once_to_four_more_decimals() -> None:
    # 1 at 10.00 and 2 at 10.01: 30.02 / 3 = 10.006666..., scaled by 10**6.
    assert vwap(quote_volume=3002, volume=3) == 10006667
    assert vwap(quote_volume=0, volume=0) is None
