"""``python -m ingestor.commands.backfill --from 2026-11-22T10:00 --to 2026-11-22T12:00``: fetch a range again.

Symbols and addresses come from the settings. Ctrl-C ends it; the same command goes on from there.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from ingestor.__main__ import exchanges_of, now_ms
from ingestor.backfill import SHARE, Backfill, Checkpoint, Progress
from ingestor.budget import WeightBudget
from ingestor.exchanges.base import Exchange
from ingestor.history import History
from ingestor.logging_json import JsonLog
from ingestor.old_trades import OldTrades
from ingestor.options import Codec, Ports
from ingestor.rest import RestClient
from ingestor.resume import patiently
from quant.domain.interval import M1, M5
from quant.domain.market import Market
from quant.errors import QuantError, SettingError, ValidationError
from quant.settings import Settings
from quant.storage.archive import TradeArchive
from quant.storage.codec import pack_all, unpack
from quant.storage.objects import S3Objects
from quant.storage.storage import open_storage

WIDTH = 30


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make backfill", description=__doc__)
    parser.add_argument("--from", dest="start", required=True, help="ISO 8601, UTC where no zone is given")
    parser.add_argument("--to", dest="end", default="", help="the same (default: now)")
    parser.add_argument("--kind", choices=("trades", "bars"), default="trades", help="bars are the exchange's own")
    parser.add_argument("--symbols", default="", help="commas between them (default: the setting SYMBOLS)")
    given = parser.parse_args(arguments)
    try:
        start, end = moment("FROM", given.start), min(moment("TO", given.end) if given.end else now_ms(), now_ms())
        if start >= end:
            raise ValidationError("FROM", "must be before TO, and before now")
        settings = Settings.load()
        if given.symbols:
            markets = tuple(Market.parse(name) for name in given.symbols.split(",") if name.strip())
            settings = replace(settings, symbols=markets)
        return asyncio.run(_run(settings, start, end, given.kind))
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from here", file=sys.stderr)
        return 130
    except QuantError as exc:
        print(exc, file=sys.stderr)
        return 2


def moment(name: str, text: str) -> int:
    """Milliseconds of an ISO 8601 date or time.

    Raises:
        ValidationError: it is none.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValidationError(name, f"must be a time such as 2026-11-22T10:00, got {text!r}") from exc
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)


async def _run(settings: Settings, start: int, end: int, kind: str) -> int:
    if kind == "trades" and start < now_ms() - settings.tick_ttl_seconds * 1000 and not settings.archive_bucket:
        raise SettingError("ARCHIVE_BUCKET", "must name the archive: FROM is further back than ticks are kept")
    log = JsonLog(level="WARNING")
    bar = Bar()
    for exchange in exchanges_of(settings.symbols, settings):
        markets = [market for market in settings.symbols if market.exchange == exchange.name]
        client = RestClient(
            WeightBudget(share=SHARE),
            log,
            used_header=exchange.used_weight_header,
            per_second=exchange.limits.rest_per_second,
        )
        await _learn(exchange, client, markets)
        stored = open_storage(settings, now_ms)
        if kind == "bars":
            history = History(stored.bars, now_ms, log)
            for market, interval in product(markets, (M5, M1)):
                written = await history.fill(exchange, client, market, interval, start, end,
                                             said=bar.of(market, f"{interval.name} bars"))  # fmt: skip
                bar.end(market, written, f"{interval.name} bars")
            continue
        archive = TradeArchive(S3Objects(settings.archive_bucket)) if settings.archive_bucket else None
        old = OldTrades(archive, stored.bars, now_ms, settings.bar_1s_ttl_seconds * 1000) if archive else None
        ports = Ports(stored.ticks, stored.bars, stored.heartbeats, stored.instruments, old)
        backfill = Backfill(
            ports,
            Codec(pack_all, unpack),
            now_ms,
            settings.tick_ttl_seconds * 1000,
            Checkpoint(Path(settings.journal_dir) / "backfill.json"),
            _patience(log),
        )
        for market in markets:
            fetched = await backfill.trades(exchange, client, market, start, end, bar.show)
            bar.end(market, fetched, "trades")
    return 0


async def _learn(exchange: Exchange, client: RestClient, markets: Sequence[Market]) -> None:
    symbols = [market.symbol for market in markets]
    listing = exchange.read_listing(await client.fetch(exchange.listing(symbols), attempts=5), symbols)
    exchange.learn(listing.instruments)
    client.budget.per_minute = listing.weight_per_minute


def _patience(log: JsonLog) -> Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]:
    async def call(work: Callable[[], Awaitable[None]]) -> None:
        await patiently("store", log, work)

    return call


class Bar:
    """One line per market and unit that grows; in a file, a line every five seconds."""

    def __init__(self) -> None:
        self._shown, self._began, self._before = 0.0, time.monotonic(), -1

    def of(self, market: Market, unit: str) -> Callable[[int, int], None]:
        """Shows so many of so many units of a market."""
        return lambda done, total: self.show(Progress(market, done, total, unit))

    def show(self, progress: Progress) -> None:
        now, live = time.monotonic(), sys.stderr.isatty()
        if self._before < 0:
            self._began, self._before = now, progress.done
        if now - self._shown < (0.1 if live else 5.0) and progress.done < progress.total:
            return
        self._shown = now
        share = progress.done / progress.total if progress.total else 1.0
        rate = (progress.done - self._before) / max(now - self._began, 0.001)
        left = f", {(progress.total - progress.done) / rate:.0f} s left" if rate > 0 and share < 1 else ""
        full = "#" * int(share * WIDTH)
        count = f"{progress.done:,}/{progress.total:,} {progress.unit}"
        line = f"{progress.market} [{full:.<{WIDTH}}] {share:4.0%} {count}{left}"
        print(f"\r\x1b[K{line}" if live else line, end="" if live else "\n", file=sys.stderr, flush=True)

    def end(self, market: Market, fetched: int, unit: str) -> None:
        self._before = -1
        print(f"{'' if not sys.stderr.isatty() else chr(10)}{market}: {fetched:,} {unit} fetched", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
