"""All repositories of one deployment, on real tables or in memory."""

from __future__ import annotations

from dataclasses import dataclass

from quant.domain.alert import AlertRepository, RuleRepository
from quant.domain.ports import BarRepository, Clock, HeartbeatRepository, InstrumentRepository, TickRepository
from quant.domain.results import ResultRepository
from quant.settings import Settings
from quant.storage.alerts import AlertTable
from quant.storage.bars import BarTable
from quant.storage.cache import ResultTable
from quant.storage.registers import HeartbeatTable, InstrumentTable
from quant.storage.rules import RuleTable
from quant.storage.table import MemoryTable, Table
from quant.storage.ticks import TickTable


@dataclass(frozen=True, slots=True)
class Storage:
    ticks: TickRepository
    bars: BarRepository
    heartbeats: HeartbeatRepository
    instruments: InstrumentRepository
    cache: ResultRepository
    rules: RuleRepository
    alerts: AlertRepository


def storage_on(
    tick_data: Table,
    ohlc_data: Table,
    settings: Settings,
    clock: Clock,
    analytics_cache: Table | None = None,
    alert_tables: tuple[Table, Table] | None = None,
) -> Storage:
    """The repositories on any tables. Results, and alerts, are kept in memory where no tables are given for them.

    Args:
        alert_tables: alert_rules and alert_history, of one kind: what is stored of an alert goes to both at once.
    """
    alert_rules, alert_history = alert_tables or (MemoryTable(), MemoryTable())
    return Storage(
        ticks=TickTable(tick_data, clock, settings.tick_ttl_seconds),
        bars=BarTable(ohlc_data, clock, settings.bar_1s_ttl_seconds),
        heartbeats=HeartbeatTable(tick_data, clock),
        instruments=InstrumentTable(tick_data),
        cache=ResultTable(MemoryTable() if analytics_cache is None else analytics_cache, clock),
        rules=RuleTable(alert_rules, clock),
        alerts=AlertTable(alert_rules, alert_history, clock),
    )


def memory_storage(clock: Clock, settings: Settings | None = None) -> Storage:
    """The twin in this process's memory."""
    return storage_on(MemoryTable(), MemoryTable(), settings or Settings.load({}), clock)


def open_storage(settings: Settings, clock: Clock) -> Storage:
    """The repositories in DynamoDB. Connections are made when first used."""
    from quant.storage.dynamo import DynamoTable

    names = ("tick_data", "ohlc_data", "analytics_cache", "alert_rules", "alert_history")
    ticks, bars, cache, rules, history = (DynamoTable(settings.table(name)) for name in names)
    return storage_on(ticks, bars, settings, clock, cache, (rules, history))
