"""Small registers beside the ticks: ingestors' heartbeats and the markets that are followed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from quant.domain.interval import HOUR, SECOND
from quant.domain.market import Instrument
from quant.domain.ports import Clock, Heartbeat
from quant.storage.envelope import compress, decompress
from quant.storage.table import Item, Table

_HEARTBEAT, _INSTRUMENT = "heartbeat", "instrument"


class HeartbeatTable:
    """quant.domain.ports.HeartbeatRepository on a table."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table, self._clock = table, clock

    def put(self, heartbeat: Heartbeat) -> None:
        ttl = (heartbeat.time + HOUR) // SECOND
        sk = f"{heartbeat.shard}#{heartbeat.instance}"
        self._table.put(Item(_HEARTBEAT, sk, _packed(heartbeat), last_time=heartbeat.time, ttl=ttl))

    def all(self) -> tuple[Heartbeat, ...]:
        oldest = self._clock() - HOUR
        items = [item for item in self._table.query(_HEARTBEAT) if item.last_time > oldest]
        items.sort(key=lambda item: item.last_time)
        return tuple(_unpacked(item.payload) for item in items)


def _packed(heartbeat: Heartbeat) -> bytes:
    """Compressed: each begun kilobyte is a write unit, and there is one every ten seconds for as long as we run."""
    return compress(msgspec.json.encode(heartbeat))


def _unpacked(payload: bytes) -> Heartbeat:
    # An ingestor of an earlier release writes plain JSON, which nothing compressed begins like.
    return msgspec.json.decode(payload if payload.startswith(b"{") else decompress(payload), type=Heartbeat)


class InstrumentTable:
    """quant.domain.ports.InstrumentRepository on a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, instruments: Sequence[Instrument]) -> None:
        self._table.put_all([Item(_INSTRUMENT, one.market.key, msgspec.json.encode(one)) for one in instruments])

    def all(self) -> tuple[Instrument, ...]:
        return tuple(msgspec.json.decode(item.payload, type=Instrument) for item in self._table.query(_INSTRUMENT))
