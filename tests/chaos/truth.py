"""Stored trades against those that the exchange published: each id, each column, each copy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from infra.local.exchange.simulated import SimulatedMarket
from quant.domain.chunk import Chunk
from quant.domain.interval import HOUR, hours_between
from quant.domain.market import Market
from quant.domain.trade import Trades, concatenate, merge
from quant.settings import Settings
from quant.storage.codec import unpack
from quant.storage.dynamo import DynamoTable
from quant.storage.storage import open_storage

_SCALE = 8


@dataclass(frozen=True, slots=True)
class Verdict:
    """``copies`` counts rows that are stored once more, in chunks that were cut differently: readers merge them."""

    published: int = 0
    stored: int = 0
    missing: int = 0
    duplicates: int = 0
    altered: int = 0
    copies: int = 0

    def __add__(self, other: Verdict) -> Verdict:
        mine, theirs = (tuple(getattr(one, name) for name in self.__slots__) for one in (self, other))
        return Verdict(*(a + b for a, b in zip(mine, theirs, strict=True)))

    @property
    def is_clean(self) -> bool:
        return self.missing == self.duplicates == self.altered == 0 and self.stored == self.published


def judge(settings: Settings, truth: SimulatedMarket, market: Market, first: int, last: int, now: int) -> Verdict:
    """Ids first…last of one market; ``stored`` counts whatever is there, so that a trade too many shows too."""
    start = int(truth.trades(market.symbol, first, first + 1).times[0])
    rows = _raw(settings, market, start, now)
    merged = open_storage(settings, lambda: now).ticks.read(market, start, now + HOUR, first_id=first, last_id=last)
    ids = merged.ids
    wanted = np.arange(first, last + 1)
    return Verdict(
        published=len(wanted),
        stored=len(ids),
        missing=int(np.count_nonzero(~np.isin(wanted, ids))),
        duplicates=len(ids) - len(np.unique(ids)),
        altered=_altered(rows, truth, market) + int(np.count_nonzero(merged.last_ids != ids)),
        copies=len(rows) - len(np.unique(rows.ids)),
    )


def _raw(settings: Settings, market: Market, start: int, end: int) -> Trades:
    """Every row of every chunk, merged with nothing: keys as docs/data-model.md lays them down."""
    table, parts = DynamoTable(settings.table("tick_data")), []
    for hour in hours_between(start, end + HOUR):
        for item in table.query(f"{market.key}#{datetime.fromtimestamp(hour / 1000, UTC):%Y-%m-%dT%H}"):
            first, last, digest = item.sk.split("#")
            times = item.first_time, item.last_time
            parts.append(unpack(Chunk(market, int(first), int(last), *times, item.count, digest, item.payload)))
    return concatenate(parts)


def _altered(rows: Trades, truth: SimulatedMarket, market: Market) -> int:
    order = np.argsort(rows.ids, kind="stable")
    stored = rows.take(order)
    real = truth.trades(market.symbol, stored.first_id, int(stored.ids[-1]) + 1)
    at = stored.ids - stored.first_id
    same = (
        (stored.times == real.times[at])
        & (stored.prices * 10 ** (_SCALE - stored.price_decimals) == real.prices[at])
        & (stored.quantities * 10 ** (_SCALE - stored.quantity_decimals) == real.quantities[at])
        & (stored.buyer_is_maker == real.buyer_is_maker[at])
    )
    return int(np.count_nonzero(~same))


def merged_ticks(settings: Settings, market: Market, first: int, last: int, start: int, now: int) -> Trades:
    """What a reader gets."""
    ticks = open_storage(settings, lambda: now).ticks
    return merge([ticks.read(market, start, now + HOUR, first_id=first, last_id=last)])
