"""Frames are those of RFC 6455, section 5.2, and stamps are told from ids."""

import pytest

from infra.local.exchange.trades import text, units
from infra.local.exchange.wire import frame, microseconds, shifted, stamps

TRADE = '{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"1.0","q":"2.0","T":1723161255342,"m":true}'


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (5, b"\x81\x05"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_the_length_takes_1_3_or_9_bytes(size: int, head: bytes) -> None:
    assert frame(b"x" * size) == head + b"x" * size


def test_only_stamps_are_moved() -> None:
    assert stamps(TRADE) == [1_723_161_255_343, 1_723_161_255_342]
    assert stamps(shifted(TRADE, 1_000)) == [1_723_161_256_343, 1_723_161_256_342]
    assert '"t":3735683259,' in shifted(TRADE, 1_000)
    assert '"T":1723161255342000,' in microseconds(TRADE)


@pytest.mark.parametrize("number", ["61837.63000000", "0.00000001", "-1.50000000", "0.00000000"])
def test_numbers_are_printed_as_they_were_read(number: str) -> None:
    assert text(units(number)) == number


@pytest.mark.parametrize("number", ["1e5", "", "1.123456789", "NaN", "1,5", "."])
def test_what_is_no_decimal_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="decimal"):
        units(number)
