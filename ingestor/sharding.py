"""Which symbols are this process's."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

from quant.domain.market import Market
from quant.errors import SettingError

_SHARD = re.compile(r"([1-9]\d{0,3})/([1-9]\d{0,3})\Z")


def parse_shard(text: str) -> tuple[int, int]:
    """Read ``I/N``.

    Raises:
        SettingError: not two whole numbers with 1 <= I <= N.
    """
    match = _SHARD.match(text)
    if match is None or int(match[1]) > int(match[2]):
        raise SettingError("SHARD", "must be I/N with 1 <= I <= N, such as 2/4, or auto", text)
    return int(match[1]), int(match[2])


def of_shard(markets: Iterable[Market], shard: tuple[int, int]) -> tuple[Market, ...]:
    """The markets of one shard; the same on every machine and in every run."""
    number, of = shard
    return tuple(market for market in markets if zlib.crc32(str(market).encode()) % of == number - 1)
