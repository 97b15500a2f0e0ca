"""``python -m ingestor [--shard I/N]``: the composition root. All else comes from settings."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from ingestor.alive import SignOfLife, file_of
from ingestor.archive import ArchivedTicks, Archiver
from ingestor.exchanges.base import Exchange
from ingestor.exchanges.binance import Binance
from ingestor.exchanges.coinbase import Coinbase
from ingestor.journal import Journal
from ingestor.logging_json import JsonLog, Log
from ingestor.membership import AUTO, LEAVING
from ingestor.metrics import EmbeddedMetrics
from ingestor.old_trades import OldTrades
from ingestor.options import Codec, Options, Ports, journal_folder
from ingestor.pipeline import TTL_MARGIN
from ingestor.service import Ingestor
from ingestor.sharding import of_shard, parse_shard
from ingestor.sharing import Sharing
from ingestor.threads import in_thread
from quant.domain.market import Market
from quant.domain.ports import Heartbeat, TickRepository
from quant.errors import SettingError
from quant.settings import Settings
from quant.storage.archive import TradeArchive
from quant.storage.codec import pack_all, unpack
from quant.storage.objects import S3Objects
from quant.storage.storage import Storage, open_storage

EXCHANGES: dict[str, Callable[[Settings], Exchange]] = {
    "binance": lambda settings: Binance(settings.binance_ws_url, settings.binance_rest_url),
    "coinbase": lambda settings: Coinbase(settings.coinbase_ws_url, settings.coinbase_rest_url),
}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="ingestor", description="Trades from exchanges into storage.")
    parser.add_argument("--shard", help="which part of the symbols: I/N (default: the setting SHARD)")
    given = parser.parse_args(arguments)
    try:
        settings = Settings.load()
        shard = given.shard or settings.shard
        markets = settings.symbols if shard == AUTO else of_shard(settings.symbols, parse_shard(shard))
        exchanges = exchanges_of(markets, settings)
        journal = open_journal(journal_folder(settings.journal_dir, _numbered(shard, 0)), settings.journal_max_bytes)
    except SettingError as exc:
        print(exc, file=sys.stderr)
        return 2
    log = JsonLog(level=settings.log_level)
    if not markets:
        log("nothing_to_do", shard=shard, reason="no symbol falls to this shard")
    return asyncio.run(_run(settings, shard, markets, exchanges, journal, log))


def _numbered(shard: str, number: int) -> str:
    """Those that overlap in one process have a journal each."""
    return f"{shard}-{number}" if shard == AUTO else shard


def exchanges_of(markets: Sequence[Market], settings: Settings) -> list[Exchange]:
    """The adapters that the markets need.

    Raises:
        SettingError: a market's exchange has none.
    """
    unknown = sorted({market.exchange for market in markets} - set(EXCHANGES))
    if unknown:
        raise SettingError("SYMBOLS", f"names exchanges that are not read here: {', '.join(unknown)}")
    return [make(settings) for name, make in EXCHANGES.items() if any(m.exchange == name for m in markets)]


def open_journal(folder: Path, max_bytes: int) -> Journal:
    """The journal in that folder.

    Raises:
        SettingError: it cannot be used.
    """
    try:
        return Journal(folder, max_bytes=max_bytes)
    except OSError as exc:
        raise SettingError("JOURNAL_DIR", f"cannot be used: {exc}") from exc


async def _run(
    settings: Settings, shard: str, markets: Sequence[Market], exchanges: Sequence[Exchange], journal: Journal, log: Log
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    stored = open_storage(settings, now_ms)
    if shard != AUTO:
        return 0 if await _ingest(settings, shard, markets, exchanges, journal, log, stored, stop) else 1
    me, journals = f"{AUTO}-{socket.gethostname()}-{os.getpid()}", {0: journal}

    async def ingest(mine: Sequence[Market], number: int, end: asyncio.Event) -> bool:
        folder = journal_folder(settings.journal_dir, _numbered(shard, number))
        kept = journals.pop(number, None) or open_journal(folder, settings.journal_max_bytes)
        return await _ingest(settings, me, mine, exchanges_of(mine, settings), kept, log, stored, end)

    def leave() -> None:
        stored.heartbeats.put(Heartbeat(me, LEAVING, now_ms(), settings.market, ()))

    return 0 if await Sharing(me, markets, stored.heartbeats.all, leave, ingest, now_ms, log).run(stop) else 1


async def _ingest(
    settings: Settings,
    shard: str,
    markets: Sequence[Market],
    exchanges: Sequence[Exchange],
    journal: Journal,
    log: Log,
    stored: Storage,
    stop: asyncio.Event,
) -> bool:
    """Follow these markets until ``stop`` is set; whether the end was an orderly one."""
    archive = TradeArchive(S3Objects(settings.archive_bucket)) if settings.archive_bucket else None
    old_trades = OldTrades(archive, stored.bars, now_ms, settings.bar_1s_ttl_seconds * 1000) if archive else None
    archiver = archiver_of(settings, stored.ticks, archive, log) if archive else None
    ticks = cast(TickRepository, ArchivedTicks(stored.ticks, archiver)) if archiver else stored.ticks
    ports = Ports(ticks, stored.bars, stored.heartbeats, stored.instruments, old_trades)
    ingestor = Ingestor(exchanges, markets, ports, journal, Codec(pack_all, unpack), now_ms, log,
                        options_of(settings, shard, has_archive=bool(archive)),
                        SignOfLife(file_of(settings), EmbeddedMetrics(sys.stdout)))  # fmt: skip
    archiving = asyncio.create_task(archiver.run(markets)) if archiver else None
    try:
        return await ingestor.run(stop)
    finally:
        if archiving:
            archiving.cancel()


def options_of(settings: Settings, shard: str, *, has_archive: bool) -> Options:
    """How the ingestor of this shard works."""
    ticks_live = settings.tick_ttl_seconds * 1000 - TTL_MARGIN
    return Options(
        flush_ms=settings.flush_seconds * 1000,
        shard=shard,
        # Each start has a name of its own: what an earlier one has said of itself stays readable.
        instance=f"{socket.gethostname()}-{os.getpid()}-{now_ms() // 1000}",
        source=settings.market,
        # A recording is played at times that have passed: its bars look closed before they are.
        history=settings.market != "replay",
        # Without a place for old trades, what is about to expire is not worth fetching.
        heal_max=settings.heal_max_seconds * 1000 if has_archive else min(settings.heal_max_seconds * 1000, ticks_live),
        tick_ttl=settings.tick_ttl_seconds * 1000,
        streams_per_connection=settings.streams_per_connection,
    )


def archiver_of(settings: Settings, ticks: TickRepository, archive: TradeArchive, log: Log) -> Archiver:
    """Hours as old as holes are healed are archived anew at the start; missing ones as far back as ticks are kept."""
    again, oldest = settings.heal_max_seconds * 1000, settings.tick_ttl_seconds * 1000
    return Archiver(ticks, archive, now_ms, log, in_thread, again=again, oldest=oldest)


if __name__ == "__main__":
    sys.exit(main())
