"""GET /costs: the load as the ingestors measure it, and its monthly price."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from quant.contract.platform import COSTS
from quant.contract.types import Nothing
from quant.costs import load_prices, monthly_bill
from quant.domain.interval import SECOND
from quant.domain.ports import Heartbeat
from quant.http.answers import Answer
from quant.http.call import Call
from quant.http.routing import Routes
from quant.monthly_use import Load
from quant.storage.storage import Storage

_ALIVE = 30 * SECOND


def add_costs_route(routes: Routes, storage: Callable[[], Storage]) -> None:
    @routes.serve(COSTS)
    def costs(call: Call[Nothing, Nothing]) -> Answer:
        alive = [beat for beat in storage().heartbeats.all() if call.now - beat.time <= _ALIVE]
        return Answer.of(_costs(alive))


def _costs(alive: Sequence[Heartbeat]) -> dict[str, Any]:
    """Where no ingestor is alive the reference load is priced, and the answer says so."""
    load = measured_load(alive)
    bill = monthly_bill(load or Load(), load_prices())
    return {
        "basis": "reference" if load is None else "measured",
        "currency": "USD",
        "region": bill.region,
        "prices_as_of": bill.as_of,
        "load": asdict(bill.load),
        "lines": [asdict(line) for line in bill.lines],
        "list_total": round(bill.list_total, 4),
        "total": round(bill.total, 4),
        "total_per_symbol": round(bill.total / max(bill.load.symbols, 1), 4),
        "one_item_per_trade": round(bill.one_item_per_trade, 4),
    }


def measured_load(alive: Sequence[Heartbeat]) -> Load | None:
    """The reference load with what the heartbeats tell put in its place; what they leave out stays.

    Two ingestors of the same shard hear the same trades, which are counted once and written twice.
    """
    symbols = {pulse.market for beat in alive for pulse in beat.pulses}
    if not symbols:
        return None
    shards = {beat.shard for beat in alive}
    rates = [max(_figure(beat, "trades_per_second") for beat in alive if beat.shard == shard) for shard in shards]
    stored, packed = _total(alive, "stored_trades"), _total(alive, "stored_bytes")
    chunks = sum(_figure(beat, "chunks") / max(_figure(beat, "uptime_s"), 1.0) for beat in alive)
    copies = len(alive) / len(shards)
    load = replace(
        Load(),
        symbols=len(symbols),
        trades_per_second=sum(rates),
        chunks_per_second=chunks / copies if chunks else None,
        ingestors=len(alive),
        copies=copies,
    )
    return replace(load, bytes_per_trade=packed / stored) if packed and stored else load


def _total(beats: Sequence[Heartbeat], name: str) -> float:
    return sum(_figure(beat, name) for beat in beats)


def _figure(beat: Heartbeat, name: str) -> float:
    value = beat.figures.get(name)
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0
