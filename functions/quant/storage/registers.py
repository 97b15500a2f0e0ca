"""Small registers beside the ticks: ingestors' heartbeats and the markets that are followed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from quant.domain.interval import HOUR, SECOND
from quant.domain.market import Instrument
from quant.domain.ports import Clock, Heartbeat
from quant.storage.table import Item, Table

_HEARTBEAT, _INSTRUMENT = "heartbeat", "instrument"


class HeartbeatTable:
    """quant.domain.ports.HeartbeatRepository on a table."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table, self._clock = table, clock

    def put(self, heartbeat: Heartbeat) -> None:
        ttl = (heartbeat.time + HOUR) // SECOND
        sk = f"{heartbeat.shard}#{heartbeat.instance}"
        self._table.put(Item(_HEARTBEAT, sk, msgspec.json.encode(heartbeat), last_time=heartbeat.time, ttl=ttl))

    def all(self) -> tuple[Heartbeat, ...]:
        oldest = self._clock() - HOUR
        items = [item for item in self._table.query(_HEARTBEAT) if item.last_time > oldest]
        items.sort(key=lambda item: item.last_time)
        return tuple(msgspec.json.decode(item.payload, type=Heartbeat) for item in items)


class InstrumentTable:
    """quant.domain.ports.InstrumentRepository on a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, instruments: Sequence[Instrument]) -> None:
        self._table.put_all([Item(_INSTRUMENT, one.market.key, msgspec.json.encode(one)) for one in instruments])

    def all(self) -> tuple[Instrument, ...]:
        return tuple(msgspec.json.decode(item.payload, type=Instrument) for item in self._table.query(_INSTRUMENT))
