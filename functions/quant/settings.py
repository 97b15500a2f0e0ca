"""Every setting of the platform, and the only reader of ``os.environ``.

A setting is a row of :data:`SETTINGS`: its name, its default, how it is read and one line of help. The table of the
README is made from these rows. An empty value counts as left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from quant.domain.alert import ChannelType
from quant.domain.market import Market
from quant.errors import SettingError, ValidationError

DEFAULT_SYMBOLS = "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT,XRPUSDT,ADAUSDT,DOGEUSDT,LTCUSDT,BCHUSDT,LINKUSDT,AVAXUSDT,DOTUSDT"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: ``read`` turns the text into the value or raises ``ValueError`` with what it must be."""

    name: str
    default: str
    read: Callable[[str], Any]
    help: str


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


def _number(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise ValueError(f"must be a number from {low:g} to {high:g}")
        return value

    return read


def _choice(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text

    return read


def _switch(text: str) -> bool:
    return _choice("true", "false")(text.lower()) == "true"


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", text):
        raise ValueError("must be 1 to 31 lower-case letters, digits or dashes, a letter first")
    return text


def _bucket(text: str) -> str:
    if text and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", text):
        raise ValueError("must be the name of a bucket: 3 to 63 lower-case letters, digits, dots or dashes")
    return text


def _markets(text: str) -> tuple[Market, ...]:
    try:
        markets = tuple(Market.parse(part) for part in text.split(",") if part.strip())
    except ValidationError as exc:
        raise ValueError(f"must be symbols with commas between them, such as BTCUSDT,ETHUSDT: {exc}") from exc
    if not markets:
        raise ValueError("must name at least one symbol")
    if len(set(markets)) != len(markets):
        raise ValueError("must name each symbol once")
    return markets


def _url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        parts = urlsplit(text)
        if text and (parts.scheme not in schemes or not parts.hostname or parts.path not in ("", "/")):
            raise ValueError(f"must be {' or '.join(s + '://host[:port]' for s in schemes)} without a path")
        return text.rstrip("/")

    return read


def _base(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
        raise ValueError("must be a URL such as https://host/path, without a query")
    return text.rstrip("/")


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(part.strip() for part in text.split(",") if part.strip())
    if not all(re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", origin) for origin in origins):
        raise ValueError("must be origins with commas between them, such as https://example.com")
    return origins


def _channels(text: str) -> frozenset[ChannelType]:
    names = {part.strip() for part in text.split(",") if part.strip()}
    if not names <= set(ChannelType):
        raise ValueError(f"must be some of {', '.join(ChannelType)}, with commas between them")
    return frozenset(map(ChannelType, names))


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not all(re.fullmatch(r"[a-z0-9.-]+:[0-9]{1,5}", host) for host in hosts):
        raise ValueError("must be host:port with commas between them, such as 127.0.0.1:8000")
    return hosts


def _sender(text: str) -> str:
    if text and not re.fullmatch(r"[^@\s<>,]{1,64}@[^@\s<>,]{1,255}", text):
        raise ValueError("must be one mail address, such as alerts@example.com")
    return text


def _source(text: str) -> str:
    if text in ("auto", "binance", "simulator"):
        return text
    if text.startswith("replay:") and text != "replay:":
        return text
    raise ValueError("must be auto, binance, simulator or replay:FOLDER")


SETTINGS = (
    Setting("SYMBOLS", DEFAULT_SYMBOLS, _markets, "Symbols to follow; `coinbase:BTC-USD` names another exchange"),
    Setting("SOURCE", "auto", _source, "Where trades come from: auto, binance, simulator or replay:FOLDER"),
    Setting("SPEED", "1", _number(0.1, 100), "How many times faster a recording is replayed"),
    Setting("PORT", "8000", _whole(0, 65535), "Port of the site and the API on the laptop; 0 takes a free one"),
    Setting(
        "EMULATOR",
        "ministack",
        _choice("ministack", "localstack"),
        "What plays AWS on the laptop: ministack, or localstack, which begins empty each time",
    ),
    Setting("EMULATOR_PORT", "4566", _whole(0, 65535), "Port of the AWS emulator on the laptop; 0 takes a free one"),
    Setting("STATE_DIR", ".local", Path, "Folder of the local stack's state"),
    Setting("PREFIX", "quant", _name, "Beginning of the names of tables, buckets and functions"),
    Setting("MARKET", "live", _choice("live", "simulated", "replay"), "What kind of market the ingestor listens to"),
    Setting("BINANCE_WS_URL", "wss://stream.binance.com:9443", _url("ws", "wss"), "Base of Binance's WebSocket"),
    Setting("BINANCE_REST_URL", "https://api.binance.com", _url("http", "https"), "Base of Binance's REST API"),
    Setting(
        "COINBASE_WS_URL", "wss://ws-feed.exchange.coinbase.com", _url("ws", "wss"), "Base of Coinbase's WebSocket"
    ),
    Setting("COINBASE_REST_URL", "https://api.exchange.coinbase.com", _url("http", "https"), "Base of its REST API"),
    Setting("FLUSH_SECONDS", "5", _whole(1, 60), "Seconds of trades in one chunk (1 locally)"),
    Setting("TICK_TTL_SECONDS", "604800", _whole(3600, 31_536_000), "How long ticks stay in the table"),
    Setting("BAR_1S_TTL_SECONDS", "2592000", _whole(3600, 315_360_000), "How long 1s bars stay in the table"),
    Setting("JOURNAL_DIR", ".local/journal", Path, "Folder of what storage has not confirmed yet"),
    Setting("JOURNAL_MAX_BYTES", "2147483648", _whole(2**20, 2**40), "Size at which the journal takes no more"),
    Setting("HEAL_MAX_SECONDS", "21600", _whole(60, 86_400), "How far back a start heals; beyond it a gap is recorded"),
    Setting("STREAMS_PER_CONNECTION", "200", _whole(1, 1024), "How many symbols share a WebSocket"),
    Setting("SHARD", "1/1", str, "Which symbols this ingestor takes: I/N, or auto: shared by all that run"),
    Setting("SITE_URL", "", _base, "Where the dashboard is; alerts link to its charts"),
    Setting("SES_SENDER", "", _sender, "Address that alert mails come from, verified in SES"),
    Setting("TELEGRAM_URL", "https://api.telegram.org", _base, "Base of Telegram's Bot API"),
    Setting("WEBHOOK_ALLOWED_HOSTS", "", _hosts, "host:port of webhooks that may be private and plain http"),
    Setting(
        "LOCAL_CHANNELS",
        "",
        _channels,
        "Kinds of channels that lead to this machine only: a simulated market uses no others",
    ),
    Setting("ALERT_DEAD_LETTERS", "", _base, "URL of the SQS queue of notifications that could not be delivered"),
    Setting("PUBLIC_READ", "true", _switch, "Whether the API's reads need no token"),
    Setting("API_RATE_LIMIT", "50", _whole(1, 10_000), "Requests a second that each route of the API answers"),
    Setting("API_BURST_LIMIT", "100", _whole(1, 5_000), "Requests that each route of the API answers at once"),
    Setting("CORS_ORIGINS", "", _origins, "Sites whose pages may call the API, with commas between them"),
    Setting("ARCHIVE_BUCKET", "", _bucket, "Bucket of the Parquet archive"),
    Setting("LOG_LEVEL", "INFO", _choice("DEBUG", "INFO", "WARNING", "ERROR"), "How much is logged"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process, read once and checked whole."""

    symbols: tuple[Market, ...]
    source: str
    speed: float
    port: int
    emulator: str
    emulator_port: int
    state_dir: Path
    prefix: str
    market: str
    binance_ws_url: str
    binance_rest_url: str
    coinbase_ws_url: str
    coinbase_rest_url: str
    flush_seconds: int
    tick_ttl_seconds: int
    bar_1s_ttl_seconds: int
    journal_dir: Path
    journal_max_bytes: int
    heal_max_seconds: int
    streams_per_connection: int
    shard: str
    site_url: str
    ses_sender: str
    telegram_url: str
    webhook_allowed_hosts: tuple[str, ...]
    local_channels: frozenset[ChannelType]
    alert_dead_letters: str
    public_read: bool
    api_rate_limit: int
    api_burst_limit: int
    cors_origins: tuple[str, ...]
    archive_bucket: str
    log_level: str

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the environment, or the mapping given instead.

        Raises:
            SettingError: names the first setting that cannot be used and what it must be.
        """
        source = os.environ if environ is None else environ
        return cls(**{row.name.lower(): _read(row, source.get(row.name, "").strip()) for row in SETTINGS})

    def secret(self, name: str) -> str:
        """The name of a secret in SSM: ``telegram-token`` of the prefix ``quant`` is ``/quant/telegram-token``."""
        return f"/{self.prefix}/{name}"

    @property
    def api_tokens(self) -> str:
        """Name of the SecureString that holds the API's one or two valid tokens."""
        return f"/{self.prefix}/api-tokens"

    def table(self, name: str) -> str:
        """The full name of a table: ``tick_data`` of the prefix ``quant`` is ``quant-tick_data``."""
        return f"{self.prefix}-{name}"


def _read(row: Setting, text: str) -> Any:
    try:
        return row.read(text or row.default)
    except ValueError as exc:
        raise SettingError(row.name, str(exc), text) from exc


def child_environment(**changes: str) -> dict[str, str]:
    """The environment of a process to be started, with ``changes`` on top of this one's."""
    return {**os.environ, **changes}
