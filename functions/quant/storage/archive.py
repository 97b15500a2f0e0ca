"""The archive of trades: one Parquet object per market and hour.

The layout is what Athena and DuckDB call hive: exchange, symbol and date are partitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from quant.domain.interval import HOUR, ceil
from quant.domain.market import Market
from quant.domain.trade import Trades, merge
from quant.errors import ConflictError
from quant.storage.objects import ABSENT, Objects
from quant.storage.parquet import from_parquet, to_parquet

_ATTEMPTS = 20
ROOT = "ticks"


class TradeArchive:
    """quant.domain.ports.ArchiveRepository on a bucket."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def merge(self, market: Market, hour: int, trades: Trades) -> Trades:
        """Join an hour's trades with those that are archived, never to fewer ids; what is archived then.

        The same trades give the same bytes, and then nothing is written. Another writer may change the object between
        our read and our write: then both are made anew.
        """
        key = object_key(market, hour)
        for _ in range(_ATTEMPTS):
            stored = self._objects.get(key)
            joined = merge([from_parquet(stored[0], key), trades]) if stored else merge([trades])
            payload = to_parquet(joined)
            if not len(joined) or (stored and stored[0] == payload):
                return joined
            try:
                self._objects.put(key, payload, expected=stored[1] if stored else ABSENT)
            except ConflictError:
                continue
            return joined
        raise ConflictError(f"write {key}", f"others changed it {_ATTEMPTS} times in a row")

    def read(self, market: Market, hour: int) -> Trades | None:
        """The trades of an archived hour; None where there is none."""
        key = object_key(market, hour)
        stored = self._objects.get(key)
        return None if stored is None else from_parquet(stored[0], key)

    def hours(self, market: Market, start: int, end: int) -> Iterator[int]:
        """The archived hours that begin in ``start <= hour < end``."""
        first, last = object_key(market, ceil(start, HOUR)), object_key(market, max(end - 1, 0))
        for key in self._objects.keys(f"{ROOT}/exchange={market.exchange}/symbol={market.symbol}/"):
            if first <= key <= last:
                yield hour_of(key)


def object_key(market: Market, hour: int) -> str:
    moment = datetime.fromtimestamp(hour / 1000, UTC)
    return f"{ROOT}/exchange={market.exchange}/symbol={market.symbol}/date={moment:%Y-%m-%d}/hour={moment:%H}.parquet"


def hour_of(key: str) -> int:
    """The hour that an object's key names, ms."""
    date, hour = key.removesuffix(".parquet").split("/date=")[1].split("/hour=")
    return int(datetime.fromisoformat(f"{date}T{hour}:00+00:00").timestamp()) * 1000
