"""A day of 1m bars through the repository, 24 packed items, against PynamoDB reading 1,440 items of one bar each."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from quant.analytics.resample import bars_of_trades
from quant.domain.bar import Bars
from quant.domain.interval import DAY, M1
from quant.domain.market import Market
from quant.storage.bars import BarTable
from quant.storage.dynamo import DynamoTable
from tests.benchmarks.emulated import create_table, emulator
from tests.benchmarks.measure import cpu_seconds, one_core
from tests.benchmarks.peers import START, random_walk
from tests.benchmarks.row import Row

MARKET = Market("binance", "BTCUSDT")
PACKED, SINGLE = "bench-ohlc_data", "bench-single_bars"


class SingleBar(Model):
    """One bar as one item, as a table of bars is usually modelled."""

    class Meta:
        table_name = SINGLE

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    open = NumberAttribute()
    high = NumberAttribute()
    low = NumberAttribute()
    close = NumberAttribute()
    volume = NumberAttribute()
    quote_volume = NumberAttribute()
    taker_buy_volume = NumberAttribute()
    taker_buy_quote_volume = NumberAttribute()
    trades = NumberAttribute()
    first_id = NumberAttribute()
    last_id = NumberAttribute()
    complete = BooleanAttribute()


def run() -> list[Row]:
    bars = bars_of_trades(random_walk(250_000, DAY / 250_000), M1.ms, previous_id=-1)
    with emulator(), one_core():
        create_table(PACKED)
        create_table(SINGLE)
        repository = BarTable(DynamoTable(PACKED), lambda: START + DAY, 2_592_000)
        repository.merge(MARKET, bars)
        _store_singly(bars)
        return _rows(repository, bars)


def _rows(repository: BarTable, bars: Bars) -> list[Row]:
    def ours() -> Bars:
        return repository.read(MARKET, M1, START, START + DAY)

    def theirs() -> list[SingleBar]:
        return list(SingleBar.query(MARKET.key, consistent_read=True))

    found, singles = ours(), theirs()
    if len(found) != len(bars) or [one.close for one in singles] != found.close.tolist():
        raise AssertionError("the two do not read the same bars")
    own, peer = cpu_seconds(ours, 15), cpu_seconds(theirs, 7)
    text = f"share of pynamodb with {len(singles):,} items of one bar, {peer * 1000:.1f} ms"
    return [Row("bars.read_day", round(own * 1000, 2), "ms of client CPU", text, own / peer, "≤ 0.2")]


def _store_singly(bars: Bars) -> None:
    names = [name for name in SingleBar.get_attributes() if name not in ("pk", "sk")]
    with SingleBar.batch_write() as batch:
        for at in range(len(bars)):
            values: dict[str, Any] = {name: int(getattr(bars, name)[at]) for name in names}
            values["complete"] = bool(values["complete"])
            batch.save(SingleBar(MARKET.key, f"{int(bars.time[at]):015d}", **values))
