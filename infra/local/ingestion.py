"""The ingestor as a child process."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable
from pathlib import Path

from infra.local.children import Child
from infra.local.environment import aws_environment, program_environment
from infra.local.sources import Simulator, Source
from quant.domain.market import DEFAULT_EXCHANGE, Market
from quant.settings import Settings


def ingestor_child(
    settings: Settings,
    source: Source,
    markets: Iterable[Market],
    *,
    root: Path,
    folder: Path,
    emulator_url: str,
    archive_bucket: str = "",
    simulator: Simulator | None = None,
) -> Child:
    """The ingestor, listening to ``simulator`` when there is one and else to the exchange, writing to the emulator."""
    addresses = (
        {"BINANCE_WS_URL": simulator.ws_url, "BINANCE_REST_URL": simulator.rest_url}
        if simulator
        else {"BINANCE_WS_URL": settings.binance_ws_url, "BINANCE_REST_URL": settings.binance_rest_url}
    )
    env = program_environment(
        root,
        **aws_environment(emulator_url),
        **addresses,
        PREFIX=settings.prefix,
        SYMBOLS=",".join(name(market) for market in markets),
        MARKET=source.market,
        FLUSH_SECONDS=str(settings.flush_seconds),
        TICK_TTL_SECONDS=str(settings.tick_ttl_seconds),
        BAR_1S_TTL_SECONDS=str(settings.bar_1s_ttl_seconds),
        JOURNAL_DIR=str(folder / "journal"),
        ARCHIVE_BUCKET=archive_bucket,
        LOG_LEVEL=settings.log_level,
    )
    return Child(
        name="ingestor",
        command=[sys.executable, "-m", "ingestor"],
        env=env,
        log_path=folder / "logs" / "ingestor.log",
        cwd=root,
        death_signal=signal.SIGTERM,
    )


def name(market: Market) -> str:
    """The market as the user writes it."""
    return market.symbol if market.exchange == DEFAULT_EXCHANGE else str(market)
